// How one thread of a walk spends its time: at work, or waiting for a disk or a server. Read once a millisecond at most, so that it costs
// an entry nothing. Owned and used by that thread.
#pragma once

#include <chrono>
#include <optional>

#include "sys/thread.h"

namespace dfd {

struct Reading {
  std::chrono::nanoseconds worked{};
  std::chrono::nanoseconds waited{};
};

class WaitMeter {
 public:
  // Once a reading is due: of the time since the one before.
  std::optional<Reading> read();

  // The time until now says nothing of the file system: the thread waited for other threads, or for the consumer.
  void restart();

 private:
  using Clock = std::chrono::steady_clock;

  Clock::time_point since_ = Clock::now();
  sys::ThreadUsage usage_ = sys::thread_usage();
};

}  // namespace dfd
