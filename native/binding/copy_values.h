// The opaque JS objects of a copy, and what comes back from its tasks.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "binding/arguments.h"
#include "engine/copy/copy_survey.h"
#include "ops/copy_fresh.h"
#include "ops/copy_pair.h"
#include "ops/tree_path.h"

namespace dfd {

// Three arguments: rules for users, groups and modes, each three 32-bit numbers, packed (lib/copy/keep-rules.ts).
KeepRules rules_of(Arguments& arguments);

Napi::Object make_run(Napi::Env env, std::shared_ptr<CopyRun> run);
std::shared_ptr<CopyRun> run_of(Napi::Value value);  // null where the value is not one of ours

Napi::Object make_pair(Napi::Env env, std::shared_ptr<CopyPair> pair);
std::shared_ptr<CopyPair> pair_of(Napi::Value value);

// Two arguments: the piece above, or undefined, and the path below it.
TreePath tree_path_of(Arguments& arguments);
// One argument: an array of such pieces, or undefined in their places.
std::vector<std::shared_ptr<PathPiece>> path_pieces_of(Arguments& arguments);
std::shared_ptr<PathPiece> path_piece_of(Arguments& arguments);
Napi::Object make_path_piece(Napi::Env env, std::shared_ptr<PathPiece> piece);

Napi::Object make_filling(Napi::Env env, std::shared_ptr<Filling> filling);
std::shared_ptr<Filling> filling_of(Napi::Value value);

struct SurveyOfRun {
  std::shared_ptr<CopyRun> run;
  std::shared_ptr<CopySurvey> survey;
};
Napi::Object make_survey(Napi::Env env, SurveyOfRun survey);
std::shared_ptr<SurveyOfRun> survey_of(Napi::Value value);

// {files, symlinks, directories, specials, links, updated, retries: only those that are not 0;
//  entries: packed batch, indices: Uint32Array, outcomes: Uint8Array, tickets: 40 bytes each — all four only if there are any;
//  problems: [{name, aspect, detail, errno, call, reason, subject, flags}]}
Napi::Object applied_value(Napi::Env env, Applied& applied, const CopyPair& pair);

// {count, copied, finished, waits: for all below it, pair unless it is finished, …applied}
Napi::Object opened_value(Napi::Env env, Applied& applied, const std::shared_ptr<CopyPair>& pair);

// {path, ticket}
Napi::Object copy_of_first_value(Napi::Env env, const LinkTable::Copy& copy);

// As copyFill() in binding/copy.cpp tells.
Napi::Object filled_value(Napi::Env env, Filled& filled);

}  // namespace dfd
