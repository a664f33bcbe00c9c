#include "sys/xattr.h"

#include <fcntl.h>
#include <linux/xattr.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sys/numbers.h"
#include "sys/probe.h"
#include "sys/procfs.h"
#include "sys/thread.h"

namespace dfd::sys {

namespace {

// struct xattr_args of linux/xattr.h (6.13), for headers that are older.
struct XattrArguments {
  alignas(8) uint64_t value;
  uint32_t size;
  uint32_t flags;
};

// `ask(buffer, size)` answers like getxattr(2): the length, or -1 with ERANGE where the buffer is too small. The first
// try is with a buffer that holds nearly every value, so that the common case is one call.
template <class Ask>
Result<std::string> read_growing(Call call, Ask&& ask) {
  std::string bytes(512, '\0');
  for (;;) {
    ssize_t length = ask(bytes.data(), bytes.size());
    if (length >= 0) {
      bytes.resize(static_cast<size_t>(length));
      return bytes;
    }
    if (errno != ERANGE || bytes.size() > XATTR_SIZE_MAX) return failure(call, errno);
    bytes.resize(bytes.size() * 16);
  }
}

// Chooses between the *at call, the path through /proc, and the name in the thread's own current directory. `at` is tried
// unless the kernel is known not to have it.
template <class At, class ByPath>
auto at_or_by_path(Dirfd dir, const char* name, Call call, At&& at, ByPath&& by_path) -> decltype(at()) {
  if (!disabled(Feature::kXattrat)) {
    auto result = at();
    if (result.err() != ENOSYS) return result;
    remember_refused(Feature::kXattrat);
  }
  std::string path = proc_path(dir, name);
  if (!path.empty()) return by_path(path.c_str());
  CurrentDirectory here(dir);
  if (!here.status()) return failure_because(here.status().error().reason, call, here.status().err());
  return by_path(name);
}

Status answer(long result, Call call) {
  if (result == 0) return success();
  return failure(call, errno);
}

}  // namespace

Result<std::string> fgetxattr(Dirfd fd, const char* attribute) {
  return read_growing(Call::kGetxattr, [&](char* to, size_t size) { return ::fgetxattr(fd, attribute, to, size); });
}

Status fsetxattr(Dirfd fd, const char* attribute, std::string_view value, int flags) {
  return answer(::fsetxattr(fd, attribute, value.data(), value.size(), flags), Call::kSetxattr);
}

Status fremovexattr(Dirfd fd, const char* attribute) {
  return answer(::fremovexattr(fd, attribute), Call::kRemovexattr);
}

Result<std::string> flistxattr(Dirfd fd) {
  return read_growing(Call::kListxattr, [&](char* to, size_t size) { return ::flistxattr(fd, to, size); });
}

Result<std::string> getxattrat(Dirfd dir, const char* name, const char* attribute) {
  auto at = [&] {
    return read_growing(Call::kGetxattr, [&](char* to, size_t size) -> ssize_t {
      XattrArguments arguments{
          .value = reinterpret_cast<uintptr_t>(to), .size = static_cast<uint32_t>(size), .flags = 0};
      return ::syscall(kSysGetxattrat, dir, name, AT_SYMLINK_NOFOLLOW, attribute, &arguments, sizeof arguments);
    });
  };
  return at_or_by_path(dir, name, Call::kGetxattr, at, [&](const char* path) {
    return read_growing(Call::kGetxattr, [&](char* to, size_t size) { return ::lgetxattr(path, attribute, to, size); });
  });
}

Status setxattrat(Dirfd dir, const char* name, const char* attribute, std::string_view value, int flags) {
  auto at = [&] {
    XattrArguments arguments{.value = reinterpret_cast<uintptr_t>(value.data()),
                             .size = static_cast<uint32_t>(value.size()),
                             .flags = static_cast<uint32_t>(flags)};
    long result = ::syscall(kSysSetxattrat, dir, name, AT_SYMLINK_NOFOLLOW, attribute, &arguments, sizeof arguments);
    return answer(result, Call::kSetxattr);
  };
  return at_or_by_path(dir, name, Call::kSetxattr, at, [&](const char* path) {
    return answer(::lsetxattr(path, attribute, value.data(), value.size(), flags), Call::kSetxattr);
  });
}

Status removexattrat(Dirfd dir, const char* name, const char* attribute) {
  auto at = [&] {
    return answer(::syscall(kSysRemovexattrat, dir, name, AT_SYMLINK_NOFOLLOW, attribute), Call::kRemovexattr);
  };
  return at_or_by_path(dir, name, Call::kRemovexattr, at,
                       [&](const char* path) { return answer(::lremovexattr(path, attribute), Call::kRemovexattr); });
}

Result<std::string> listxattrat(Dirfd dir, const char* name) {
  auto at = [&] {
    return read_growing(Call::kListxattr, [&](char* to, size_t size) -> ssize_t {
      return ::syscall(kSysListxattrat, dir, name, AT_SYMLINK_NOFOLLOW, to, size);
    });
  };
  return at_or_by_path(dir, name, Call::kListxattr, at, [&](const char* path) {
    return read_growing(Call::kListxattr, [&](char* to, size_t size) { return ::llistxattr(path, to, size); });
  });
}

}  // namespace dfd::sys
