// Verbs on the very entry that a walk or a listing saw: what stands under its name now must have the same mount id and inode.
#include <fcntl.h>

#include "binding/verb.h"
#include "binding/verbs.h"
#include "sys/directory.h"
#include "sys/stat.h"

namespace dfd {

namespace {

// readlinkOf(handle, path, follow links on the way, mount id, inode) → Buffer
struct ReadlinkOf {
  Handle root;
  std::string path;
  sys::Identity expected;
  std::string target;

  void parse(Arguments& arguments) {
    root = arguments.handle();
    path = arguments.path();
    if (arguments.boolean() && root.policy.scope == Scope::kNoSymlinks) root.policy.scope = Scope::kBeneath;
    expected.mount = static_cast<uint64_t>(arguments.integer());
    expected.ino = static_cast<uint64_t>(arguments.integer());
  }

  Status run() noexcept {
    auto link = resolve_path(root.fd->get(), path, root.policy, FinalLink::kKeep);
    if (!link) return link.error().about(Subject::kPath);
    auto stx = sys::fstatx(link->get());
    if (!stx) return stx.error().about(Subject::kPath);
    if (sys::identity(*stx) != expected) {
      return failure_because(Reason::kChanged, Call::kReadlinkat, ESTALE).about(Subject::kPath);
    }
    // The empty name is the link that the descriptor itself holds (readlinkat(2), Linux 2.6.39).
    auto read = sys::readlinkat(link->get(), "");
    if (!read) return read.error().about(Subject::kPath);
    target = *std::move(read);
    return success();
  }

  Napi::Value value(Napi::Env env) { return to_buffer(env, target); }
};

}  // namespace

void export_entries(Napi::Object exports) { export_verb<ReadlinkOf>(exports, "readlinkOf"); }

}  // namespace dfd
