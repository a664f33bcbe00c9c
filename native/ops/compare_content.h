// Two regular files byte by byte, and hole by hole.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "ops/job.h"
#include "sys/fd.h"

namespace dfd {

// The offset of the first byte that differs; the end of the shorter file counts as one. Holes on both sides are not read.
Result<std::optional<uint64_t>> first_difference(Dirfd left, Dirfd right, uint64_t size, bool may_have_holes,
                                                 std::span<std::byte> buffer, const Stop& stop, Job& job);

// Whether the file holds these bytes and no more.
Result<bool> has_content(Dirfd fd, std::span<const std::byte> wanted, std::span<std::byte> buffer);

// Whether data lies in the same places, in steps of 64 KiB: file systems differ in the size of a block.
Result<bool> same_holes(Dirfd left, Dirfd right, uint64_t size);

}  // namespace dfd
