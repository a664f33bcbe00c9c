// What pairs of directories have in common, copied or compared: opened by path, proved by identity, listed, with a buffer a thread.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "ops/dirents.h"
#include "ops/recent_directories.h"
#include "ops/record.h"
#include "ops/tree_path.h"
#include "sys/directory.h"
#include "sys/fd.h"
#include "sys/stat.h"

namespace dfd {

// A directory below a root, never through a symlink, proved to be the one expected. The zero identity expects nothing. EXDEV where a
// mount lies between and the root's handle may not cross any.
Result<UniqueFd> open_expected(const SharedFd& root, bool cross_mounts, const TreePath& path,
                               const sys::Identity& expected, Subject subject, StatRecord& stat);

// The same with the help of those that were opened before it, and for those that come after.
Result<SharedFd> open_expected(const SharedFd& root, bool cross_mounts, const TreePath& path,
                               const sys::Identity& expected, Subject subject, StatRecord& stat,
                               RecentDirectories& recent);

// Each name of a directory, in the file system's order.
template <class Visit>
Status for_each_name(Dirfd directory, Visit&& visit) {
  alignas(8) std::array<std::byte, 32 * 1024> buffer;
  for (;;) {
    auto got = sys::getdents64(directory, buffer);
    if (!got) return got.error();
    if (*got == 0) return success();
    if (!for_each_dirent(std::span(buffer).first(*got), visit)) return failure(Call::kGetdents64, EIO);
  }
}

// One buffer a thread for as long as it lives: tasks are short, and ask for it once per directory.
std::span<std::byte> thread_buffer();

}  // namespace dfd
