// Verbs on the very entry that a walk saw: what stands under its name now must be the same file (ops/same_file.h).
#include <fcntl.h>

#include "binding/verb.h"
#include "binding/verbs.h"
#include "ops/same_file.h"
#include "sys/directory.h"

namespace dfd {

namespace {

// Three arguments: mount id (or device), inode, birth time in nanoseconds.
SeenFile parse_seen(Arguments& arguments) {
  SeenFile seen;
  seen.identity.mount = static_cast<uint64_t>(arguments.integer());
  seen.identity.ino = static_cast<uint64_t>(arguments.integer());
  seen.birth = arguments.integer();
  return seen;
}

// requireSameFile(handle, seen…)
struct RequireSameFile {
  Handle file;
  SeenFile seen;

  void parse(Arguments& arguments) {
    file = arguments.handle();
    seen = parse_seen(arguments);
  }
  Status run() noexcept { return require_same_file(file.fd->get(), seen); }
  Napi::Value value(Napi::Env env) { return env.Undefined(); }
};

// readlinkOf(handle, path, follow links on the way, seen…) → Buffer
struct ReadlinkOf {
  Handle root;
  std::string path;
  SeenFile seen;
  std::string target;

  void parse(Arguments& arguments) {
    root = arguments.handle();
    path = arguments.path();
    if (arguments.boolean() && root.policy.scope == Scope::kNoSymlinks) root.policy.scope = Scope::kBeneath;
    seen = parse_seen(arguments);
  }

  Status run() noexcept {
    auto link = resolve_path(root.fd->get(), path, root.policy, FinalLink::kKeep);
    if (!link) return link.error().about(Subject::kPath);
    if (auto same = require_same_file(link->get(), seen); !same) return same.error().about(Subject::kPath);
    // The empty name is the link that the descriptor itself holds (readlinkat(2), Linux 2.6.39).
    auto read = sys::readlinkat(link->get(), "");
    if (!read) return read.error().about(Subject::kPath);
    target = *std::move(read);
    return success();
  }

  Napi::Value value(Napi::Env env) { return to_buffer(env, target); }
};

}  // namespace

void export_entries(Napi::Object exports) {
  export_verb<RequireSameFile>(exports, "requireSameFile");
  export_verb<ReadlinkOf>(exports, "readlinkOf");
}

}  // namespace dfd
