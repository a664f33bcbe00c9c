// A long stretch of a file past the page cache (O_DIRECT), several blocks at a time: the processor touches no byte of it.
//
//   block      0 … copied … … reading, writing … … … not yet begun …
//                          └── at most kDepth ──┘
//
// Each block is a chain of two requests, the read and then the write. A read that fails or comes short breaks the chain, so that nothing is
// written that was not read. Whatever goes wrong ends the ring's part before that block: read and write carry on from there, and either do it
// or say what is wrong.
#pragma once

#include "ops/bulk_move.h"

namespace dfd {

// Both are a BulkMove. They set O_DIRECT on both descriptors meanwhile, so these must be the caller's alone.
Moved move_on_ring(const Stretch& stretch, const Stop& stop, Job& job);
// Only what is not in the page cache: from there it would be read faster than from its disk.
Moved move_on_ring_where_cold(const Stretch& stretch, const Stop& stop, Job& job);

}  // namespace dfd
