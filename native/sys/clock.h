// The clock that the kernel stamps files with, read from the vDSO page without a system call; and sleep.
#pragma once

#include <chrono>
#include <cstdint>

namespace dfd::sys {

// In nanoseconds: CLOCK_REALTIME_COARSE, which ctime comes from, and CLOCK_MONOTONIC_COARSE, which nobody can set.
struct Moment {
  int64_t real;
  int64_t monotonic;
};

Moment coarse_now();

// Of the calling thread; a signal may end it early.
void sleep(std::chrono::milliseconds duration);

}  // namespace dfd::sys
