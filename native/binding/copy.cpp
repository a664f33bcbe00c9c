// What lib/copy drives a copy with: one run, and per directory a pair that is opened, applied and finished. See ops/copy_pair.h.
#include <algorithm>
#include <cstring>

#include "binding/copy_values.h"
#include "binding/verb.h"
#include "binding/verbs.h"
#include "engine/copy/stat_together.h"
#include "engine/uring/availability.h"
#include "engine/uring/data_ring.h"
#include "engine/uring/file_ring.h"
#include "ops/copy_fresh.h"
#include "ops/root_check.h"

namespace dfd {

namespace {

// Reads the arguments that only a copy has.
struct CopyArguments {
  static std::shared_ptr<CopyRun> run(Arguments& arguments) { return arguments.object<CopyRun>(run_of, "a copy"); }
  static std::shared_ptr<CopyPair> pair(Arguments& arguments) {
    return arguments.object<CopyPair>(pair_of, "a pair of directories");
  }
  // Its bytes, or none for "not known".
  static Ticket ticket(Arguments& arguments) {
    std::string bytes = arguments.bytes();
    Ticket ticket;
    if (bytes.size() == sizeof ticket) std::memcpy(&ticket, bytes.data(), sizeof ticket);
    return ticket;
  }
  // How long stretches of files are moved: 0 by read and write, 1 on a ring what is not cached, 2 on a ring.
  static BulkMove bulk_move(Arguments& arguments) {
    switch (arguments.integer()) {
      case 1: return may_use_ring() ? &move_on_ring_where_cold : nullptr;
      case 2: return &move_on_ring;
      default: return nullptr;
    }
  }

  static StatMany stat_many(Arguments& arguments) {
    switch (arguments.integer()) {
      case 1: return may_use_ring() ? &stat_together_where_slow : nullptr;
      case 2: return &stat_together;
      default: return nullptr;
    }
  }
  // Small files: 0 each in its turn, 1 ahead of it where the source takes its time, 2 always.
  static void read_ahead(Arguments& arguments, ReadingAhead& ahead) {
    const int64_t when = arguments.integer();
    if (when > 0 && may_use_ring()) ahead.open = &open_file_ring;
    ahead.always = when == 2;
  }
  static Step step(int64_t code) {
    int64_t decision = code & ~(Step::kTells | Step::kOnlyTells) & 0xff;
    bool known = decision < static_cast<int64_t>(Decision::kCount);
    return {.decision = known ? static_cast<Decision>(decision) : Decision::kSkip,
            .tells = (code & (Step::kTells | Step::kOnlyTells)) != 0,
            .acts = (code & Step::kOnlyTells) == 0};
  }
};

// newCopy(source handle, destination handle | undefined, job, flags of lib/copy/native.ts) → copy
Napi::Value new_copy(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  auto run = std::make_shared<CopyRun>();
  run->source = arguments.handle().fd;
  Handle destination = arguments.handle();
  run->destination = destination.fd;
  run->cross_destination_mounts = destination.policy.cross_mounts;
  run->job = arguments.job();
  auto choice = [&] { return static_cast<Choice>(std::clamp<int64_t>(arguments.integer(), 0, 2)); };
  run->options.reflink = choice();
  run->options.sparse = choice();
  run->options.owner = arguments.boolean();
  run->options.xattrs = arguments.boolean();
  run->options.acl = arguments.boolean();
  run->options.times = arguments.boolean();
  run->options.access_times = arguments.boolean();
  run->options.hard_links = arguments.boolean();
  run->options.checksum = arguments.boolean();
  run->options.fsync_each = arguments.boolean();
  run->options.keep_going = arguments.boolean();
  run->options.flags = arguments.boolean();
  run->options.project_ids = arguments.boolean();
  run->options.rules = rules_of(arguments);
  run->options.verify = arguments.boolean();
  run->options.resume = arguments.boolean();
  run->options.retries = static_cast<uint32_t>(std::clamp<int64_t>(arguments.integer(), 0, UINT32_MAX));
  run->options.retry_delay = static_cast<uint32_t>(std::clamp<int64_t>(arguments.integer(), 0, UINT32_MAX));
  run->options.range = static_cast<uint32_t>(std::clamp<int64_t>(arguments.integer(), 1, UINT32_MAX));
  run->pace.set_limit(static_cast<uint64_t>(std::max<int64_t>(arguments.integer(), 0)));
  run->bulk_move = CopyArguments::bulk_move(arguments);
  run->stat_source = CopyArguments::stat_many(arguments);
  run->stat_destination = CopyArguments::stat_many(arguments);
  CopyArguments::read_ahead(arguments, run->ahead);
  if (!arguments.ok()) {
    arguments.problem().ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  // The descriptors are held: two fstat that cannot wait. Where one is refused, nothing is ever taken for that root.
  if (auto node = node_of(run->source->get())) run->roots.source = *node;
  if (auto node = node_of(run->destination->get())) run->roots.destination = *node;
  return make_run(info.Env(), std::move(run));
}

struct OnPair {
  std::shared_ptr<CopyRun> run_;
  std::shared_ptr<CopyPair> pair;
  Applied applied;
};

// newPathPiece(piece above | undefined, path below it) → piece
Napi::Value new_path_piece(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  TreePath path = tree_path_of(arguments);
  if (arguments.ok()) {
    return make_path_piece(info.Env(), std::make_shared<PathPiece>(std::move(path.above), std::move(path.rest)));
  }
  arguments.problem().ThrowAsJavaScriptException();
  return info.Env().Undefined();
}

// pathPieceText(piece) → its path from the root
Napi::Value path_piece_text(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  auto piece = path_piece_of(arguments);
  if (arguments.ok()) return to_buffer(info.Env(), piece->text());
  arguments.problem().ThrowAsJavaScriptException();
  return info.Env().Undefined();
}

// copyOpen(copy, piece above | undefined, path, ticket, state, list source, list destination, copy now, tells, seen = false)
//   → {pair, count, copied, finished, waits, source?, destination?, own?, …applied}
struct Open : OnPair {
  OpenHow how;

  void parse(Arguments& arguments) {
    run_ = CopyArguments::run(arguments);
    TreePath path = tree_path_of(arguments);
    Ticket ticket = CopyArguments::ticket(arguments);
    auto state = static_cast<DestinationState>(std::clamp<int64_t>(arguments.integer(), 0, 3));
    how.list_source = arguments.boolean();
    how.list_destination = arguments.boolean();
    how.copy_now = arguments.boolean();
    how.tells = arguments.boolean();
    if (arguments.more()) how.seen = arguments.boolean();
    if (run_) pair = std::make_shared<CopyPair>(run_, std::move(path), ticket, state);
  }

  Status run(const WorkerContext& context) noexcept {
    return pair->open(how, context.umask_is_zero, Stop(run_->job->cancel, context.cancel), applied);
  }

  Napi::Value value(Napi::Env env) {
    Napi::Object result = opened_value(env, applied, pair);
    if (how.list_source && !how.copy_now) result.Set("source", to_buffer(env, pair->pack_source()));
    if (pair->changes().any()) result.Set("own", pair->changes().bits());
    if (how.list_destination) result.Set("destination", to_buffer(env, pair->take_destination()));
    return result;
  }
};

// newFilling(copy, mount that is not to be left, or 0) → filling
Napi::Value new_filling(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  auto run = CopyArguments::run(arguments);
  auto only_mount = static_cast<uint64_t>(arguments.integer());
  if (arguments.ok()) return make_filling(info.Env(), std::make_shared<Filling>(std::move(run), only_mount));
  arguments.problem().ThrowAsJavaScriptException();
  return info.Env().Undefined();
}

// copyFill(filling, pieces above the directories that it is given, their paths: each with a NUL after it, their tickets, their states, their numbers)
//   → {opened?: [{origin, above, rest, …as copyOpen}], failed?: [{origin, above, rest, failure}], done: Uint32Array, waiting, …counts}
struct Fill {
  std::shared_ptr<Filling> filling;
  Filled filled;

  void parse(Arguments& arguments) {
    filling = arguments.object<Filling>(filling_of, "a filling");
    const auto pieces = path_pieces_of(arguments);
    const std::string paths = arguments.bytes();
    const std::string tickets = arguments.bytes();
    const std::string states = arguments.bytes();
    const std::string origins = arguments.bytes();
    const bool whole = pieces.size() == states.size() && tickets.size() == states.size() * sizeof(Ticket) &&
                       origins.size() == states.size() * sizeof(uint32_t) &&
                       std::count(paths.begin(), paths.end(), '\0') == static_cast<ptrdiff_t>(states.size());
    if (!arguments.require(whole, "as many paths as tickets, states and numbers") || !filling) return;
    std::vector<FreshDirectory> given(states.size());
    size_t from = 0;
    for (size_t i = 0; i < given.size(); i++) {
      const size_t end = paths.find('\0', from);
      const bool is_here = states[i] == static_cast<char>(DestinationState::kFreshHere);
      given[i].path = {.above = pieces[i], .rest = paths.substr(from, end - from)};
      given[i].state = is_here ? DestinationState::kFreshHere : DestinationState::kFresh;
      std::memcpy(&given[i].ticket, tickets.data() + i * sizeof(Ticket), sizeof(Ticket));
      std::memcpy(&given[i].origin, origins.data() + i * sizeof(uint32_t), sizeof(uint32_t));
      from = end + 1;
    }
    filling->give(std::move(given));
  }

  Status run(const WorkerContext& context) noexcept {
    filled = filling->work(context.umask_is_zero, Stop(filling->run().job->cancel, context.cancel));
    return success();
  }

  Napi::Value value(Napi::Env env) {
    filling->hand_over(filled);
    return filled_value(env, filled);
  }
};

// copySingle(copy, source name, destination name) → {pair, source}
struct Single : OnPair {
  std::string source_name;
  std::string destination_name;

  void parse(Arguments& arguments) {
    run_ = CopyArguments::run(arguments);
    source_name = arguments.path();
    destination_name = arguments.path();
  }

  Status run(const WorkerContext&) noexcept {
    auto made = CopyPair::single(run_, source_name, destination_name);
    if (!made) return made.error();
    pair = *std::move(made);
    return success();
  }

  Napi::Value value(Napi::Env env) {
    Napi::Object result = Napi::Object::New(env);
    result.Set("pair", make_pair(env, pair));
    result.Set("source", to_buffer(env, pair->pack_source()));
    return result;
  }
};

struct AppliesToPair : OnPair {
  void parse_pair(Arguments& arguments) {
    run_ = CopyArguments::run(arguments);
    pair = CopyArguments::pair(arguments);
  }
  Napi::Value value(Napi::Env env) { return applied_value(env, applied, *pair); }
};

// copyApply(copy, pair, first, count, decisions: one byte an entry of the range, none for the default rule) → applied
struct Apply : AppliesToPair {
  size_t first = 0;
  size_t count = 0;
  std::vector<Step> steps;

  void parse(Arguments& arguments) {
    parse_pair(arguments);
    first = static_cast<size_t>(std::max<int64_t>(arguments.integer(), 0));
    count = static_cast<size_t>(std::max<int64_t>(arguments.integer(), 0));
    for (char code : arguments.bytes()) steps.push_back(CopyArguments::step(code));
    if (!steps.empty()) count = std::min(count, steps.size());
  }

  Status run(const WorkerContext& context) noexcept {
    const Step* given = steps.empty() ? nullptr : steps.data();
    return pair->apply(first, count, given, context.umask_is_zero, Stop(run_->job->cancel, context.cancel), applied);
  }
};

// Its bytes, of lib/copy/hard-links.ts.
LinkTable::File linked_file(Arguments& arguments) {
  const std::string bytes = arguments.bytes();
  LinkTable::File file;
  if (arguments.require(bytes.size() == sizeof file, "mount, device and inode")) {
    std::memcpy(&file, bytes.data(), sizeof file);
  }
  return file;
}

// claimName(copy, file, links) → true: it is the first; undefined: it is to wait; else the copy, {path, ticket}
Napi::Value claim_name(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  auto run = CopyArguments::run(arguments);
  const LinkTable::File file = linked_file(arguments);
  const int64_t links = std::clamp<int64_t>(arguments.integer(), 0, UINT32_MAX);
  if (!arguments.ok()) {
    arguments.problem().ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  const LinkTable::Claim claim = run->links.claim(file, static_cast<uint32_t>(links), LinkTable::Else::kWaits);
  if (claim.claimed == LinkTable::Claimed::kFirst) return Napi::Boolean::New(info.Env(), true);
  if (claim.claimed == LinkTable::Claimed::kCopying) return info.Env().Undefined();
  return copy_of_first_value(info.Env(), claim.copy);
}

// nameDone(copy, file, path below the destination, ticket); nameLapsed(copy, file)
void name_done(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  auto run = CopyArguments::run(arguments);
  const LinkTable::File file = linked_file(arguments);
  std::string path = arguments.path();
  const Ticket ticket = CopyArguments::ticket(arguments);
  if (arguments.ok()) {
    run->links.done(file, {std::move(path), ticket});
  } else {
    arguments.problem().ThrowAsJavaScriptException();
  }
}

void name_lapsed(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  auto run = CopyArguments::run(arguments);
  const LinkTable::File file = linked_file(arguments);
  if (arguments.ok()) {
    run->links.lapse(file);
  } else {
    arguments.problem().ThrowAsJavaScriptException();
  }
}

// copyLink(copy, pair, index, path of the first below the destination, its ticket, decision) → applied
struct Link : AppliesToPair {
  size_t index = 0;
  std::string first_path;
  Ticket first;
  Step step;

  void parse(Arguments& arguments) {
    parse_pair(arguments);
    index = static_cast<size_t>(std::max<int64_t>(arguments.integer(), 0));
    first_path = arguments.path();
    first = CopyArguments::ticket(arguments);
    step = CopyArguments::step(arguments.integer());
  }

  Status run(const WorkerContext&) noexcept { return pair->link(index, first_path, first, step, applied); }
};

// copyFinish(copy, pair) → applied
struct Finish : AppliesToPair {
  void parse(Arguments& arguments) { parse_pair(arguments); }
  Status run(const WorkerContext&) noexcept { return pair->finish(applied); }
};

// endCopy(copy): lets go of both roots, when no task of the copy is out any more. Otherwise the garbage collector would, some day.
Napi::Value end_copy(const Napi::CallbackInfo& info) {
  if (auto run = run_of(info[0])) {
    run->source.reset();
    run->destination.reset();
    run->recent_sources.clear();
    run->recent_destinations.clear();
  }
  return info.Env().Undefined();
}

// setPoolLimit(threads): of this environment.
Napi::Value set_pool_limit(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  int64_t limit = arguments.integer();
  if (arguments.ok())
    Environment::of(info.Env()).pool().set_limit(static_cast<size_t>(std::clamp<int64_t>(limit, 1, 256)));
  return info.Env().Undefined();
}

}  // namespace

void export_copying(Napi::Object exports) {
  Napi::Env env = exports.Env();
  exports.Set("newCopy", Napi::Function::New(env, &new_copy, "newCopy"));
  exports.Set("newPathPiece", Napi::Function::New(env, &new_path_piece, "newPathPiece"));
  exports.Set("pathPieceText", Napi::Function::New(env, &path_piece_text, "pathPieceText"));
  exports.Set("claimName", Napi::Function::New(env, &claim_name, "claimName"));
  exports.Set("nameDone", Napi::Function::New(env, &name_done, "nameDone"));
  exports.Set("nameLapsed", Napi::Function::New(env, &name_lapsed, "nameLapsed"));
  exports.Set("newFilling", Napi::Function::New(env, &new_filling, "newFilling"));
  exports.Set("endCopy", Napi::Function::New(env, &end_copy, "endCopy"));
  exports.Set("setPoolLimit", Napi::Function::New(env, &set_pool_limit, "setPoolLimit"));
  export_pooled_verb<Open>(exports, "copyOpen");
  export_pooled_verb<Fill>(exports, "copyFill");
  export_pooled_verb<Single>(exports, "copySingle");
  export_pooled_verb<Apply>(exports, "copyApply");
  export_pooled_verb<Link>(exports, "copyLink");
  export_pooled_verb<Finish>(exports, "copyFinish");
}

}  // namespace dfd
