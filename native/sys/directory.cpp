#include "sys/directory.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/procfs.h"
#include "sys/retry.h"

namespace dfd::sys {

Result<size_t> getdents64(Dirfd dir, std::span<std::byte> buffer) {
  long got = retry([&] { return ::syscall(SYS_getdents64, dir, buffer.data(), buffer.size()); });
  if (got < 0) return failure(Call::kGetdents64, errno);
  return static_cast<size_t>(got);
}

Status mkdirat(Dirfd dir, const char* name, mode_t mode) {
  if (::mkdirat(dir, name, mode) == 0) return success();
  return failure(Call::kMkdirat, errno, static_cast<int>(mode));
}

Status mknodat(Dirfd dir, const char* name, mode_t mode, dev_t device) {
  if (::mknodat(dir, name, mode, device) == 0) return success();
  return failure(Call::kMknodat, errno, static_cast<int>(mode));
}

Status symlinkat(const char* target, Dirfd dir, const char* name) {
  if (::symlinkat(target, dir, name) == 0) return success();
  return failure(Call::kSymlinkat, errno);
}

Result<std::string> readlinkat(Dirfd dir, const char* name) {
  std::string target(256, '\0');
  for (;;) {
    ssize_t length = ::readlinkat(dir, name, target.data(), target.size());
    if (length < 0) return failure(Call::kReadlinkat, errno);
    // readlink truncates in silence: only an answer shorter than the buffer is known to be whole.
    if (static_cast<size_t>(length) < target.size()) {
      target.resize(static_cast<size_t>(length));
      return target;
    }
    target.resize(target.size() * 4);
  }
}

Status unlinkat(Dirfd dir, const char* name, int flags) {
  if (::unlinkat(dir, name, flags) == 0) return success();
  return failure(Call::kUnlinkat, errno, flags);
}

Status linkat(Dirfd old_dir, const char* old_name, Dirfd new_dir, const char* new_name) {
  if (::linkat(old_dir, old_name, new_dir, new_name, 0) == 0) return success();
  return failure(Call::kLinkat, errno);
}

Status link_fd(Dirfd file, Dirfd new_dir, const char* new_name) {
  if (::linkat(file, "", new_dir, new_name, AT_EMPTY_PATH) == 0) return success();
  // Without the privilege the kernel answers ENOENT, as if AT_EMPTY_PATH were unknown.
  if (errno != ENOENT) return failure(Call::kLinkat, errno, AT_EMPTY_PATH);
  Dirfd table = proc_self_fd();
  if (table < 0) return failure(Call::kLinkat, ENOENT, AT_EMPTY_PATH);
  char number[16];
  ::snprintf(number, sizeof number, "%d", file);
  if (::linkat(table, number, new_dir, new_name, AT_SYMLINK_FOLLOW) == 0) return success();
  return failure(Call::kLinkat, errno, AT_SYMLINK_FOLLOW);
}

Status renameat2(Dirfd old_dir, const char* old_name, Dirfd new_dir, const char* new_name, unsigned flags) {
  if (::renameat2(old_dir, old_name, new_dir, new_name, flags) == 0) return success();
  return failure(Call::kRenameat2, errno, static_cast<int>(flags));
}

}  // namespace dfd::sys
