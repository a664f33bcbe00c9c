// Open-file-description locks (fcntl(2), F_OFD_*): owned by the descriptor, not by the process, so they survive the
// close of another descriptor of the same file, work between threads, and are released by the kernel when the last copy
// of the descriptor goes.
#pragma once

#include <cstdint>

#include "sys/fd.h"

namespace dfd::sys {

enum class LockKind : uint8_t { kShared, kExclusive, kNone };

// A byte range; length 0 reaches to the end of the file, however far it grows.
struct LockRange {
  int64_t start = 0;
  int64_t length = 0;
};

// Without waiting: EAGAIN where another description holds a lock in the way. kNone unlocks.
Status try_lock(Dirfd fd, LockKind kind, LockRange range);

// The lock that is in the way of this one, by what other descriptions hold; kNone where it is free (F_OFD_GETLK).
Result<LockKind> find_lock(Dirfd fd, LockKind kind, LockRange range);

// Waits in the kernel; for threads of dirfd's own, never for libuv's pool. EINTR comes through, so that a waiter can be
// woken.
Status wait_lock(Dirfd fd, LockKind kind, LockRange range);

// flock(2), which unlike the above is open to directories: exclusive, without waiting, until the last copy of the descriptor is closed.
// EWOULDBLOCK: held by another. A file system that makes byte-range locks of it (NFS) refuses a directory: EBADF.
Status try_flock(Dirfd fd);

}  // namespace dfd::sys
