// How many threads a walk should have at work. Where everything is cached, as many as the processors can run; where threads wait for a
// disk, as many more as it takes for the processors to have something to do:
//
//   target = processors × (worked + waited) / worked, from the last few readings of all threads
//
// With one bound for both ends it never moves: that is how a caller fixes the number. Under the walk's lock.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "engine/walk/wait_meter.h"

namespace dfd {

class ThreadTarget {
 public:
  ThreadTarget(size_t least, size_t most) : least_(least), most_(most), value_(least) {}

  size_t value() const { return value_; }

  // No more from now on: there are no threads, or no descriptors, to be had.
  void cap(size_t most) {
    most_ = std::max<size_t>(most, 1);
    least_ = std::min(least_, most_);
    value_ = std::min(value_, most_);
  }

  void learn(const Reading& reading) {
    // A single reading is chance, and each thread brings its own: what is known are some four readings of every one of them. With fewer, the
    // target of thirty threads follows chance, and threads leave and come back all the time.
    const double kept = 1 - 1 / (kReadings * std::max(static_cast<double>(value_) / static_cast<double>(least_), 1.0));
    worked_ = worked_ * kept + static_cast<double>(reading.worked.count());
    waited_ = waited_ * kept + static_cast<double>(reading.waited.count());
    const double wanted = static_cast<double>(least_) * (worked_ + waited_) / std::max(worked_, 1.0);
    // One step at a time: twice as many, or one fewer; and no step for a little, as each costs a thread its sleep and a batch its filling.
    if (std::abs(wanted - static_cast<double>(value_)) < static_cast<double>(value_) / 4) return;
    const size_t most = std::min(value_ * 2, most_);
    const size_t least = std::max(value_ - 1, least_);
    value_ = wanted >= static_cast<double>(most) ? most : std::clamp(static_cast<size_t>(wanted), least, most);
  }

 private:
  static constexpr double kReadings = 4;

  size_t least_;
  size_t most_;
  size_t value_;
  // In nanoseconds. To begin with, all is taken to be cached.
  double worked_ = 4e6;
  double waited_ = 0;
};

}  // namespace dfd
