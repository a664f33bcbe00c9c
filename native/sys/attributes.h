// Mode, owner, times and inode flags: by descriptor where there is one, else by one name that is never followed.
#pragma once

#include <linux/fs.h>
#include <sys/types.h>
#include <time.h>

#include "sys/fd.h"

namespace dfd::sys {

Status fchmod(Dirfd fd, mode_t mode);

// fchmodat2(2) with AT_SYMLINK_NOFOLLOW (Linux 6.6). A symlink has no mode to change: EOPNOTSUPP. Older kernels: ENOSYS
// here, and ops/set_mode finds the way through an O_PATH descriptor.
Status fchmodat2(Dirfd dir, const char* name, mode_t mode);

// fchmodat(2) as every kernel has it: it follows a symlink, so the caller must be alone with the name.
Status fchmodat_following(Dirfd dir, const char* name, mode_t mode);

// chmod of the file behind an O_PATH descriptor, through /proc/self/fd: fchmod(2) refuses O_PATH.
Status chmod_via_proc(Dirfd fd, mode_t mode);

inline constexpr uid_t kKeepOwner = static_cast<uid_t>(-1);
Status fchown(Dirfd fd, uid_t uid, gid_t gid);
Status fchownat(Dirfd dir, const char* name, uid_t uid, gid_t gid);

// times[0] is access, times[1] modification; tv_nsec may be UTIME_NOW or UTIME_OMIT (utimensat(2)).
Status futimens(Dirfd fd, const timespec times[2]);
Status utimensat(Dirfd dir, const char* name, const timespec times[2]);

// FS_IOC_GETFLAGS and FS_IOC_SETFLAGS: immutable, append-only, nodump and the like (ioctl_iflags(2)).
Result<uint32_t> getflags(Dirfd fd);
Status setflags(Dirfd fd, uint32_t flags);

// FS_IOC_FSGETXATTR and FS_IOC_FSSETXATTR: extended flags and the project id.
Result<fsxattr> fsgetxattr(Dirfd fd);
Status fssetxattr(Dirfd fd, const fsxattr& attributes);

}  // namespace dfd::sys
