// Completions that fail, one kind after the other, in the place of strace, which cannot see them: what the file is to blame for is told as a
// thread would tell it, and what the ring is to blame for is asked again by an ordinary call, so that nothing is lost.
#include "engine/uring/stat_ring.h"

#ifdef DIRFD_LIBURING

#include <cstdio>
#include <fstream>
#include <map>
#include <vector>

#include "check.h"
#include "engine/copy/stat_together.h"
#include "engine/uring/availability.h"
#include "engine/uring/ring.h"
#include "ops/list_directory.h"
#include "sys/directory.h"

using namespace dfd;

namespace {

constexpr int kFiles = 1000;
int injected = 0;
std::atomic<int> completions = 0;

struct Outcome {
  size_t answers = 0, failures = 0, wrong = 0;
};

struct Place {
  test::TemporaryDirectory directory;
  UniqueFd fd = directory.open();
  std::vector<std::string> names;
  std::map<std::string, size_t, std::less<>> sizes;  // no two are equal: an answer is the name's own
  std::vector<Dirent> entries;

  Place() {
    for (int i = 0; i < kFiles; i++) names.push_back("file" + std::to_string(i));
    for (const std::string& name : names)
      std::ofstream(directory / name) << std::string(sizes[name] = sizes.size(), 'x');
    for (const std::string& name : names) entries.push_back({.name = name, .ino = 0, .type = 0});
  }

  size_t size_of(const Dirent& entry) const { return sizes.find(entry.name)->second; }

  Outcome stat(StatRing& ring, unsigned window, int expected_errno) const {
    Outcome outcome;
    CancelFlag never;
    ring.stat(fd.get(), entries, window, never, [&](const Dirent& entry, const Result<struct statx>& stx) {
      outcome.wrong += entry.name != names[outcome.answers++];  // in order, each once
      if (!stx) outcome.failures++;
      if (stx ? stx->stx_size != size_of(entry) : stx.err() != expected_errno) outcome.wrong++;
    });
    return outcome;
  }
};

int every_third(uint8_t opcode, int result) {
  return opcode == IORING_OP_STATX && ++completions % 3 == 0 ? -injected : result;
}

void tells_what_the_file_is_to_blame_for(const Place& place, StatRing& ring) {
  for (int err : {EIO, EACCES, ESTALE, ENOENT, ELOOP, EPERM, ETIMEDOUT}) {
    injected = err, completions = 0;
    completion_fault = every_third;
    Outcome outcome = place.stat(ring, 64, err);
    completion_fault = nullptr;
    CHECK(outcome.answers == kFiles && outcome.wrong == 0 && outcome.failures == kFiles / 3);
  }
}

void asks_a_thread_where_the_ring_is_to_blame(const Place& place, StatRing& ring) {
  for (int err : {EAGAIN, EINTR, ECANCELED, ENOMEM, EINVAL, EOPNOTSUPP}) {
    injected = err, completions = 0;
    completion_fault = every_third;
    Outcome outcome = place.stat(ring, 64, 0);
    completion_fault = nullptr;
    CHECK(outcome.answers == kFiles && outcome.wrong == 0 && outcome.failures == 0);
    CHECK(completions == kFiles);
  }
}

void keeps_the_order_in_every_window(const Place& place, StatRing& ring) {
  for (unsigned window : {0U, 1U, 2U, 63U, 256U, 100000U}) {
    Outcome outcome = place.stat(ring, window, 0);
    CHECK(outcome.answers == kFiles && outcome.wrong == 0 && outcome.failures == 0);
  }
}

void stops_where_it_is_told_to_and_can_be_used_again(const Place& place, StatRing& ring) {
  for (size_t after : {0, 1, 100, 999}) {
    CancelFlag stop;
    if (after == 0) stop.cancel();
    size_t answers = 0;
    ring.stat(place.fd.get(), place.entries, 256, stop, [&](const Dirent&, const Result<struct statx>&) {
      if (++answers == after) stop.cancel();
    });
    CHECK(answers == after);
    Outcome again = place.stat(ring, 256, 0);
    CHECK(again.answers == kFiles && again.wrong == 0);
  }
}

// A copy's lists.
int count_all(uint8_t opcode, int result) {
  completions += opcode == IORING_OP_STATX;
  return result;
}

void is_for_lists_whose_answers_take_their_time(const Place& place) {
  CancelFlag never;
  const Stop stop(never, never);
  const auto list = [&](StatMany many) {
    size_t answers = 0;
    bool sound = true;
    completions = 0;
    completion_fault = count_all;
    many(place.fd.get(), place.entries, stop, [&](const Dirent& entry, const Result<struct statx>& stx) {
      sound = sound && entry.name == place.names[answers++] && stx && stx->stx_size == place.size_of(entry);
    });
    completion_fault = nullptr;
    CHECK(sound && answers == kFiles);
    return completions.load();
  };
  CHECK(list(&stat_together) == kFiles);
  CHECK(list(&stat_together_where_slow) == 0);
}

void leaves_no_list_short_in_silence(const Place& place) {
  for (size_t after : {0, 1, 500}) {
    CancelFlag wanted, never;
    if (after == 0) wanted.cancel();
    size_t answers = 0;
    UniqueFd directory = place.directory.open();
    auto status = for_each_stat(directory.get(), &stat_together, Stop(wanted, never),
                                [&](const Dirent&, const Result<struct statx>&) {
                                  if (++answers == after) wanted.cancel();
                                });
    CHECK(answers == after && status.err() == ECANCELED);
  }
}

}  // namespace

int main() {
  if (!may_use_ring()) {
    std::puts("no io_uring here");
    return 0;
  }
  Place place;
  auto ring = StatRing::open().value();
  keeps_the_order_in_every_window(place, *ring);
  tells_what_the_file_is_to_blame_for(place, *ring);
  asks_a_thread_where_the_ring_is_to_blame(place, *ring);
  stops_where_it_is_told_to_and_can_be_used_again(place, *ring);
  is_for_lists_whose_answers_take_their_time(place);
  leaves_no_list_short_in_silence(place);
}

#else

int main() {}

#endif
