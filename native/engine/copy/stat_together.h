// The names of a directory that a copy lists, stat'ed many at a time on a ring (engine/uring/stat_ring.h). The list of a wide directory is one
// thread's work before any other has something to copy: where a server answers, it would wait for each name in turn.
//
// A ring is opened for a piece of a directory and closed after it: beside the requests that it saves that costs nothing, and idle threads hold
// no descriptor. Where none can be had, nothing but speed is lost.
#pragma once

#include "ops/stat_many.h"

namespace dfd {

// StatMany both. The second finds out by the first few names whether answers take their time: those of what is cached come faster without a ring.
void stat_together(Dirfd directory, std::span<const Dirent> entries, const Stop& stop, const StatVisit& visit);
void stat_together_where_slow(Dirfd directory, std::span<const Dirent> entries, const Stop& stop,
                              const StatVisit& visit);

}  // namespace dfd
