// What a worker thread changes about itself.
#pragma once

#include <chrono>

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

// What the calling thread has done so far (getrusage(2), RUSAGE_THREAD).
struct ThreadUsage {
  std::chrono::nanoseconds processor{};  // on a processor, in the kernel included
  int64_t waits = 0;                     // times it gave the processor up because it had to wait
  int64_t preemptions = 0;               // times the processor was taken from it
};
ThreadUsage thread_usage();

// The soft limit on open descriptors, RLIMIT_NOFILE.
size_t fd_limit();

}  // namespace dfd::sys
