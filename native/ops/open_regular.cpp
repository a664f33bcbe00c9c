#include "ops/open_regular.h"

#include <fcntl.h>

#include <algorithm>
#include <chrono>

#include "sys/clock.h"
#include "sys/open.h"

namespace dfd {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{1};
constexpr milliseconds kLongestPause{50};
// The kernel breaks a lease after 45 seconds, unless told otherwise (/proc/sys/fs/lease-break-time).
constexpr milliseconds kPatience{60'000};

}  // namespace

Result<UniqueFd> open_regular(Dirfd dir, const char* name, int flags, const Stop& stop) {
  milliseconds waited{0};
  for (milliseconds pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    auto fd = sys::openat(dir, name, flags | O_NONBLOCK);
    if (fd.err() != EAGAIN || waited >= kPatience) return fd;
    if (stop.wanted()) return failure(Call::kOpenat, ECANCELED, flags);
    sys::sleep(pause);
    waited += pause;
  }
}

}  // namespace dfd
