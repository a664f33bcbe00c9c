#include "ops/settled.h"

#include <linux/magic.h>

#include <cstdlib>

#include "sys/stat.h"

namespace dfd {

namespace {

constexpr int64_t kSecond = 1'000'000'000;

// Two clocks are read one after the other: a tick (at most 10 ms) may fall between.
constexpr int64_t kSlack = kSecond / 50;
constexpr int64_t kMargin = 2 * kSlack;
constexpr int64_t kMarginOfSeconds = 2 * kSecond;

// Not in every linux/magic.h.
constexpr uint64_t kXfs = 0x58465342;
constexpr uint64_t kBcachefs = 0xca451a4e;

bool has_local_clock(uint64_t type) {
  switch (type) {
    case EXT4_SUPER_MAGIC:  // and ext2, ext3
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case TMPFS_MAGIC:
    case kXfs:
    case kBcachefs: return true;
    default: return false;
  }
}

}  // namespace

bool is_settled(const struct stat& after_read, const sys::Moment& before, const sys::Moment& after) {
  int64_t shift = (after.real - after.monotonic) - (before.real - before.monotonic);
  if (std::abs(shift) > kSlack) return false;
  int64_t margin = after_read.st_ctim.tv_nsec == 0 ? kMarginOfSeconds : kMargin;
  int64_t limit = before.real - margin;
  // In seconds first: ctime may lie beyond what 64 bits of nanoseconds hold.
  int64_t seconds = limit / kSecond;
  if (after_read.st_ctim.tv_sec != seconds) return after_read.st_ctim.tv_sec < seconds;
  return after_read.st_ctim.tv_nsec < limit % kSecond;
}

bool LocalClocks::include(uint64_t dev, Dirfd on_it) {
  std::lock_guard lock(mutex_);
  for (const Known& known : known_) {
    if (known.dev == dev) return known.local;
  }
  auto fs = sys::fstatfs(on_it);
  bool local = fs && has_local_clock(static_cast<uint64_t>(fs->f_type));
  known_.push_back({.dev = dev, .local = local});
  return local;
}

}  // namespace dfd
