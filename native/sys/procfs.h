// /proc/self/fd, used only after it has been shown to be procfs: a container may lack it, and an attacker with mount
// rights may have put something else there (THREATS: "mount over /proc").
#pragma once

#include <string>

#include "sys/fd.h"

namespace dfd::sys {

// A descriptor of this process's /proc/self/fd, opened and checked once; -1 where there is none that can be trusted.
Dirfd proc_self_fd();

// "/proc/self/fd/<dir>/<name>": the form that the path-only xattr calls need. Empty where /proc cannot be used.
std::string proc_path(Dirfd dir, const char* name);

}  // namespace dfd::sys
