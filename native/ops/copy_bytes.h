// Bytes from one open file to another, inside the kernel where it can.
#pragma once

#include "sys/fd.h"

namespace dfd {

// As sys::copy_file_range: may copy less than asked for, 0 is the end of the source. Where the kernel or the pair of
// file systems refuses the call, one buffer is read and written, with the same effect on offsets and positions.
Result<size_t> copy_bytes(Dirfd in, int64_t in_offset, Dirfd out, int64_t out_offset, size_t length);

}  // namespace dfd
