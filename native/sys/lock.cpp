#include "sys/lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include "sys/retry.h"

namespace dfd::sys {

namespace {

struct flock describe(LockKind kind, LockRange range) {
  struct flock wanted {};
  wanted.l_type = kind == LockKind::kShared ? F_RDLCK : kind == LockKind::kExclusive ? F_WRLCK : F_UNLCK;
  wanted.l_whence = SEEK_SET;
  wanted.l_start = range.start;
  wanted.l_len = range.length;
  wanted.l_pid = 0;  // anything else is EINVAL for OFD locks
  return wanted;
}

Status set_lock(Dirfd fd, int command, LockKind kind, LockRange range) {
  struct flock wanted = describe(kind, range);
  if (::fcntl(fd, command, &wanted) == 0) return success();
  // POSIX lets a kernel answer EACCES for "held by another"; callers know one word for it.
  return failure(Call::kFcntl, errno == EACCES ? EAGAIN : errno, command);
}

}  // namespace

Status try_lock(Dirfd fd, LockKind kind, LockRange range) { return set_lock(fd, F_OFD_SETLK, kind, range); }
Result<LockKind> find_lock(Dirfd fd, LockKind kind, LockRange range) {
  struct flock found = describe(kind, range);
  if (::fcntl(fd, F_OFD_GETLK, &found) != 0) return failure(Call::kFcntl, errno, F_OFD_GETLK);
  if (found.l_type == F_UNLCK) return LockKind::kNone;
  return found.l_type == F_RDLCK ? LockKind::kShared : LockKind::kExclusive;
}
Status wait_lock(Dirfd fd, LockKind kind, LockRange range) { return set_lock(fd, F_OFD_SETLKW, kind, range); }

Status try_flock(Dirfd fd) {
  if (retry([&] { return ::flock(fd, LOCK_EX | LOCK_NB); }) == 0) return success();
  return failure(Call::kFlock, errno, LOCK_EX);
}

}  // namespace dfd::sys
