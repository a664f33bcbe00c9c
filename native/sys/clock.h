// The clock that the kernel stamps files with. Read from the vDSO page: no system call.
#pragma once

#include <cstdint>

namespace dfd::sys {

// In nanoseconds: CLOCK_REALTIME_COARSE, which ctime comes from, and CLOCK_MONOTONIC_COARSE, which nobody can set.
struct Moment {
  int64_t real;
  int64_t monotonic;
};

Moment coarse_now();

}  // namespace dfd::sys
