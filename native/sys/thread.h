// What a worker thread changes about itself.
#pragma once

#include "sys/fd.h"

namespace dfd::sys {

// Gives the calling thread a umask of its own, 0, and a current directory of its own, by unshare(CLONE_FS): then files
// can be created with their final mode in one call, while the rest of the process keeps its umask. Containers may forbid
// it; the caller then widens with fchmod.
Status unshare_umask();

// Makes `dir` the calling thread's current directory, for calls that take a path and no descriptor. Afterwards "/" is:
// a thread that stayed in a tree would keep its file system from being unmounted.
class CurrentDirectory {
 public:
  explicit CurrentDirectory(Dirfd dir);
  ~CurrentDirectory();
  CurrentDirectory(const CurrentDirectory&) = delete;
  CurrentDirectory& operator=(const CurrentDirectory&) = delete;

  // EOPNOTSUPP, Reason::kUnsupported, on a thread that shares its current directory with the process.
  Status status() const { return status_; }

 private:
  Status status_;
};

// The soft limit on open descriptors, RLIMIT_NOFILE.
size_t fd_limit();

}  // namespace dfd::sys
