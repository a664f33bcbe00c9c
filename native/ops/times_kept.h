// Whether a file system keeps the times it is given. One with coarse times rounds them, and one whose times end in 2038 clamps them, and both call
// it success (utimensat(2)): a copy that trusted them would lose times in silence, and copy the same files again at every update.
#pragma once

#include <atomic>
#include <cstdint>

#include "ops/record.h"
#include "sys/fd.h"

namespace dfd {

// Asked once a run: its destination is nearly always one file system, and another one is asked anew.
class TimeGrain {
 public:
  // By a time with odd nanoseconds, set on a file that is about to get its own. Two calls, the first time. `file` may be -1: then false, unless it
  // is known.
  bool is_fine(Dirfd file, uint64_t dev);

 private:
  // Device and answer in one word, so that no lock is needed: 0 is not known.
  std::atomic<uint64_t> known_{0};
};

// Whether the file system may not keep this time, however fine its times are.
bool may_be_clamped(const StatRecord& wanted);

// Whether the file has the modification time that it was given.
bool has_time(Dirfd dir, const char* name, const StatRecord& wanted);

}  // namespace dfd
