#include "binding/copy_values.h"

#include <cstring>

#include "binding/values.h"

namespace dfd {

namespace {

// Tell our objects from those of any other addon.
constexpr napi_type_tag kRunTag = {0x2b90e6a17f3d4c55, 0xa1d84f0b936e27c2};
constexpr napi_type_tag kSurveyTag = {0xe6045d9a21c7483b, 0x4fd2a8c7153b9e60};
constexpr napi_type_tag kPathPieceTag = {0x3d95f1c8a6027be4, 0xb87e41d25c09f63a};
constexpr napi_type_tag kFillingTag = {0x5c08e7d23ab9416f, 0x8e15f3a0c7d2964b};
constexpr napi_type_tag kPairTag = {0x70c3d51be8a2496f, 0x93fb0e64d7215a8c};

template <class T>
Napi::Object object_of(Napi::Env env, std::shared_ptr<T> value, const napi_type_tag& tag) {
  Napi::Object object = Napi::Object::New(env);
  wrap(object, std::make_unique<std::shared_ptr<T>>(std::move(value)), tag);
  return object;
}

template <class T>
std::shared_ptr<T> unwrap(Napi::Value value, const napi_type_tag& tag) {
  if (!value.IsObject()) return nullptr;
  bool ours = false;
  if (napi_check_object_type_tag(value.Env(), value, &tag, &ours) != napi_ok || !ours) return nullptr;
  void* data = nullptr;
  if (napi_unwrap(value.Env(), value, &data) != napi_ok) return nullptr;
  return *static_cast<std::shared_ptr<T>*>(data);
}

constexpr const char* kPathPiece = "a piece of a path";
std::shared_ptr<PathPiece> path_piece_in(Napi::Value value) { return unwrap<PathPiece>(value, kPathPieceTag); }

template <class T>
Napi::Value bytes_of(Napi::Env env, const std::vector<T>& values) {
  return Napi::Buffer<uint8_t>::Copy(env, reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(T));
}

Napi::Value problem_value(Napi::Env env, const CopyProblem& problem, const CopyPair& pair) {
  Napi::Object facts = error_facts(env, problem.error);
  if (problem.entry != kSelf) facts.Set("name", to_buffer(env, std::string(pair.name(problem.entry))));
  facts.Set("aspect", static_cast<uint32_t>(problem.aspect));
  if (!problem.detail.empty()) facts.Set("detail", problem.detail);
  return facts;
}

void set_count(Napi::Object object, const char* name, uint32_t count) {
  if (count != 0) object.Set(name, count);
}

Napi::Object counts_value(Napi::Env env, const CopyCounts& counts) {
  Napi::Object value = Napi::Object::New(env);
  set_count(value, "files", counts.files);
  set_count(value, "symlinks", counts.symlinks);
  set_count(value, "directories", counts.directories);
  set_count(value, "specials", counts.specials);
  set_count(value, "links", counts.links);
  set_count(value, "updated", counts.updated);
  set_count(value, "retries", counts.retries);
  return value;
}

Napi::Uint32Array numbers_of(Napi::Env env, const std::vector<uint32_t>& values) {
  Napi::Uint32Array numbers = Napi::Uint32Array::New(env, values.size());
  // No memory where the environment is ending.
  if (numbers.Data()) std::memcpy(numbers.Data(), values.data(), values.size() * sizeof(uint32_t));
  return numbers;
}

template <class Item, class ValueOf>
void set_list(Napi::Object object, const char* name, std::vector<Item>& items, ValueOf&& value_of) {
  if (items.empty()) return;
  Napi::Array list = Napi::Array::New(object.Env(), items.size());
  for (uint32_t i = 0; i < items.size(); i++) {
    Napi::HandleScope scope(object.Env());
    list.Set(i, value_of(items[i]));
  }
  object.Set(name, list);
}

void set_place(Napi::Object object, const FreshDirectory& directory) {
  const TreePath& path = directory.path;
  object.Set("origin", directory.origin);
  object.Set("rest", to_buffer(object.Env(), path.rest));
  if (path.above) object.Set("above", make_path_piece(object.Env(), path.above));
}

template <class Rule>
std::vector<Rule> rules_in(const std::string& packed) {
  static_assert(sizeof(Rule) == 3 * sizeof(uint32_t));
  std::vector<Rule> rules(packed.size() / sizeof(Rule));
  if (!rules.empty()) std::memcpy(rules.data(), packed.data(), rules.size() * sizeof(Rule));
  return rules;
}

}  // namespace

KeepRules rules_of(Arguments& arguments) {
  KeepRules rules;
  rules.users = rules_in<IdRule>(arguments.bytes());
  rules.groups = rules_in<IdRule>(arguments.bytes());
  rules.modes = rules_in<ModeRule>(arguments.bytes());
  return rules;
}

Napi::Object make_run(Napi::Env env, std::shared_ptr<CopyRun> run) { return object_of(env, std::move(run), kRunTag); }
std::shared_ptr<CopyRun> run_of(Napi::Value value) { return unwrap<CopyRun>(value, kRunTag); }

Napi::Object make_pair(Napi::Env env, std::shared_ptr<CopyPair> pair) {
  return object_of(env, std::move(pair), kPairTag);
}
std::shared_ptr<CopyPair> pair_of(Napi::Value value) { return unwrap<CopyPair>(value, kPairTag); }

TreePath tree_path_of(Arguments& arguments) {
  auto above = arguments.optional_object<PathPiece>(path_piece_in, kPathPiece);
  return {.above = std::move(above), .rest = arguments.path()};
}

std::vector<std::shared_ptr<PathPiece>> path_pieces_of(Arguments& arguments) {
  return arguments.optional_objects<PathPiece>(path_piece_in, kPathPiece);
}

std::shared_ptr<PathPiece> path_piece_of(Arguments& arguments) {
  return arguments.object<PathPiece>(path_piece_in, kPathPiece);
}

Napi::Object make_path_piece(Napi::Env env, std::shared_ptr<PathPiece> piece) {
  return object_of(env, std::move(piece), kPathPieceTag);
}

Napi::Object make_filling(Napi::Env env, std::shared_ptr<Filling> filling) {
  return object_of(env, std::move(filling), kFillingTag);
}
std::shared_ptr<Filling> filling_of(Napi::Value value) { return unwrap<Filling>(value, kFillingTag); }

Napi::Object make_survey(Napi::Env env, SurveyOfRun survey) {
  return object_of(env, std::make_shared<SurveyOfRun>(std::move(survey)), kSurveyTag);
}
std::shared_ptr<SurveyOfRun> survey_of(Napi::Value value) { return unwrap<SurveyOfRun>(value, kSurveyTag); }

Napi::Object applied_value(Napi::Env env, Applied& applied, const CopyPair& pair) {
  Napi::Object value = counts_value(env, applied.counts);
  if (!applied.entries.empty()) {
    value.Set("entries", to_buffer(env, applied.entries.take()));
    value.Set("indices", numbers_of(env, applied.indices));
    value.Set("outcomes", bytes_of(env, applied.outcomes));
    value.Set("tickets", bytes_of(env, applied.tickets));
    Napi::Uint32Array changes = Napi::Uint32Array::New(env, applied.changes.size());
    if (changes.Data()) std::memcpy(changes.Data(), applied.changes.data(), applied.changes.size() * sizeof(uint32_t));
    value.Set("changes", changes);
  }
  if (!applied.problems.empty()) {
    Napi::Array problems = Napi::Array::New(env, applied.problems.size());
    for (uint32_t i = 0; i < applied.problems.size(); i++)
      problems.Set(i, problem_value(env, applied.problems[i], pair));
    value.Set("problems", problems);
  }
  return value;
}

Napi::Object opened_value(Napi::Env env, Applied& applied, const std::shared_ptr<CopyPair>& pair) {
  Napi::Object value = applied_value(env, applied, *pair);
  value.Set("count", static_cast<double>(pair->entries()));
  value.Set("copied", pair->copied());
  value.Set("finished", pair->finished());
  value.Set("waits", pair->shuts_owner_out());
  if (!pair->finished()) value.Set("pair", make_pair(env, pair));
  return value;
}

Napi::Object copy_of_first_value(Napi::Env env, const LinkTable::Copy& copy) {
  Napi::Object value = Napi::Object::New(env);
  value.Set("path", to_buffer(env, copy.path));
  value.Set("ticket", bytes_of(env, std::vector{copy.ticket}));
  return value;
}

Napi::Object filled_value(Napi::Env env, Filled& filled) {
  Napi::Object value = counts_value(env, filled.counts);
  set_list(value, "opened", filled.opened, [&](Filled::Opened& opened) {
    Napi::Object one = opened_value(env, opened.applied, opened.pair);
    set_place(one, opened.directory);
    return one;
  });
  set_list(value, "failed", filled.failed, [&](Filled::Failed& failed) {
    Napi::Object one = Napi::Object::New(env);
    set_place(one, failed.directory);
    one.Set("failure", error_facts(env, failed.error));
    return one;
  });
  value.Set("done", numbers_of(env, filled.done));
  value.Set("waiting", static_cast<double>(filled.waiting));
  return value;
}

}  // namespace dfd
