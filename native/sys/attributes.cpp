#include "sys/attributes.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

#include "sys/numbers.h"
#include "sys/probe.h"
#include "sys/procfs.h"

namespace dfd::sys {

namespace {

Status answer(int result, Call call, int flags = 0) {
  if (result == 0) return success();
  return failure(call, errno, flags);
}

}  // namespace

Status fchmod(Dirfd fd, mode_t mode) { return answer(::fchmod(fd, mode), Call::kFchmod, static_cast<int>(mode)); }

Status fchmodat2(Dirfd dir, const char* name, mode_t mode) {
  if (disabled(Feature::kFchmodat2)) return failure(Call::kFchmodat2, ENOSYS, static_cast<int>(mode));
  long result = ::syscall(kSysFchmodat2, dir, name, mode, AT_SYMLINK_NOFOLLOW);
  if (result == 0) return success();
  if (errno == ENOSYS) remember_refused(Feature::kFchmodat2);
  return failure(Call::kFchmodat2, errno, static_cast<int>(mode));
}

Status fchmodat_following(Dirfd dir, const char* name, mode_t mode) {
  return answer(::fchmodat(dir, name, mode, 0), Call::kFchmodat2, static_cast<int>(mode));
}

Status chmod_via_proc(Dirfd fd, mode_t mode) {
  Dirfd table = proc_self_fd();
  if (table < 0) return failure_because(Reason::kUnsupported, Call::kFchmodat2, EOPNOTSUPP, static_cast<int>(mode));
  char number[16];
  std::snprintf(number, sizeof number, "%d", fd);
  return answer(::fchmodat(table, number, mode, 0), Call::kFchmodat2, static_cast<int>(mode));
}

Status fchown(Dirfd fd, uid_t uid, gid_t gid) {
  // fchownat with AT_EMPTY_PATH, because fchown(2) refuses O_PATH descriptors.
  return answer(::fchownat(fd, "", uid, gid, AT_EMPTY_PATH), Call::kFchownat);
}

Status fchownat(Dirfd dir, const char* name, uid_t uid, gid_t gid) {
  return answer(::fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW), Call::kFchownat);
}

Status futimens(Dirfd fd, const timespec times[2]) { return answer(::futimens(fd, times), Call::kUtimensat); }

Status utimensat(Dirfd dir, const char* name, const timespec times[2]) {
  return answer(::utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW), Call::kUtimensat);
}

Result<uint32_t> getflags(Dirfd fd) {
  // The request is declared with long, yet the kernel reads and writes an int (ioctl_iflags(2)).
  unsigned flags = 0;
  if (::ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0) return failure(Call::kGetflags, errno);
  return flags;
}

Status setflags(Dirfd fd, uint32_t flags) {
  unsigned wanted = flags;
  return answer(::ioctl(fd, FS_IOC_SETFLAGS, &wanted), Call::kSetflags, static_cast<int>(flags));
}

Result<fsxattr> fsgetxattr(Dirfd fd) {
  fsxattr attributes{};
  if (::ioctl(fd, FS_IOC_FSGETXATTR, &attributes) != 0) return failure(Call::kFsgetxattr, errno);
  return attributes;
}

Status fssetxattr(Dirfd fd, const fsxattr& attributes) {
  fsxattr wanted = attributes;
  return answer(::ioctl(fd, FS_IOC_FSSETXATTR, &wanted), Call::kFssetxattr);
}

}  // namespace dfd::sys
