// Handles come and go.
#include <fcntl.h>

#include "binding/verb.h"
#include "binding/verbs.h"
#include "ops/open_file.h"
#include "sys/open.h"

namespace dfd {

namespace {

// The verbs below end in a new handle with the policy of the one they came from.
struct Opening {
  Handle root;
  std::string path;
  UniqueFd opened;

  Status keep(Result<UniqueFd> fd) {
    if (!fd) return fd.error().about(Subject::kPath);
    opened = *std::move(fd);
    return success();
  }
  Napi::Value value(Napi::Env env) {
    return make_handle(env, Handle{.fd = share(std::move(opened)), .policy = root.policy});
  }
};

// openRoot(path, scope, crossMounts): the caller's own path, the only one that may hold symlinks.
struct OpenRoot : Opening {
  void parse(Arguments& arguments) {
    path = arguments.path();
    root.policy.scope = static_cast<Scope>(arguments.integer());
    root.policy.cross_mounts = arguments.boolean();
  }
  Status run() noexcept { return keep(sys::open_root(path.c_str(), O_RDONLY | O_DIRECTORY)); }
};

// openDirectory(handle, path, follow, scope, crossMounts)
struct OpenDirectory : Opening {
  Policy policy;
  FinalLink final_link = FinalLink::kKeep;

  void parse(Arguments& arguments) {
    root = arguments.handle();
    path = arguments.path();
    final_link = arguments.boolean() ? FinalLink::kFollow : FinalLink::kKeep;
    policy.scope = static_cast<Scope>(arguments.integer());
    policy.cross_mounts = arguments.boolean();
  }
  Status run() noexcept { return keep(resolve_directory(root.fd->get(), path, root.policy, final_link)); }
  Napi::Value value(Napi::Env env) {
    return make_handle(env, Handle{.fd = share(std::move(opened)), .policy = policy});
  }
};

// openBeyond(handle, path): what the path leads to, wherever that is, held but not opened for reading.
struct OpenBeyond : Opening {
  void parse(Arguments& arguments) {
    root = arguments.handle();
    path = arguments.path();
  }
  Status run() noexcept {
    auto fd = sys::open_beyond(root.fd->get(), path.c_str());
    // ELOOP elsewhere says that a symlink is in the way; here, that there is no end of them.
    if (fd.err() == ELOOP) return failure_because(Reason::kTooManyLinks, Call::kOpenat, ELOOP).about(Subject::kPath);
    return keep(std::move(fd));
  }
};

// openFile(handle, path, flags, mode, follow)
struct OpenFileVerb : Opening {
  OpenFile how;

  void parse(Arguments& arguments) {
    root = arguments.handle();
    path = arguments.path();
    how.flags = static_cast<int>(arguments.integer());
    how.mode = static_cast<mode_t>(arguments.integer());
    how.final_link = arguments.boolean() ? FinalLink::kFollow : FinalLink::kKeep;
  }
  Status run() noexcept { return keep(open_file(root.fd->get(), path, root.policy, how)); }
};

// openTemporary(handle, mode): a file without a name in this directory, or with a random one until it is closed.
struct OpenTemporary {
  Handle root;
  mode_t mode = 0600;
  TemporaryFile file;

  void parse(Arguments& arguments) {
    root = arguments.handle();
    mode = static_cast<mode_t>(arguments.integer());
  }
  Status run() noexcept {
    auto opened = open_temporary(root.fd, mode);
    if (!opened) return opened.error();
    file = *std::move(opened);
    return success();
  }
  Napi::Value value(Napi::Env env) {
    return make_handle(env, Handle{.fd = share(std::move(file.fd)), .policy = root.policy, .temporary = file.name});
  }
};

// close(handle): the object is empty from this moment; the number is freed when the last operation in flight has let
// go.
struct Close {
  Handle handle;

  void parse(Arguments& arguments) { handle = arguments.take_handle(); }
  Status run() noexcept {
    handle.temporary.reset();
    if (handle.fd.use_count() == 1) return handle.fd->close();
    return success();
  }
  Napi::Value value(Napi::Env env) { return env.Undefined(); }
};

Napi::Value fd_number(const Napi::CallbackInfo& info) {
  Handle* handle = handle_of(info[0]);
  return Napi::Number::New(info.Env(), handle && handle->fd ? handle->fd->get() : -1);
}

}  // namespace

void export_opening(Napi::Object exports) {
  export_verb<OpenRoot>(exports, "openRoot");
  export_verb<OpenDirectory>(exports, "openDirectory");
  export_verb<OpenBeyond>(exports, "openBeyond");
  export_verb<OpenFileVerb>(exports, "openFile");
  export_verb<OpenTemporary>(exports, "openTemporary");
  export_verb<Close>(exports, "close");
  exports.Set("fdNumber", Napi::Function::New(exports.Env(), &fd_number, "fdNumber"));
}

}  // namespace dfd
