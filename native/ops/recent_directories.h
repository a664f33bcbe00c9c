// The directories of a very deep tree that were opened last. From one of them its subdirectories are opened by a single name; from the root it
// would be the whole path for each, the square of the depth in all.
//
// Only for paths that are long: a directory that is held may be moved while it is, and a shallow one is cheap to find anew.
#pragma once

#include <array>
#include <mutex>
#include <string>
#include <string_view>

#include "sys/fd.h"

namespace dfd {

class RecentDirectories {
 public:
  static bool is_deep(std::string_view path) { return path.size() > kDeep; }

  // Null where it is none of the last few.
  SharedFd find(std::string_view path) {
    std::lock_guard lock(mutex_);
    for (const Known& known : known_) {
      if (known.fd && known.path == path) return known.fd;
    }
    return nullptr;
  }

  void keep(std::string path, SharedFd fd) {
    std::lock_guard lock(mutex_);
    known_[next_] = {std::move(path), std::move(fd)};
    next_ = (next_ + 1) % known_.size();
  }

  void clear() {
    std::lock_guard lock(mutex_);
    known_ = {};
  }

 private:
  // Bytes. The kernel finds a path of this length in some twenty microseconds.
  static constexpr size_t kDeep = 1024;

  struct Known {
    std::string path;
    SharedFd fd;
  };
  std::mutex mutex_;
  // Few: they are held beside the descriptors that every thread needs.
  std::array<Known, 2> known_;
  size_t next_ = 0;
};

}  // namespace dfd
