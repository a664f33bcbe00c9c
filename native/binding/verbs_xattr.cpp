// Extended attributes, of a name in a directory and of an open file.
#include <fcntl.h>

#include "binding/on_place.h"
#include "binding/verb.h"
#include "binding/verbs.h"
#include "ops/open_file.h"
#include "sys/xattr.h"

namespace dfd {

namespace {

// (handle, path, ...); an empty path stands for the open file itself, which no relative path can be.
struct OnXattrs {
  Handle root;
  std::string path;

  void parse_place(Arguments& arguments) {
    root = arguments.handle();
    path = arguments.path();
  }

  template <class ByFd, class ByName>
  Status act(ByFd&& by_fd, ByName&& by_name) {
    if (path.empty()) return by_fd(root.fd->get());
    auto place = resolve_parent(root.fd->get(), path, root.policy);
    if (!place) return place.error().about(Subject::kPath);
    Status status = at(*place, by_fd, by_name);
    if (!status) return status.error().about(Subject::kPath);
    return success();
  }

  template <class ByFd, class ByName>
  Status at(const Place& place, ByFd&& by_fd, ByName&& by_name) {
    if (auto asked = require_directory_if_asked(place, Call::kStatx); !asked) return asked;
    Status status = by_name(place.dir(), place.name());
    if (status || status.error().reason != Reason::kUnsupported) return status;
    // Neither *xattrat nor /proc: what may be opened still has its attributes.
    auto file = open_inode(place.dir(), place.name(), O_RDONLY);
    if (!file) return file.error();
    return by_fd(file->get());
  }

  Napi::Value value(Napi::Env env) { return env.Undefined(); }
};

struct ReadsXattrs : OnXattrs {
  std::string bytes;
  Status keep(Result<std::string> got) {
    if (!got) return got.error();
    bytes = *std::move(got);
    return success();
  }
  Napi::Value value(Napi::Env env) { return to_buffer(env, bytes); }
};

// getxattr(handle, path, attribute) → Buffer
struct GetXattr : ReadsXattrs {
  std::string attribute;
  void parse(Arguments& arguments) {
    parse_place(arguments);
    attribute = arguments.path();
  }
  Status run() noexcept {
    return act([&](Dirfd fd) { return keep(sys::fgetxattr(fd, attribute.c_str())); },
               [&](Dirfd dir, const char* name) { return keep(sys::getxattrat(dir, name, attribute.c_str())); });
  }
};

// listxattr(handle, path) → Buffer of names, each ended by NUL
struct ListXattr : ReadsXattrs {
  void parse(Arguments& arguments) { parse_place(arguments); }
  Status run() noexcept {
    return act([&](Dirfd fd) { return keep(sys::flistxattr(fd)); },
               [&](Dirfd dir, const char* name) { return keep(sys::listxattrat(dir, name)); });
  }
};

// setxattr(handle, path, attribute, value, flags: XATTR_CREATE or XATTR_REPLACE)
struct SetXattr : OnXattrs {
  std::string attribute;
  std::string content;
  int flags = 0;
  void parse(Arguments& arguments) {
    parse_place(arguments);
    attribute = arguments.path();
    content = arguments.bytes();
    flags = static_cast<int>(arguments.integer());
  }
  Status run() noexcept {
    return act(
        [&](Dirfd fd) { return sys::fsetxattr(fd, attribute.c_str(), content, flags); },
        [&](Dirfd dir, const char* name) { return sys::setxattrat(dir, name, attribute.c_str(), content, flags); });
  }
};

// removexattr(handle, path, attribute)
struct RemoveXattr : OnXattrs {
  std::string attribute;
  void parse(Arguments& arguments) {
    parse_place(arguments);
    attribute = arguments.path();
  }
  Status run() noexcept {
    return act([&](Dirfd fd) { return sys::fremovexattr(fd, attribute.c_str()); },
               [&](Dirfd dir, const char* name) { return sys::removexattrat(dir, name, attribute.c_str()); });
  }
};

}  // namespace

void export_xattrs(Napi::Object exports) {
  export_verb<GetXattr>(exports, "getxattr");
  export_verb<ListXattr>(exports, "listxattr");
  export_verb<SetXattr>(exports, "setxattr");
  export_verb<RemoveXattr>(exports, "removexattr");
}

}  // namespace dfd
