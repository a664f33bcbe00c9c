// is_settled: a file counts as left alone only where its ctime lies safely before the look began, by a clock that nobody has moved.

#include "ops/settled.h"

#include "check.h"

using namespace dfd;

namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kNow = 1'700'000'000 * kSecond + 500'000'000;

sys::Moment at(int64_t real, int64_t monotonic = 1000 * kSecond) { return {.real = real, .monotonic = monotonic}; }

struct stat changed_at(int64_t time) {
  struct stat st {};
  st.st_ctim.tv_sec = time / kSecond;
  st.st_ctim.tv_nsec = time % kSecond;
  return st;
}

// Seconds that no 64 bits of nanoseconds hold.
struct stat beyond_nanoseconds(int sign) {
  struct stat st {};
  st.st_ctim.tv_sec = sign * (INT64_MAX / 2);
  st.st_ctim.tv_nsec = 1;
  return st;
}

bool settled(int64_t ctime) { return is_settled(changed_at(ctime), at(kNow), at(kNow)); }

void believes_what_is_old() {
  CHECK(settled(kNow - kSecond));
  CHECK(settled(kNow - kSecond / 10));
  CHECK(settled(0));
  CHECK(is_settled(beyond_nanoseconds(-1), at(kNow), at(kNow)));
}

void doubts_what_is_new() {
  CHECK(!settled(kNow));
  CHECK(!settled(kNow - 1));
  CHECK(!settled(kNow - kSecond / 100));  // a tick, at 100 a second
  CHECK(!settled(kNow + 1));
}

void doubts_what_lies_in_the_future() {
  CHECK(!settled(kNow + 1000 * kSecond));
  CHECK(!is_settled(beyond_nanoseconds(1), at(kNow), at(kNow)));
}

void doubts_whole_seconds_longer() {
  CHECK(!settled(kNow / kSecond * kSecond - kSecond));
  CHECK(settled(kNow / kSecond * kSecond - 3 * kSecond));
}

void doubts_a_clock_that_was_set() {
  struct stat old = changed_at(kNow - 3600 * kSecond);
  // Set back by an hour, after which a change would look old.
  CHECK(!is_settled(old, at(kNow), at(kNow - 3600 * kSecond)));
  CHECK(!is_settled(old, at(kNow), at(kNow + 3600 * kSecond)));
  // Both clocks go on alike, however long it takes.
  CHECK(is_settled(old, at(kNow, 5 * kSecond), at(kNow + kSecond, 6 * kSecond)));
}

}  // namespace

int main() {
  believes_what_is_old();
  doubts_what_is_new();
  doubts_what_lies_in_the_future();
  doubts_whole_seconds_longer();
  doubts_a_clock_that_was_set();
}
