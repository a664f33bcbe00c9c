// LockWaits: every wait ends once, with the lock or called off, however many there are, whoever calls off, and when; after stop() none does.
// TSan looks on.

#include "engine/lock_waits.h"

#include <fcntl.h>
#include <sched.h>

#include <atomic>
#include <vector>

#include "check.h"

using namespace dfd;

namespace {

struct Place {
  test::TemporaryDirectory directory;

  // A description of its own: only those are in each other's way.
  SharedFd open() const {
    UniqueFd fd(::open((directory / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    CHECK(static_cast<bool>(fd));
    return share(std::move(fd));
  }

  SharedFd locked() const {
    SharedFd fd = open();
    CHECK(sys::try_lock(fd->get(), sys::LockKind::kExclusive, {}).ok());
    return fd;
  }
};

// What became of the waits of a test.
struct Ends {
  std::atomic<int> locked = 0, cancelled = 0, others = 0;
  std::atomic<int> inside = 0, crowded = 0;

  int all() const { return locked + cancelled + others; }

  // The file is let go of after `done`, and the lock with it.
  LockWait wait(const Place& place, std::shared_ptr<Job> job, sys::LockKind kind = sys::LockKind::kExclusive) {
    return {
        .file = place.open(), .kind = kind, .range = {}, .job = std::move(job), .done = [this, kind](Status outcome) {
          if (outcome.ok() && kind == sys::LockKind::kExclusive) {
            crowded += inside++ > 0;
            ::sched_yield();
            inside--;
          }
          (outcome.ok() ? locked : outcome.err() == ECANCELED ? cancelled : others)++;
        }};
  }
};

void wait_until(const Ends& ends, int count) {
  while (ends.all() < count) ::sched_yield();
}

// More than there are threads for, from several at once.
void all_have_the_lock_one_after_the_other(const Place& place) {
  constexpr int kStarters = 4, kWaits = 40;
  static_assert(kStarters * kWaits > LockWaits::kMostThreads);
  Ends ends;
  LockWaits waits;
  SharedFd holder = place.locked();
  {
    std::vector<Thread> starters;
    for (int i = 0; i < kStarters; i++) {
      starters.push_back(Thread::start([&] {
                           for (int wait = 0; wait < kWaits; wait++)
                             CHECK(waits.start(ends.wait(place, std::make_shared<Job>())));
                         }).value());
    }
  }
  CHECK(ends.all() == 0);
  holder.reset();
  wait_until(ends, kStarters * kWaits);
  CHECK(ends.locked == kStarters * kWaits && ends.crowded == 0);
}

// Sixty-four that wait for a lock which is not given back do not keep others from one that is free.
void a_free_lock_is_had_behind_many_that_are_not(const Place& held, const Place& free) {
  Ends stuck, ends;
  LockWaits waits;
  SharedFd holder = held.locked();
  for (size_t i = 0; i < LockWaits::kMostThreads + 8; i++)
    CHECK(waits.start(stuck.wait(held, std::make_shared<Job>())));
  CHECK(waits.start(ends.wait(free, std::make_shared<Job>())));
  wait_until(ends, 1);
  CHECK(ends.locked == 1 && stuck.all() == 0);
}

void each_wait_ends_once_when_called_off_at_any_time(const Place& place) {
  constexpr int kRounds = 8, kWaits = 30;
  for (int round = 0; round < kRounds; round++) {
    Ends ends;
    LockWaits waits;
    SharedFd holder = place.locked();
    std::vector<std::shared_ptr<Job>> jobs;
    for (int i = 0; i < kWaits; i++) jobs.push_back(std::make_shared<Job>());
    {
      Thread starter = Thread::start([&] {
                         for (const auto& job : jobs) CHECK(waits.start(ends.wait(place, job)));
                       }).value();
      Thread giver = Thread::start([&, yields = round * 20] {
                       for (int i = 0; i < yields; i++) ::sched_yield();
                       holder.reset();
                     }).value();
      for (size_t i = 0; i < jobs.size(); i += 2) waits.cancel(*jobs[i]);
    }
    wait_until(ends, kWaits);
    CHECK(ends.locked + ends.cancelled == kWaits && ends.crowded == 0);
    CHECK(ends.locked >= kWaits / 2);
  }
}

void shared_ones_wait_for_nobody_but_the_exclusive(const Place& place) {
  Ends ends;
  LockWaits waits;
  SharedFd reader = place.open();
  CHECK(sys::try_lock(reader->get(), sys::LockKind::kShared, {}).ok());
  auto writer = std::make_shared<Job>();
  CHECK(waits.start(ends.wait(place, writer)));
  for (int i = 0; i < 5; i++) CHECK(waits.start(ends.wait(place, std::make_shared<Job>(), sys::LockKind::kShared)));
  wait_until(ends, 5);
  CHECK(ends.locked == 5);
  waits.cancel(*writer);
  wait_until(ends, 6);
  CHECK(ends.cancelled == 1);
}

void stop_drops_them_all_at_any_time(const Place& place) {
  for (int round = 0; round < 10; round++) {
    Ends ends;
    auto held = std::make_shared<int>(0);
    SharedFd holder = place.locked();
    LockWaits waits;
    for (int i = 0; i < round * 5; i++) {
      LockWait wait = ends.wait(place, std::make_shared<Job>());
      wait.done = [held, done = std::move(wait.done)](Status outcome) { done(outcome); };
      CHECK(waits.start(std::move(wait)));
    }
    Thread canceller = Thread::start([&] {
                         Job nobodys;
                         for (int i = 0; i < 20; i++) waits.cancel(nobodys);
                       }).value();
    waits.stop();
    CHECK(ends.all() == 0);
    CHECK(held.use_count() == 1);  // with what they held
    CHECK(!waits.start(ends.wait(place, std::make_shared<Job>())));
    waits.stop();  // once more does no harm
  }
}

}  // namespace

int main() {
  Place place, another;
  all_have_the_lock_one_after_the_other(place);
  a_free_lock_is_had_behind_many_that_are_not(place, another);
  each_wait_ends_once_when_called_off_at_any_time(place);
  shared_ones_wait_for_nobody_but_the_exclusive(place);
  stop_drops_them_all_at_any_time(place);
}
