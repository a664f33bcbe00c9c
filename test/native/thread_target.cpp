// How many threads a walk wants, from what its threads say of their time.

#include "engine/walk/thread_target.h"
#include "check.h"

using namespace dfd;
using namespace std::chrono_literals;

namespace {

constexpr Reading kCached{.worked = 1ms, .waited = 0ms};
constexpr Reading kDisk{.worked = 50us, .waited = 2ms};

void learn(ThreadTarget& target, const Reading& reading, int times) {
  for (int i = 0; i < times; i++) target.learn(reading);
}

void stays_while_all_is_cached() {
  ThreadTarget target(2, 32);
  learn(target, kCached, 1000);
  CHECK(target.value() == 2);
  target.learn(kDisk);
  CHECK(target.value() <= 3);  // a single wait is chance
}

void grows_while_threads_wait_and_goes_back() {
  ThreadTarget target(2, 32);
  for (int i = 0; i < 30; i++) {
    const size_t before = target.value();
    target.learn(kDisk);
    CHECK(target.value() <= 2 * before);
  }
  CHECK(target.value() == 32);
  for (int i = 0; i < 300; i++) {  // some ten readings of each thread
    const size_t before = target.value();
    target.learn(kCached);
    CHECK(target.value() + 1 >= before);
  }
  CHECK(target.value() == 2);
}

// Half of the time at work: two threads a processor.
void fills_the_processors_and_no_more() {
  ThreadTarget target(4, 32);
  learn(target, {.worked = 1ms, .waited = 1ms}, 100);
  CHECK(target.value() == 8 || target.value() == 7);
}

// Each of many threads has its own luck: now it waited for the disk, now it found all in the cache.
void is_steady_while_the_mixture_is_the_same() {
  ThreadTarget target(2, 32);
  size_t changes = 0;
  for (int i = 0; i < 2000; i++) {
    const size_t before = target.value();
    const bool waits = i % 7 < 3;
    target.learn(waits ? Reading{.worked = 200us, .waited = 2ms} : kCached);
    if (i >= 200 && target.value() != before) changes++;
  }
  CHECK(changes == 0);
  CHECK(target.value() >= 3 && target.value() <= 6);  // 2 × (4.6 + 6) / 4.6
}

void is_exact_where_the_number_was_given() {
  ThreadTarget target(3, 3);
  learn(target, kDisk, 100);
  CHECK(target.value() == 3);
}

void keeps_to_what_can_be_had() {
  ThreadTarget target(2, 32);
  learn(target, kDisk, 100);
  target.cap(5);
  CHECK(target.value() == 5);
  learn(target, kDisk, 100);
  CHECK(target.value() == 5);
  target.cap(0);
  CHECK(target.value() == 1);  // a walk without a thread would never end
}

}  // namespace

int main() {
  stays_while_all_is_cached();
  grows_while_threads_wait_and_goes_back();
  fills_the_processors_and_no_more();
  is_steady_while_the_mixture_is_the_same();
  is_exact_where_the_number_was_given();
  keeps_to_what_can_be_had();
}
