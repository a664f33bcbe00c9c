// Inode flags (chattr(1)) and project ids, of regular files and directories that are held: nothing else has them that could be read. Asked for
// only where a copy is to keep them.
#pragma once

#include <optional>
#include <string>

#include "ops/changes.h"
#include "ops/copy_options.h"
#include "sys/fd.h"

namespace dfd {

struct ProjectId {
  uint32_t id = 0;
  bool inherited = false;  // by what is made in the directory
  bool operator==(const ProjectId&) const = default;
};

// Those that chattr can set and that say something of the file: not how its blocks are kept, nor what only its file system decides. None where
// the file system has no such flags.
Result<uint32_t> kept_flags(Dirfd file);
Result<ProjectId> project_of(Dirfd file);

// FS_IMMUTABLE_FL and FS_APPEND_FL. With either of these, a file can be neither written nor renamed, linked or removed: they come last.
inline constexpr uint32_t kShuttingFlags = 0x30;
bool shuts(uint32_t flags);

// As lsattr(1) has them: "ia", or "" for none.
std::string flag_letters(uint32_t flags);

// What the options ask for and the two do not share.
Result<Changes> inode_changes(Dirfd source, Dirfd destination, const CopyOptions& options);

// Makes the kept flags of `file` the wanted ones, all but those in `later`. Answers those that the file system has refused.
struct RefusedFlags {
  uint32_t flags = 0;
  SysError error{};
};
RefusedFlags set_kept_flags(Dirfd file, uint32_t wanted, uint32_t later);

// Those of the wanted flags that say how blocks are to be written, for a file that has none yet.
Status set_block_flags(Dirfd file, uint32_t wanted);

// Takes off what would keep a copy from changing the file, or changing what is in the directory. False: nothing did.
bool open_up(Dirfd file);

Status set_project(Dirfd file, const ProjectId& wanted);

}  // namespace dfd
