// Waiting that can be called off, and a limit on bytes a second over all threads of a copy.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

#include "ops/job.h"

namespace dfd {

// False: somebody wants it to stop, and it did within a moment.
bool wait_for(std::chrono::nanoseconds duration, const Stop& stop);

// A token bucket without a reserve: what one thread takes, the next one waits for. Whoever takes more than there is goes on at once, and
// those that come after pay for it; so a chunk needs no waiting half-way, and the mean holds.
class Pace {
 public:
  // 0: no limit.
  void set_limit(uint64_t bytes_per_second) { limit_ = bytes_per_second; }

  // Waits for its turn. False: stopped.
  bool take(uint64_t bytes, const Stop& stop);

  // How much to move in one step: an eighth of a second's worth, so that a wait is short and the rate even.
  uint64_t chunk(uint64_t most) const;

 private:
  using Clock = std::chrono::steady_clock;

  uint64_t limit_ = 0;
  std::mutex mutex_;
  Clock::time_point free_at_{};
};

}  // namespace dfd
