#include "sys/clock.h"

#include <time.h>

namespace dfd::sys {

namespace {

int64_t read(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

}  // namespace

Moment coarse_now() { return {.real = read(CLOCK_REALTIME_COARSE), .monotonic = read(CLOCK_MONOTONIC_COARSE)}; }

void sleep(std::chrono::milliseconds duration) {
  timespec time{.tv_sec = duration.count() / 1000, .tv_nsec = duration.count() % 1000 * 1'000'000};
  ::clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
}

}  // namespace dfd::sys
