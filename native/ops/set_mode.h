// chmod of one name that is never followed, on every kernel.
#pragma once

#include <sys/types.h>

#include "sys/fd.h"

namespace dfd {

// fchmodat2 (Linux 6.6); else O_PATH and chmod through /proc/self/fd; else, without /proc, open and fchmod, which a
// file that may not be read cannot have. A symlink: EOPNOTSUPP, Linux gives them no mode.
Status set_mode(Dirfd dir, const char* name, mode_t mode);

// The same for a name in a directory that nobody else can enter: where set_mode cannot, as for FIFOs, sockets and devices
// without fchmodat2 and /proc, fchmodat(2). It would follow a symlink; here nobody can put one between look and change.
Status set_mode_in_private(Dirfd dir, const char* name, mode_t mode);

}  // namespace dfd
