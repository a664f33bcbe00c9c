// Back-pressure: how many bytes of batches are out, and who waits for them to come back. The thread-safe function that carries the
// batches is unbounded, because a bounded one hangs with several producers; this is what bounds it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace dfd {

class Flow {
 public:
  explicit Flow(size_t limit) : limit_(limit) {}

  enum class Taken : uint8_t { kAtOnce, kLater, kClosed };

  // Waits until there is room; a batch larger than the limit goes out alone.
  Taken take(size_t bytes) {
    std::unique_lock lock(mutex_);
    auto may_go = [&] { return closed_ || out_ == 0 || out_ + bytes <= limit_; };
    const Taken taken = may_go() ? Taken::kAtOnce : Taken::kLater;
    room_.wait(lock, may_go);
    if (closed_) return Taken::kClosed;
    out_ += bytes;
    return taken;
  }

  void give_back(size_t bytes) {
    std::lock_guard lock(mutex_);
    out_ -= bytes < out_ ? bytes : out_;
    room_.notify_all();
  }

  // The consumer has nothing left to do.
  bool is_starved() const {
    std::lock_guard lock(mutex_);
    return out_ == 0;
  }

  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    room_.notify_all();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable room_;
  const size_t limit_;
  size_t out_ = 0;
  bool closed_ = false;
};

}  // namespace dfd
