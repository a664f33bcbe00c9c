// Small files of one directory, opened, read and stat'ed many at a time on one ring, and closed together. For whom: ops/read_ahead.h.
#pragma once

#include <memory>

#include "ops/read_ahead.h"

namespace dfd {

// Null where no ring can be had.
std::unique_ptr<ManyFiles> open_file_ring();

}  // namespace dfd
