#include "engine/walk/wait_meter.h"

#include <algorithm>

namespace dfd {

std::optional<Reading> WaitMeter::read() {
  constexpr auto kPeriod = std::chrono::milliseconds(1);
  const std::chrono::nanoseconds passed = Clock::now() - since_;
  if (passed < kPeriod) return {};
  const sys::ThreadUsage before = usage_;
  restart();
  const std::chrono::nanoseconds worked = usage_.processor - before.processor;
  // A thread that is off the processor may wait for a disk, or for its turn on a busy machine, where more threads would only make things
  // worse. In the one case it left the processor itself, in the other it was made to. And a wait that took longer than a read does was
  // for a lock whose holder had to wait for its turn; of a slow disk, this much of each wait still tells enough.
  constexpr auto kLongestRead = std::chrono::milliseconds(2);
  const int64_t waits = (usage_.waits - before.waits) - (usage_.preemptions - before.preemptions);
  const auto waited = std::min(passed - worked, std::chrono::nanoseconds(waits * kLongestRead));
  return Reading{.worked = worked, .waited = std::max(waited, std::chrono::nanoseconds(0))};
}

void WaitMeter::restart() {
  since_ = Clock::now();
  usage_ = sys::thread_usage();
}

}  // namespace dfd
