#include "ops/inode_flags.h"

#include <linux/fs.h>

#include "sys/attributes.h"

namespace dfd {

namespace {

constexpr uint32_t kShutting = FS_IMMUTABLE_FL | FS_APPEND_FL;
static_assert(kShutting == kShuttingFlags);  // linux/fs.h stays out of the header

struct Letter {
  uint32_t flag;
  char letter;
};

// Left out: what the file system sets itself (extents, index, inline data), what only an empty directory can be given (casefold), what needs keys
// (encryption, verity), and the project's inheritance, which goes with project ids.
constexpr Letter kLetters[] = {
    {FS_SECRM_FL, 's'},  {FS_UNRM_FL, 'u'},    {FS_COMPR_FL, 'c'},   {FS_SYNC_FL, 'S'},   {FS_IMMUTABLE_FL, 'i'},
    {FS_APPEND_FL, 'a'}, {FS_NODUMP_FL, 'd'},  {FS_NOATIME_FL, 'A'}, {FS_NOCOMP_FL, 'm'}, {FS_JOURNAL_DATA_FL, 'j'},
    {FS_NOTAIL_FL, 't'}, {FS_DIRSYNC_FL, 'D'}, {FS_TOPDIR_FL, 'T'},  {FS_NOCOW_FL, 'C'},  {FS_DAX_FL, 'x'},
};

constexpr uint32_t kept_mask() {
  uint32_t mask = 0;
  for (const Letter& letter : kLetters) mask |= letter.flag;
  return mask;
}

// No inode flags at all, rather than flags that could not be read (ioctl_iflags(2)).
bool has_none(const SysError& error) {
  return error.err == ENOTTY || error.err == EOPNOTSUPP || error.err == ENOSYS || error.err == EINVAL;
}

}  // namespace

bool shuts(uint32_t flags) { return (flags & kShutting) != 0; }

std::string flag_letters(uint32_t flags) {
  std::string letters;
  for (const Letter& letter : kLetters) {
    if (flags & letter.flag) letters.push_back(letter.letter);
  }
  return letters;
}

Result<uint32_t> kept_flags(Dirfd file) {
  auto flags = sys::getflags(file);
  if (flags) return *flags & kept_mask();
  return has_none(flags.error()) ? Result<uint32_t>(0U) : flags;
}

Result<ProjectId> project_of(Dirfd file) {
  auto attributes = sys::fsgetxattr(file);
  if (!attributes) return has_none(attributes.error()) ? Result<ProjectId>(ProjectId{}) : attributes.error();
  return ProjectId{.id = attributes->fsx_projid, .inherited = (attributes->fsx_xflags & FS_XFLAG_PROJINHERIT) != 0};
}

Result<Changes> inode_changes(Dirfd source, Dirfd destination, const CopyOptions& options) {
  Changes changes;
  if (options.flags) {
    auto wanted = kept_flags(source);
    if (!wanted) return wanted.error();
    auto present = kept_flags(destination);
    if (!present) return present.error().about(Subject::kSecondPath);
    changes.add_if(*wanted != *present, Change::kFlags);
  }
  if (options.project_ids) {
    auto wanted = project_of(source);
    if (!wanted) return wanted.error();
    auto present = project_of(destination);
    if (!present) return present.error().about(Subject::kSecondPath);
    changes.add_if(!(*wanted == *present), Change::kProject);
  }
  return changes;
}

RefusedFlags set_kept_flags(Dirfd file, uint32_t wanted, uint32_t later) {
  auto present = sys::getflags(file);
  if (!present) {
    wanted &= ~later;
    return wanted == 0 ? RefusedFlags{} : RefusedFlags{.flags = wanted, .error = present.error()};
  }
  uint32_t now = *present;
  uint32_t mask = kept_mask() & ~later;
  uint32_t differing = (now ^ wanted) & mask;
  if (differing == 0) return {};
  if (sys::setflags(file, now ^ differing)) return {};
  // One flag that is not known here takes the others with it: each for itself, those that shut last.
  RefusedFlags refused;
  for (uint32_t group : {differing & ~kShutting, differing & kShutting}) {
    for (const Letter& letter : kLetters) {
      if (!(group & letter.flag)) continue;
      auto status = sys::setflags(file, now ^ letter.flag);
      if (status) {
        now ^= letter.flag;
      } else {
        refused.flags |= letter.flag;
        refused.error = status.error();
      }
    }
  }
  return refused;
}

Status set_block_flags(Dirfd file, uint32_t wanted) {
  wanted &= FS_NOCOW_FL | FS_COMPR_FL | FS_NOCOMP_FL;
  if (wanted == 0) return success();
  auto present = sys::getflags(file);
  if (!present) return present.error();
  return sys::setflags(file, *present | wanted);
}

bool open_up(Dirfd file) {
  auto flags = sys::getflags(file);
  return flags && shuts(*flags) && sys::setflags(file, *flags & ~kShutting).ok();
}

Status set_project(Dirfd file, const ProjectId& wanted) {
  auto attributes = sys::fsgetxattr(file);
  if (!attributes) return attributes.error();
  attributes->fsx_projid = wanted.id;
  attributes->fsx_xflags &= ~uint32_t{FS_XFLAG_PROJINHERIT};
  if (wanted.inherited) attributes->fsx_xflags |= FS_XFLAG_PROJINHERIT;
  return sys::fssetxattr(file, *attributes);
}

}  // namespace dfd
