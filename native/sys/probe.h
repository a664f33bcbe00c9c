// What this kernel and this container allow. Only permanent refusals are remembered: ENOSYS, and the EPERM of a seccomp
// filter, which no process can take off again. What a file system refuses (EXDEV, EOPNOTSUPP, EINVAL) is asked again
// each time or remembered by whoever knows the file system.
#pragma once

#include <cstdint>

namespace dfd::sys {

enum class Feature : uint8_t {
  kOpenat2,
  kProc,
  kFchmodat2,
  kXattrat,
  kCopyFileRange,
  kFiclone,
  kUmaskThread,
  kTmpfile,
  kIoUring,
  kCount,
};

// Names as in DIRFD_DISABLE, a comma-separated list in the environment that forces fallbacks, for tests. Every fallback
// is as safe as what it replaces, so the variable is no way around anything.
const char* feature_name(Feature feature);

// True where DIRFD_DISABLE names the feature, or remember_refused() was told of it.
bool disabled(Feature feature);

// Called when the kernel has answered that it will never do this.
void remember_refused(Feature feature);

// Asks the kernel once, at little cost, without touching any user file.
bool available(Feature feature);

}  // namespace dfd::sys
