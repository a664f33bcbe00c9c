// The directories of a very deep tree that were used last. From one of them its subdirectories are opened by a single name; from the root it
// would be the whole path for each, the square of the depth in all.
//
// Only for paths that are long, and not for long: a directory that is held may be moved out of the tree while it is, and so may all that is reached
// from it. A while after the last resolution from the root the next one is due, however many names have led on since.
#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>
#include <vector>

#include "ops/descriptor_budget.h"
#include "ops/tree_path.h"
#include "sys/fd.h"

namespace dfd {

class RecentDirectories {
 public:
  using Clock = std::chrono::steady_clock;

  // How long a descriptor may stand for the path that led to it.
  static constexpr auto kTrusted = std::chrono::milliseconds(100);

  // `resolved`: when its path, or that of the directory it was reached from, was resolved from the root.
  struct Held {
    SharedFd fd{};  // null: none of the last few, or for too long
    Clock::time_point resolved{};
  };

  // False: there are too few descriptors.
  bool holds_any() const { return !known_.empty(); }

  Held find(const TreePath& path) {
    std::lock_guard lock(mutex_);
    auto known = of(path);
    if (known == known_.end()) return {};
    if (Clock::now() - known->held.resolved > kTrusted) known->held = {};
    return to_front(known).held;
  }

  // Only where it holds any.
  void keep(TreePath path, Held held) {
    std::lock_guard lock(mutex_);
    auto known = of(path);
    to_front(known == known_.end() ? known_.end() - 1 : known) = {std::move(path), std::move(held)};
  }

  void clear() {
    std::lock_guard lock(mutex_);
    std::fill(known_.begin(), known_.end(), Known{});
  }

 private:
  struct Known {
    TreePath path;
    Held held;
  };
  using Slots = std::vector<Known>;

  Slots::iterator of(const TreePath& path) {
    return std::find_if(known_.begin(), known_.end(), [&](const Known& known) { return known.path == path; });
  }
  // A directory with many subdirectories is not pushed out by them.
  Known& to_front(Slots::iterator known) {
    std::rotate(known_.begin(), known, known + 1);
    return known_.front();
  }

  std::mutex mutex_;
  // Few: they are held beside the descriptors that every thread needs. Enough for a directory to stay while its own ones come and go. Never resized.
  Slots known_ = Slots(recent_directories());
};

}  // namespace dfd
