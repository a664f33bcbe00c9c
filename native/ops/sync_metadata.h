// The metadata of an entry whose content is the same on both sides: compared, and only what differs is written, so that a second run over
// an unchanged tree writes nothing.
#pragma once

#include "ops/copy_metadata.h"

namespace dfd {

struct EntryNames {
  Dirfd source_dir;
  const char* source_name;
  Dirfd destination_dir;
  const char* destination_name;
};

enum class Synced : uint8_t {
  kSame,     // there was nothing to change
  kChanged,  // set right in place
  kShared,   // differs, and was left alone: the file has other names too, where a change would show as well
};

// For regular files, by descriptor.
Result<Synced> sync_metadata(const EntryNames& names, const StatRecord& stat, const CopyOptions& options,
                             Losses& losses);

// For links and special files: whether the destination is one like the source in all respects.
Result<bool> same_node(const EntryNames& names, const StatRecord& stat, const CopyOptions& options, Losses& losses);

}  // namespace dfd
