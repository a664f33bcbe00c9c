#include "sys/open.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

#include "sys/probe.h"
#include "sys/procfs.h"
#include "sys/retry.h"

namespace dfd {

Status UniqueFd::close() {
  int fd = std::exchange(fd_, -1);
  if (fd < 0) return success();
  if (::close(fd) == 0 || errno == EINTR) return success();
  return failure(Call::kClose, errno);
}

namespace sys {

namespace {
constexpr int kFollowing = kOneName & ~O_NOFOLLOW;

Result<UniqueFd> open_following(Dirfd dir, const char* path, int flags) {
  int fd = retry([&] { return ::openat(dir, path, flags); });
  if (fd < 0) return failure(Call::kOpenat, errno, flags);
  return UniqueFd(fd);
}

}  // namespace

Result<UniqueFd> openat(Dirfd dir, const char* name, int flags, mode_t mode) {
  flags |= kOneName;
  int fd = retry([&] { return ::openat(dir, name, flags, mode); });
  if (fd < 0) return failure(Call::kOpenat, errno, flags);
  return UniqueFd(fd);
}

Result<UniqueFd> openat2(Dirfd dir, const char* path, int flags, uint64_t resolve, bool follow, mode_t mode) {
  flags |= O_CLOEXEC | (follow ? 0 : O_NOFOLLOW);
  // openat2 refuses, with EINVAL, what openat ignores: O_NOCTTY beside O_PATH, and a mode without O_CREAT or O_TMPFILE.
  if (!(flags & O_PATH)) flags |= O_NOCTTY;
  open_how how{};
  how.flags = static_cast<uint64_t>(flags);
  how.mode = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? mode : 0;
  how.resolve = resolve | RESOLVE_NO_MAGICLINKS;
  if (disabled(Feature::kOpenat2)) return failure(Call::kOpenat2, ENOSYS, flags);
  int fd = static_cast<int>(retry([&] { return ::syscall(SYS_openat2, dir, path, &how, sizeof how); }));
  if (fd < 0) return failure(Call::kOpenat2, errno, flags);
  return UniqueFd(fd);
}

Result<UniqueFd> open_root(const char* path, int flags) { return open_following(AT_FDCWD, path, flags | kFollowing); }

Result<UniqueFd> open_beyond(Dirfd dir, const char* path) { return open_following(dir, path, O_PATH | O_CLOEXEC); }

Result<UniqueFd> reopen(Dirfd fd, int flags) {
  Dirfd table = proc_self_fd();
  if (table < 0) return failure(Call::kOpenat, ENOENT, flags);
  char number[16];
  std::snprintf(number, sizeof number, "%d", fd);
  // The entry is a magic link to the very file that `fd` holds, so following it here resolves no name.
  return open_following(table, number, flags | kFollowing);
}

}  // namespace sys
}  // namespace dfd
