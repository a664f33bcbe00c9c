#include "ops/times_kept.h"

#include <sys/stat.h>

#include "sys/attributes.h"
#include "sys/stat.h"

namespace dfd {

namespace {

// Odd to every granularity from 2 ns up.
constexpr int64_t kProbeSeconds = 1'234'567'891;
constexpr uint32_t kProbeNanoseconds = 123'456'789;

constexpr uint64_t kFine = uint64_t{1} << 63;
constexpr uint64_t kCoarse = uint64_t{1} << 62;

}  // namespace

bool TimeGrain::is_fine(Dirfd file, uint64_t dev) {
  uint64_t known = known_.load(std::memory_order_relaxed);
  if ((known & ~(kFine | kCoarse)) == dev && known != 0) return (known & kFine) != 0;
  if (file < 0) return false;
  StatRecord probe{};
  probe.mtime_s = kProbeSeconds;
  probe.mtime_ns = kProbeNanoseconds;
  timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                       {.tv_sec = static_cast<time_t>(probe.mtime_s), .tv_nsec = probe.mtime_ns}};
  if (!sys::futimens(file, times)) return true;  // refused, and told by whoever sets the real time
  bool fine = has_time(file, nullptr, probe);
  known_.store(dev | (fine ? kFine : kCoarse), std::memory_order_relaxed);
  return fine;
}

bool may_be_clamped(const StatRecord& wanted) { return wanted.mtime_s < 0 || wanted.mtime_s > INT32_MAX; }

bool has_time(Dirfd dir, const char* name, const StatRecord& wanted) {
  auto now = name ? sys::statx(dir, name) : sys::fstatx(dir);
  // Where nobody can look, nobody can say that it was lost.
  return !now || (now->stx_mtime.tv_sec == wanted.mtime_s && now->stx_mtime.tv_nsec == wanted.mtime_ns);
}

}  // namespace dfd
