#include "ops/pace.h"

#include <algorithm>

#include "sys/clock.h"

namespace dfd {

namespace {

constexpr std::chrono::milliseconds kSlice{50};
constexpr uint64_t kLeast = 4096;

}  // namespace

bool wait_for(std::chrono::nanoseconds duration, const Stop& stop) {
  auto end = std::chrono::steady_clock::now() + duration;
  for (auto now = std::chrono::steady_clock::now(); now < end; now = std::chrono::steady_clock::now()) {
    if (stop.wanted()) return false;
    sys::sleep(std::min(kSlice, std::chrono::ceil<std::chrono::milliseconds>(end - now)));
  }
  return !stop.wanted();
}

bool Pace::take(uint64_t bytes, const Stop& stop) {
  if (limit_ == 0) return true;
  auto now = Clock::now();
  Clock::time_point turn;
  {
    std::lock_guard lock(mutex_);
    turn = std::max(free_at_, now);
    auto cost = std::chrono::duration<double>(static_cast<double>(bytes) / static_cast<double>(limit_));
    free_at_ = turn + std::chrono::duration_cast<Clock::duration>(cost);
  }
  return wait_for(turn - now, stop);
}

uint64_t Pace::chunk(uint64_t most) const {
  return limit_ == 0 ? most : std::clamp(limit_ / 8, std::min(kLeast, most), most);
}

}  // namespace dfd
