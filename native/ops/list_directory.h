// A whole directory as one packed batch.
#pragma once

#include "ops/batch.h"
#include "sys/fd.h"

namespace dfd {

enum class Detail : uint8_t {
  kNames,  // what getdents64 tells: name, type, inode
  kStat,   // one statx an entry; a name that vanished meanwhile is left out, any other failure is an error record
};

// `directory` must be a description of its own, at its start: the position of a directory is shared by all who use a
// descriptor.
Result<PackedBatch> list_directory(Dirfd directory, Detail detail);

}  // namespace dfd
