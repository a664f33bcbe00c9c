#include "engine/walk/stat_ahead.h"

#include "engine/uring/availability.h"
#include "ops/served.h"

namespace dfd {

RingChoice::RingChoice(Engine engine, Dirfd root)
    : open_(engine == Engine::kAuto && is_served(root) && may_use_ring()), ring_(engine == Engine::kRing) {}

void RingChoice::learn(const Reading& reading) {
  // A thread that waits nine tenths of its time has nothing to lose; with a ring it waits less, so it is given up only where there is more work
  // than waiting.
  constexpr int kMostly = 9;
  if (!open_) return;
  const int64_t enough = is_ring() ? 1 : kMostly;
  ring_.store(reading.waited > reading.worked * enough, std::memory_order_relaxed);
}

StatRing* StatAhead::ring(size_t names) {
  if (names < 2 || refused_ || !choice_.is_ring()) return nullptr;
  if (!ring_) {
    auto opened = StatRing::open();
    refused_ = !opened;
    if (opened) ring_ = *std::move(opened);
  }
  return ring_.get();
}

}  // namespace dfd
