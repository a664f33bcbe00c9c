// A flag that asks long work to stop. Set by any thread, read by workers between system calls.
#pragma once

#include <atomic>

namespace dfd {

class CancelFlag {
 public:
  void cancel() { wanted_.store(true, std::memory_order_relaxed); }
  bool cancelled() const { return wanted_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> wanted_{false};
};

}  // namespace dfd
