// statx(2), and nothing else: dirfd has one idea of what a file is.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "sys/fd.h"

namespace dfd::sys {

// All that struct statx holds: basic fields, birth time, mount id.
inline constexpr unsigned kStatMask = STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID;

// How a name is looked at, by a thread or a ring: itself, never through a symlink, and no automount is triggered.
inline constexpr int kStatFlags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_SYNC_AS_STAT;

// The file behind a name, never through a symlink and never triggering an automount.
Result<struct statx> statx(Dirfd dir, const char* name);

// The file behind a descriptor, O_PATH ones included.
Result<struct statx> fstatx(Dirfd fd);

// fstat(2): a third of statx's price where mount id and birth time are not needed.
Result<struct stat> fstat(Dirfd fd);

// What makes a file that file, for as long as it lives. The mount id tells bind mounts of one file system apart, which
// st_dev cannot; the device stands in where the kernel gives no mount id (before 5.8).
struct Identity {
  uint64_t mount = 0;
  uint64_t ino = 0;
  bool operator==(const Identity&) const = default;
};
Identity identity(const struct statx& stx);

// When the file was made, in nanoseconds since 1970; 0 where the file system does not tell.
int64_t birth(const struct statx& stx);

// Without asking a server: what kind of file it is does not change.
bool is_regular(Dirfd fd);

Result<struct statfs> fstatfs(Dirfd fd);

// faccessat2(2) with AT_SYMLINK_NOFOLLOW and the effective ids: may this process read, write, execute?
Status access(Dirfd dir, const char* name, int mode);

}  // namespace dfd::sys
