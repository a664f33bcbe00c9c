// Verbs on the directories that a copy is between, and on those that it works in: whose they are, where they lie.
#include <memory>
#include <optional>
#include <string>

#include "binding/verb.h"
#include "binding/verbs.h"
#include "ops/root_check.h"
#include "ops/served.h"
#include "ops/staging.h"
#include "sys/lock.h"

namespace dfd {

namespace {

// lockDirectory(handle): as whoever works in a staging directory does; EWOULDBLOCK where somebody else does.
struct LockDirectory {
  Handle directory;

  void parse(Arguments& arguments) { directory = arguments.handle(); }
  Status run() noexcept { return sys::try_flock(directory.fd->get()); }
  Napi::Value value(Napi::Env env) { return env.Undefined(); }
};

// removeAbandoned(parent handle, name, job, spared handle) → whether a staging directory was there that nobody works in; it is gone then
struct RemoveAbandoned {
  Handle parent;
  std::string name;
  std::shared_ptr<Job> job;
  std::optional<Node> spared;
  bool removed = false;

  void parse(Arguments& arguments) {
    parent = arguments.handle();
    name = arguments.path();
    job = arguments.job();
    Handle kept = arguments.handle();
    if (!kept.fd) return;
    if (auto node = node_of(kept.fd->get())) spared = *node;
  }
  Status run(const WorkerContext& context) noexcept {
    auto answer = remove_abandoned(parent.fd->get(), name.c_str(), spared, Stop(job->cancel, context.cancel));
    if (!answer) return answer.error().about(Subject::kSecondPath);
    removed = *answer;
    return success();
  }
  Napi::Value value(Napi::Env env) { return Napi::Boolean::New(env, removed); }
};

// isInside(inner handle, outer handle) → whether the first directory is the second or lies below it
struct Inside {
  Handle inner;
  Handle outer;
  bool inside = false;

  void parse(Arguments& arguments) {
    inner = arguments.handle();
    outer = arguments.handle();
  }
  Status run() noexcept {
    auto answer = is_inside(inner.fd->get(), outer.fd->get());
    if (!answer) return answer.error();
    inside = *answer;
    return success();
  }
  Napi::Value value(Napi::Env env) { return Napi::Boolean::New(env, inside); }
};

// isServed(handle) → whether a server, or another process, is behind the file system
struct Served {
  Handle handle;
  bool served = false;

  void parse(Arguments& arguments) { handle = arguments.handle(); }
  Status run() noexcept {
    served = is_served(handle.fd->get());
    return success();
  }
  Napi::Value value(Napi::Env env) { return Napi::Boolean::New(env, served); }
};

}  // namespace

void export_copy_places(Napi::Object exports) {
  export_verb<LockDirectory>(exports, "lockDirectory");
  export_pooled_verb<RemoveAbandoned>(exports, "removeAbandoned");
  export_verb<Inside>(exports, "isInside");
  export_verb<Served>(exports, "isServed");
}

}  // namespace dfd
