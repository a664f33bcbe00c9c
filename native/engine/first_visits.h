// Which directories an environment has visited before. Any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <utility>

#include "sys/stat.h"

namespace dfd {

class FirstVisits {
 public:
  // True once for a directory, by device and inode; again where it was forgotten.
  bool is_first(Dirfd directory) {
    auto st = sys::fstat(directory);
    if (!st) return false;
    std::lock_guard lock(mutex_);
    if (visited_.size() >= kRemembered) visited_.clear();
    return visited_.emplace(st->st_dev, st->st_ino).second;
  }

 private:
  static constexpr size_t kRemembered = 4096;
  std::mutex mutex_;
  std::set<std::pair<uint64_t, uint64_t>> visited_;
};

}  // namespace dfd
