#include "sys/thread.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "sys/probe.h"

namespace dfd::sys {

Status unshare_umask() {
  if (disabled(Feature::kUmaskThread)) return failure(Call::kUnshare, EPERM, CLONE_FS);
  if (::unshare(CLONE_FS) != 0) return failure(Call::kUnshare, errno, CLONE_FS);
  ::umask(0);
  return success();
}

size_t fd_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 1 << 20;
  return limit.rlim_cur;
}

}  // namespace dfd::sys
