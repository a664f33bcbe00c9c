// Opening a regular file for its data, without ever blocking on a FIFO, triggering a device, or truncating something
// that turns out to be another file.
#pragma once

#include <sys/types.h>

#include <string_view>

#include "ops/resolve.h"

namespace dfd {

struct OpenFile {
  int flags = 0;  // open(2): access mode, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_SYNC, O_DSYNC, O_NOATIME, O_DIRECT
  mode_t mode = 0666;
  FinalLink final_link = FinalLink::kKeep;
};

// Errors beyond open(2)'s: ELOOP for a symlink that is not to be followed, EISDIR for a directory, ENXIO with
// Reason::kNotRegular for FIFOs, sockets and devices.
Result<UniqueFd> open_file(Dirfd root, std::string_view path, Policy policy, const OpenFile& how);

// A descriptor of a regular file or directory for calls that refuse O_PATH: ioctls, f*xattr, fchmod. Anything else is
// not opened: Reason::kUnsupported.
Result<UniqueFd> open_inode(Dirfd dir, const char* name, int flags);

}  // namespace dfd
