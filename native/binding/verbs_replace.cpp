// Files replaced whole or not at all.
#include "binding/on_place.h"
#include "binding/verb.h"
#include "binding/verbs.h"
#include "ops/replace_file.h"

namespace dfd {

namespace {

// Names that the first write into a directory looks at for a crash's drafts. In a larger one, cleanupTemporaryFiles finds them.
constexpr size_t kSweepLimit = 10'000;

// (durability, keep, createOnly, replaceSymlink, refuseHardLinks, mode or -1, backup or '', isBackupOurs, mountId or -1, ino, size,
//  ctimeSeconds, ctimeNanoseconds)
ReplaceOptions parse_options(Arguments& arguments) {
  ReplaceOptions options;
  options.durability = static_cast<Durability>(arguments.integer());
  options.keep = static_cast<Keep>(arguments.integer());
  options.create_only = arguments.boolean();
  options.replace_symlink = arguments.boolean();
  options.refuse_hard_links = arguments.boolean();
  if (auto mode = arguments.integer(); mode >= 0) options.mode = static_cast<mode_t>(mode);
  options.backup = arguments.path();
  options.is_backup_ours = arguments.boolean();
  auto mount = arguments.integer();
  if (mount < 0) return options;
  ExpectedFile expected;
  expected.identity.mount = static_cast<uint64_t>(mount);
  expected.identity.ino = static_cast<uint64_t>(arguments.integer());
  expected.size = static_cast<uint64_t>(arguments.integer());
  expected.ctime_s = arguments.integer();
  expected.ctime_ns = static_cast<uint32_t>(arguments.integer());
  options.expected = expected;
  return options;
}

struct Replacing {
  ReplaceOptions options;
  std::shared_ptr<DurableWrites> shared;
  Replaced outcome;

  void parse_rest(Arguments& arguments) {
    options = parse_options(arguments);
    shared = Environment::of(arguments.env()).durable_writes();
  }

  Status keep(Result<Replaced> replaced) {
    if (!replaced)
      return replaced.error().subject == Subject::kSecondPath ? replaced.error()
                                                              : replaced.error().about(Subject::kPath);
    outcome = *std::move(replaced);
    return success();
  }

  SyncDirectory sync() {
    return [this](Dirfd directory) { return shared->syncs.sync(directory); };
  }

  void sweep(const FilePlace& place) {
    if (shared->swept.is_first(place.directory->get())) (void)sweep_drafts(place.directory->get(), kSweepLimit);
  }

  // {stat: StatRecord, replaced, lost?: [problem…]}
  Napi::Value value(Napi::Env env) {
    Napi::Object result = Napi::Object::New(env);
    const auto* record = reinterpret_cast<const uint8_t*>(&outcome.stat);
    result.Set("stat", Napi::Buffer<uint8_t>::Copy(env, record, sizeof outcome.stat));
    result.Set("replaced", outcome.replaced);
    if (outcome.lost.empty()) return result;
    Napi::Array problems = Napi::Array::New(env, outcome.lost.size());
    for (uint32_t i = 0; i < outcome.lost.size(); i++) {
      Napi::Object facts = error_facts(env, outcome.lost[i].error.about(Subject::kPath));
      facts.Set("aspect", static_cast<uint32_t>(outcome.lost[i].aspect));
      if (!outcome.lost[i].detail.empty()) facts.Set("detail", outcome.lost[i].detail);
      problems.Set(i, facts);
    }
    result.Set("lost", problems);
    return result;
  }
};

// replaceFile(handle, path, content, options…), and replaceFileDurably, which waits for the disk and so has threads of its own. The
// caller must leave the memory alone until the promise settles.
struct ReplaceFile : Replacing {
  Handle root;
  std::string path;
  Napi::ObjectReference keep_alive;
  std::span<const std::byte> content;

  void parse(Arguments& arguments) {
    root = arguments.handle();
    path = arguments.path();
    content = arguments.memory(keep_alive);
    parse_rest(arguments);
  }
  Status run() noexcept {
    auto place = pin_place(root.fd, path, root.policy, FinalLink::kKeep);
    if (!place) return place.error().about(Subject::kPath);
    sweep(*place);
    return keep(replace_file(*place, content, options, sync()));
  }
  Status run(const WorkerContext&) noexcept { return run(); }
};

// openDraft(handle, name, options…): for content that comes in pieces, in the directory where it will be replaceByDraft's.
struct OpenDraft {
  Handle root;
  std::string name;
  ReplaceOptions options;
  std::shared_ptr<DurableWrites> shared;
  TemporaryFile file;

  void parse(Arguments& arguments) {
    root = arguments.handle();
    name = arguments.path();
    options = parse_options(arguments);
    shared = Environment::of(arguments.env()).durable_writes();
  }
  Status run() noexcept {
    if (shared->swept.is_first(root.fd->get())) (void)sweep_drafts(root.fd->get(), kSweepLimit);
    auto opened = begin_draft({.directory = root.fd, .name = name}, options);
    if (!opened) return opened.error().about(Subject::kPath);
    file = *std::move(opened);
    return success();
  }
  Napi::Value value(Napi::Env env) {
    return make_handle(env, Handle{.fd = share(std::move(file.fd)), .policy = root.policy, .temporary = file.name});
  }
};

// replaceByDraft(draft, handle, name, options…)
struct ReplaceByDraft : Replacing {
  Handle draft;
  Handle root;
  std::string name;

  void parse(Arguments& arguments) {
    draft = arguments.handle();
    root = arguments.handle();
    name = arguments.path();
    parse_rest(arguments);
  }
  Status run(const WorkerContext&) noexcept {
    return keep(
        replace_by_draft({.directory = root.fd, .name = name}, draft.fd->get(), draft.temporary, options, sync()));
  }
};

// pinPlace(handle, path, follow) → [handle of the directory, name]: so that no path is resolved twice.
struct PinPlace {
  Handle root;
  std::string path;
  FinalLink final_link = FinalLink::kKeep;
  FilePlace place;

  void parse(Arguments& arguments) {
    root = arguments.handle();
    path = arguments.path();
    final_link = arguments.boolean() ? FinalLink::kFollow : FinalLink::kKeep;
  }
  Status run() noexcept {
    Policy policy = root.policy;
    // The caller wants links followed, and the handle none: those that stay inside are what both can mean.
    if (final_link == FinalLink::kFollow && policy.scope == Scope::kNoSymlinks) policy.scope = Scope::kBeneath;
    auto pinned = pin_place(root.fd, path, policy, final_link);
    if (!pinned) return pinned.error().about(Subject::kPath);
    place = *std::move(pinned);
    return success();
  }
  // Where the root itself is the directory, both handles hold the one descriptor.
  Napi::Value value(Napi::Env env) {
    Napi::Array result = Napi::Array::New(env, 2);
    result.Set(0u, make_handle(env, Handle{.fd = place.directory, .policy = root.policy}));
    result.Set(1u, to_buffer(env, place.name));
    return result;
  }
};

// sweepDrafts(handle) → drafts removed
struct SweepDrafts {
  Handle directory;
  size_t removed = 0;
  void parse(Arguments& arguments) { directory = arguments.handle(); }
  Status run() noexcept {
    auto swept = sweep_drafts(directory.fd->get(), 0);
    if (!swept) return swept.error();
    removed = *swept;
    return success();
  }
  Napi::Value value(Napi::Env env) { return Napi::Number::New(env, static_cast<double>(removed)); }
};

// syncDirectory(handle): fsync, shared with whoever else waits for the same directory.
struct SyncShared {
  Handle directory;
  std::shared_ptr<DurableWrites> shared;
  void parse(Arguments& arguments) {
    directory = arguments.handle();
    shared = Environment::of(arguments.env()).durable_writes();
  }
  Status run(const WorkerContext&) noexcept { return shared->syncs.sync(directory.fd->get()); }
  Napi::Value value(Napi::Env env) { return env.Undefined(); }
};

}  // namespace

void export_replacing(Napi::Object exports) {
  export_verb<ReplaceFile>(exports, "replaceFile");
  export_pooled_verb<ReplaceFile, Pool::kWaiters>(exports, "replaceFileDurably");
  export_verb<OpenDraft>(exports, "openDraft");
  export_pooled_verb<ReplaceByDraft, Pool::kWaiters>(exports, "replaceByDraft");
  export_verb<PinPlace>(exports, "pinPlace");
  export_verb<SweepDrafts>(exports, "sweepDrafts");
  export_pooled_verb<SyncShared, Pool::kWaiters>(exports, "syncShared");
}

}  // namespace dfd
