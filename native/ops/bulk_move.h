// How copy_data moves a long stretch of a file, where somebody has a way that is better than read and write: engine/uring/data_ring.h. A pointer,
// because ops does not know the engine.
#pragma once

#include <cstdint>

#include "ops/job.h"
#include "sys/fd.h"

namespace dfd {

struct Stretch {
  Dirfd source;
  Dirfd destination;
  uint64_t from;
  uint64_t to;
};

struct Moved {
  uint64_t at;  // everything before it is copied; what is left is for read and write, which also tell what is wrong
  uint64_t written;       // the destination may reach so far
  bool unsuited = false;  // nor is it worth asking again for files of this pair of file systems
};

using BulkMove = Moved (*)(const Stretch& stretch, const Stop& stop, Job& job);

// Shorter ones are not worth it.
inline constexpr uint64_t kLongStretch = 1 << 20;

}  // namespace dfd
