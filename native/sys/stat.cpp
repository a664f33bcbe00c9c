#include "sys/stat.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sys/retry.h"

namespace dfd::sys {

Result<struct statx> statx(Dirfd dir, const char* name) {
  struct statx stx;
  if (::statx(dir, name, kStatFlags, kStatMask, &stx) != 0) return failure(Call::kStatx, errno, kStatFlags);
  return stx;
}

Result<struct statx> fstatx(Dirfd fd) {
  struct statx stx;
  int flags = AT_EMPTY_PATH | AT_STATX_SYNC_AS_STAT;
  if (::statx(fd, "", flags, kStatMask, &stx) != 0) return failure(Call::kStatx, errno, flags);
  return stx;
}

Result<struct stat> fstat(Dirfd fd) {
  struct stat st;
  if (::fstat(fd, &st) != 0) return failure(Call::kStatx, errno);
  return st;
}

Identity identity(const struct statx& stx) {
  uint64_t mount =
      (stx.stx_mask & STATX_MNT_ID) ? stx.stx_mnt_id : gnu_dev_makedev(stx.stx_dev_major, stx.stx_dev_minor);
  return Identity{.mount = mount, .ino = stx.stx_ino};
}

int64_t birth(const struct statx& stx) {
  if (!(stx.stx_mask & STATX_BTIME)) return 0;
  return stx.stx_btime.tv_sec * int64_t{1'000'000'000} + stx.stx_btime.tv_nsec;
}

bool is_regular(Dirfd fd) {
  struct statx stx {};
  const int answer = retry([&] { return ::statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &stx); });
  return answer == 0 && S_ISREG(stx.stx_mode);
}

Result<struct statfs> fstatfs(Dirfd fd) {
  struct statfs fs;
  if (retry([&] { return ::fstatfs(fd, &fs); }) != 0) return failure(Call::kFstatfs, errno);
  return fs;
}

Status access(Dirfd dir, const char* name, int mode) {
  // glibc's faccessat falls back to a computed answer where faccessat2 (5.8) is missing.
  if (::faccessat(dir, name, mode, AT_EACCESS | AT_SYMLINK_NOFOLLOW) == 0) return success();
  return failure(Call::kFaccessat2, errno, mode);
}

}  // namespace dfd::sys
