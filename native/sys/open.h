// Opening. Every wrapper adds O_CLOEXEC, O_NOFOLLOW and O_NOCTTY, and takes one name: O_NOFOLLOW guards only the last
// component, so longer paths go through ops/resolve.
#pragma once

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/types.h>

#include "sys/fd.h"

namespace dfd::sys {

// How one name is opened, by a thread or a ring.
inline constexpr int kOneName = O_CLOEXEC | O_NOCTTY | O_NOFOLLOW;

// openat(2) of one component, never through a symlink.
Result<UniqueFd> openat(Dirfd dir, const char* name, int flags, mode_t mode = 0);

// openat2(2) of a relative path. `resolve` must hold RESOLVE_BENEATH or RESOLVE_IN_ROOT; RESOLVE_NO_MAGICLINKS is
// added. With `follow` a symlink in the last place is followed, within the same limits.
Result<UniqueFd> openat2(Dirfd dir, const char* path, int flags, uint64_t resolve, bool follow, mode_t mode = 0);

// The two that go wherever the kernel is led, through symlinks of every kind and out of any directory: the caller's own
// path, from the cwd (DirectoryFd.open), and what a symlink in a held directory leads to, for those who ask. The second
// gives an O_PATH descriptor: nothing is opened for reading, no FIFO waits, no device hears of it.
Result<UniqueFd> open_root(const char* path, int flags);
Result<UniqueFd> open_beyond(Dirfd dir, const char* path);

// The same file opened anew, with other flags, through /proc/self/fd: the way from O_PATH to a readable descriptor.
// Fails with ENOENT where /proc is absent, not procfs, or switched off; see sys/procfs.h.
Result<UniqueFd> reopen(Dirfd fd, int flags);

}  // namespace dfd::sys
