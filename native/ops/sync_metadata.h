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

struct Synced {
  Changes changes;      // none: there was nothing to do
  bool shared = false;  // left alone: the file has other names too, where a change would show as well
};

// The same size and modification time: what a second run takes for the same content, as rsync does.
bool same_content_by_stat(const StatRecord& wanted, const StatRecord& present);

// Everything but a regular file's content: what stat tells, the target of a link, the number of a device, attributes and ACLs. Names of the
// same kind, neither of them a directory. Files are opened only where inode flags or project ids are asked for. Reason::kUnsupported where
// attributes cannot be read by name.
Result<Changes> entry_changes(const EntryNames& names, const StatRecord& wanted, const StatRecord& present,
                              const CopyOptions& options, const Stop& stop);

// The same of two files or directories that are held.
Result<Changes> held_changes(Dirfd source, const StatRecord& wanted, Dirfd destination, const StatRecord& present,
                             const CopyOptions& options);

// Whether two files of one size have the same bytes, by reading both. A source that changes meanwhile counts as another.
Result<bool> same_bytes(const EntryNames& names, const StatRecord& wanted, const StatRecord& present, const Stop& stop);

// For regular files: compares, and sets right what differs.
Result<Synced> sync_metadata(const EntryNames& names, const StatRecord& stat, const CopyOptions& options,
                             const Stop& stop, Losses& losses);

// For links and special files: in which respects the destination is not one like the source.
Result<Changes> node_changes(const EntryNames& names, const StatRecord& stat, const CopyOptions& options,
                             const Stop& stop, Losses& losses);

}  // namespace dfd
