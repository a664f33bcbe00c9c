#include "sys/procfs.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sys/probe.h"

namespace dfd::sys {

namespace {

Dirfd open_checked() {
  int fd = ::openat(AT_FDCWD, "/proc/self/fd", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  struct statfs fs {};
  if (::fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC) return fd;
  ::close(fd);
  return -1;
}

}  // namespace

Dirfd proc_self_fd() {
  // One descriptor for the life of the process: procfs is trusted as it was at the first use, whatever is mounted
  // later.
  if (disabled(Feature::kProc)) return -1;
  static const Dirfd table = open_checked();
  return table;
}

std::string proc_path(Dirfd dir, const char* name) {
  if (proc_self_fd() < 0) return {};
  return "/proc/self/fd/" + std::to_string(dir) + "/" + name;
}

}  // namespace dfd::sys
