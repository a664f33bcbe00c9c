// What a worker thread changes about itself.
#pragma once

#include "sys/fd.h"

namespace dfd::sys {

// Gives the calling thread a umask of its own, 0, by unshare(CLONE_FS): then files can be created with their final mode
// in one call, while the rest of the process keeps its umask. Containers may forbid it; the caller then widens with
// fchmod.
Status unshare_umask();

// The soft limit on open descriptors, RLIMIT_NOFILE.
size_t fd_limit();

}  // namespace dfd::sys
