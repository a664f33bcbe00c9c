// A file's bytes from one descriptor to another, in the cheapest way that keeps its holes: shared extents, a copy inside the kernel, or
// read and write.
#pragma once

#include <cstddef>
#include <span>

#include "ops/copy_options.h"

namespace dfd {

struct DataTask {
  Dirfd source;
  Dirfd destination;   // of `start` bytes
  uint64_t start = 0;  // the destination has the bytes before it already
  uint64_t size;       // as stat'ed; the file may lie or change, see copy_data
  uint64_t blocks;     // of 512 bytes
  uint64_t source_dev;
  uint64_t destination_dev;
  Choice reflink;
  Choice sparse;
  std::span<std::byte> buffer;  // the thread's own
  Pace& pace;
  BulkMove bulk_move = nullptr;  // for long stretches
};

// True where fewer blocks are allocated than the size needs: only then SEEK_HOLE is worth asking.
inline bool may_have_holes(uint64_t size, uint64_t blocks) { return blocks * 512 < size; }

// Copies up to `size` bytes, and on to the end of file where there are more (procfs says 0 for all its files). A file that shrinks
// meanwhile gives a shorter copy: the caller compares stat before and after. The answer is the count of bytes read, 0 for a clone.
Result<uint64_t> copy_data(const DataTask& task, Refusals& refusals, const Stop& stop, Job& job);

// Writes all of `bytes` at `offset`.
Status write_all(Dirfd fd, std::span<const std::byte> bytes, uint64_t offset);

}  // namespace dfd
