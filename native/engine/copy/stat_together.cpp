#include "engine/copy/stat_together.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "engine/uring/stat_ring.h"
#include "sys/stat.h"

namespace dfd {

namespace {

using Clock = std::chrono::steady_clock;

// A name takes 1 to 3 µs where it is cached, and as many hundred across a network.
constexpr auto kSlow = std::chrono::microseconds(200);
constexpr size_t kFew = 4;

// Requests of this process in flight, shared by the rings that are at work: each takes a kernel thread while it waits.
constexpr unsigned kAll = 512;
constexpr unsigned kLeast = 16;
std::atomic<unsigned> rings_at_work = 0;

void one_by_one(Dirfd directory, std::span<const Dirent> entries, const Stop& stop, const StatVisit& visit) {
  for (const Dirent& entry : entries) {
    if (stop.wanted()) return;
    visit(entry, sys::statx(directory, entry.name.data()));
  }
}

}  // namespace

void stat_together(Dirfd directory, std::span<const Dirent> entries, const Stop& stop, const StatVisit& visit) {
  if (entries.size() < 2 || stop.wanted()) return one_by_one(directory, entries, stop, visit);
  auto ring = StatRing::open();
  if (!ring) return one_by_one(directory, entries, stop, visit);
  const unsigned window = std::max(kAll / (rings_at_work++ + 1), kLeast);
  CancelFlag stopped;
  (*ring)->stat(directory, entries, window, stopped, [&](const Dirent& entry, const Result<struct statx>& answer) {
    visit(entry, answer);
    if (stop.wanted()) stopped.cancel();
  });
  rings_at_work--;
}

void stat_together_where_slow(Dirfd directory, std::span<const Dirent> entries, const Stop& stop,
                              const StatVisit& visit) {
  const size_t few = std::min(entries.size(), kFew);
  const Clock::time_point begun = Clock::now();
  one_by_one(directory, entries.first(few), stop, visit);
  const bool slow = Clock::now() - begun >= few * kSlow;
  (slow ? stat_together : one_by_one)(directory, entries.subspan(few), stop, visit);
}

}  // namespace dfd
