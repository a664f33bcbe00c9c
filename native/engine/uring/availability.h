// Whether this process may use io_uring. Asked by opening a ring of the smallest size, once, and after a refusal that may pass (no memory) again.
#pragma once

#include <cstdint>

namespace dfd {

// The same order as in lib/native/engine.ts.
enum class RingState : uint8_t {
  kAvailable,
  kNotBuilt,     // no liburing when the addon was built
  kDisabled,     // DIRFD_DISABLE names it
  kRefused,      // by the kernel: ENOSYS, EPERM from seccomp or kernel.io_uring_disabled, ENOMEM
  kMissingCall,  // a ring can be had, and does not know all operations that are needed (before 5.6)
};

struct RingAvailability {
  RingState state = RingState::kAvailable;
  int32_t err = 0;  // of kRefused
};

RingAvailability ring_availability();

inline bool may_use_ring() { return ring_availability().state == RingState::kAvailable; }

}  // namespace dfd
