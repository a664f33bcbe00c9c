// The directories of a very deep tree that were used last. From one of them its subdirectories are opened by a single name; from the root it
// would be the whole path for each, the square of the depth in all.
//
// Only for paths that are long: a directory that is held may be moved while it is, and a shallow one is cheap to find anew.
#pragma once

#include <algorithm>
#include <array>
#include <mutex>

#include "ops/tree_path.h"
#include "sys/fd.h"

namespace dfd {

class RecentDirectories {
 public:
  // Null where it is none of the last few.
  SharedFd find(const TreePath& path) {
    std::lock_guard lock(mutex_);
    for (size_t i = 0; i < known_.size(); i++) {
      if (!known_[i].fd || known_[i].path != path) continue;
      // In front: a directory with many subdirectories is not pushed out by them.
      std::rotate(known_.begin(), known_.begin() + i, known_.begin() + i + 1);
      return known_.front().fd;
    }
    return nullptr;
  }

  void keep(TreePath path, SharedFd fd) {
    std::lock_guard lock(mutex_);
    std::rotate(known_.begin(), known_.end() - 1, known_.end());
    known_.front() = {std::move(path), std::move(fd)};
  }

  void clear() {
    std::lock_guard lock(mutex_);
    known_ = {};
  }

 private:
  struct Known {
    TreePath path;
    SharedFd fd;
  };
  std::mutex mutex_;
  // Few: they are held beside the descriptors that every thread needs. Enough for a directory to stay while its own ones come and go.
  std::array<Known, 8> known_;
};

}  // namespace dfd
