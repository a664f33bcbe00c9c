// A small file, whole.
#pragma once

#include <string>

#include "sys/fd.h"

namespace dfd {

// Reads to the end, whatever size the file claims; EFBIG beyond `limit` bytes.
Result<std::string> read_file(Dirfd file, size_t limit);

}  // namespace dfd
