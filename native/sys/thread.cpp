#include "sys/thread.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/probe.h"

namespace dfd::sys {

namespace {

thread_local bool owns_current_directory = false;

}  // namespace

Status unshare_umask() {
  if (disabled(Feature::kUmaskThread)) return failure(Call::kUnshare, EPERM, CLONE_FS);
  if (::unshare(CLONE_FS) != 0) return failure(Call::kUnshare, errno, CLONE_FS);
  ::umask(0);
  owns_current_directory = true;
  return success();
}

CurrentDirectory::CurrentDirectory(Dirfd dir)
    : status_(!owns_current_directory ? failure_because(Reason::kUnsupported, Call::kFchdir, EOPNOTSUPP)
              : ::fchdir(dir) != 0    ? failure(Call::kFchdir, errno)
                                      : success()) {}

CurrentDirectory::~CurrentDirectory() {
  if (!status_) return;
  [[maybe_unused]] int ignored = ::chdir("/");  // fails only where even the root may not be entered
}

ThreadUsage thread_usage() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  auto span = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return {.processor = span(usage.ru_utime) + span(usage.ru_stime),
          .waits = usage.ru_nvcsw,
          .preemptions = usage.ru_nivcsw};
}

size_t fd_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 1 << 20;
  return limit.rlim_cur;
}

}  // namespace dfd::sys
