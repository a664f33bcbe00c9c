#include "ops/copy_metadata.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "ops/acl_mode.h"
#include "ops/inode_flags.h"
#include "ops/set_mode.h"
#include "ops/times_kept.h"
#include "sys/attributes.h"
#include "sys/xattr.h"

namespace dfd {

namespace {

constexpr std::string_view kCapabilityName = "security.capability";
const std::string kAccessAcl = "system.posix_acl_access";
constexpr std::string_view kAclPrefix = "system.posix_acl_";
// To root, xfs shows ACLs once more, as it keeps them: trusted.SGI_ACL_FILE and trusted.SGI_ACL_DEFAULT.
constexpr std::string_view kXfsAclPrefix = "trusted.SGI_ACL_";
constexpr uint32_t kSpecialBits = S_ISUID | S_ISGID;

bool is_acl(std::string_view attribute) {
  return attribute.starts_with(kAclPrefix) || attribute.starts_with(kXfsAclPrefix);
}

Aspect aspect_of(std::string_view attribute) {
  if (is_acl(attribute)) return Aspect::kAcl;
  if (attribute == kCapabilityName) return Aspect::kCapability;
  return Aspect::kXattr;
}

Result<std::string> read_names(NodeRef node) {
  return node.name ? sys::listxattrat(node.dir, node.name) : sys::flistxattr(node.dir);
}

Status write_value(NodeRef node, const std::string& attribute, std::string_view value) {
  return node.name ? sys::setxattrat(node.dir, node.name, attribute.c_str(), value)
                   : sys::fsetxattr(node.dir, attribute.c_str(), value);
}

Status remove_value(NodeRef node, const std::string& attribute) {
  return node.name ? sys::removexattrat(node.dir, node.name, attribute.c_str())
                   : sys::fremovexattr(node.dir, attribute.c_str());
}

Status change_owner(NodeRef node, uid_t uid, gid_t gid) {
  return node.name ? sys::fchownat(node.dir, node.name, uid, gid) : sys::fchown(node.dir, uid, gid);
}

Status change_mode(NodeRef node, mode_t mode) {
  return node.name ? set_mode_in_private(node.dir, node.name, mode) : sys::fchmod(node.dir, mode);
}

class MetadataCopy {
 public:
  MetadataCopy(const MetadataTask& task, const CopyOptions& options, Losses& losses)
      : task_(task), options_(options), losses_(losses) {}

  void run() {
    bool owner_is_right = copy_owner();
    copy_xattrs();
    copy_mode(owner_is_right);
    copy_capability(owner_is_right);
    if (options_.project_ids && holds_inodes()) copy_project();
    copy_times();
    if (options_.flags && holds_inodes()) copy_flags();
  }

 private:
  bool holds_inodes() const {
    return !task_.source.name && !task_.destination.name && (S_ISREG(task_.wanted.mode) || S_ISDIR(task_.wanted.mode));
  }

  // True where the destination has the owner and group that it should have.
  bool copy_owner() {
    Owner wanted = options_.rules.owner(task_.wanted);
    if (task_.owner == wanted) return true;
    if (!options_.owner) return false;
    auto status = change_owner(task_.destination, wanted.uid, wanted.gid);
    if (status) {
      mode_is_known_ = false;  // chown clears special bits
      return true;
    }
    // An ordinary user may still give the file to a group of theirs, as rsync and cp do.
    if (!task_.owner || task_.owner->gid != wanted.gid)
      (void)change_owner(task_.destination, sys::kKeepOwner, wanted.gid);
    mode_is_known_ = false;
    lose_at_destination(Aspect::kOwner, status.error());
    return false;
  }

  void copy_xattrs() {
    if (task_.has_xattrs) remove_strangers();
    for (const std::string& attribute : task_.xattrs) {
      if (attribute != kCapabilityName) copy_xattr(attribute);
    }
  }

  // What the destination has and the source lacks: a default ACL's gift to a new file, or the past of an existing one.
  void remove_strangers() {
    auto present = list_xattrs(task_.destination, options_);
    if (!present) return lose_at_destination(Aspect::kXattr, present.error());
    for (const std::string& attribute : *present) {
      if (std::find(task_.xattrs.begin(), task_.xattrs.end(), attribute) != task_.xattrs.end()) continue;
      // Labels of the security module belong to the place, not to the file.
      if (attribute.starts_with("security.") && attribute != kCapabilityName) continue;
      auto removed = remove_value(task_.destination, attribute);
      if (!removed && removed.err() != ENODATA) lose_at_destination(aspect_of(attribute), removed.error(), attribute);
      if (is_acl(attribute)) mode_is_known_ = false;
    }
  }

  void copy_xattr(const std::string& attribute) {
    auto value = kept_value(task_.source, attribute, task_.wanted, options_);
    if (!value) {
      // Removed since it was listed: then the source does not have it.
      if (value.err() != ENODATA) losses_.add(aspect_of(attribute), value.error(), attribute);
      return;
    }
    if (task_.has_xattrs && attribute != kCapabilityName) {
      auto present = read_xattr(task_.destination, attribute);
      if (present && *present == *value) return;
    }
    auto status = write_value(task_.destination, attribute, *value);
    // What xfs shows twice is lost once: as system.posix_acl_*.
    if (!status && !attribute.starts_with(kXfsAclPrefix)) {
      lose_at_destination(aspect_of(attribute), status.error(), attribute);
    }
    if (!status && attribute == kAccessAcl) lost_acl_ = *std::move(value);
    if (is_acl(attribute)) mode_is_known_ = false;  // an access ACL writes the group bits
  }

  void copy_mode(bool owner_is_right) {
    if (S_ISLNK(task_.wanted.mode)) return;  // Linux gives symlinks no mode
    uint32_t wanted = mode_as_kept() & 07777;
    // With another owner, the special bits would lend that owner's identity: the laundering of setuid.
    bool dropped = !owner_is_right && (wanted & kSpecialBits) && !S_ISDIR(task_.wanted.mode);
    if (dropped) {
      wanted &= ~kSpecialBits;
      lose_at_destination(Aspect::kMode, failure(Call::kFchmod, EPERM, static_cast<int>(task_.wanted.mode & 07777)));
    }
    if (mode_is_known_ && task_.mode == wanted) return;
    auto status = change_mode(task_.destination, wanted);
    if (!status) lose_at_destination(Aspect::kMode, status.error());
  }

  // Without its ACL, a file must not grant its group what was meant for those named in the ACL.
  uint32_t mode_as_kept() {
    if (lost_acl_) return options_.rules.mode(mode_without_acl(task_.wanted.mode, *lost_acl_), task_.wanted);
    auto mode = kept_mode(task_.source, task_.wanted, options_);
    if (mode) return *mode;
    losses_.add(Aspect::kMode, mode.error());
    return task_.wanted.mode & ~uint32_t{S_IRWXG};
  }

  void copy_project() {
    auto wanted = project_of(task_.source.dir);
    if (!wanted) return losses_.add(Aspect::kProject, wanted.error());
    auto present = project_of(task_.destination.dir);
    if (present && *present == *wanted) return;
    auto status = present ? set_project(task_.destination.dir, *wanted) : Status(present.error());
    if (!status) lose_at_destination(Aspect::kProject, status.error());
  }

  void copy_flags() {
    auto wanted = kept_flags(task_.source.dir);
    if (!wanted) return losses_.add(Aspect::kFlags, wanted.error());
    bool later = task_.shuts_later && shuts(*wanted);
    auto refused = set_kept_flags(task_.destination.dir, *wanted, later ? kShuttingFlags : 0);
    if (refused.flags) lose_at_destination(Aspect::kFlags, refused.error, flag_letters(refused.flags));
  }

  void copy_capability(bool owner_is_right) {
    for (const std::string& attribute : task_.xattrs) {
      if (attribute != kCapabilityName) continue;
      if (owner_is_right) return copy_xattr(attribute);
      lose_at_destination(Aspect::kCapability, failure(Call::kSetxattr, EPERM), attribute);
    }
  }

  void copy_times() {
    if (!options_.times) return;
    timespec times[2] = {
        {.tv_sec = 0, .tv_nsec = UTIME_OMIT},
        {.tv_sec = static_cast<time_t>(task_.wanted.mtime_s), .tv_nsec = task_.wanted.mtime_ns},
    };
    if (options_.access_times) {
      times[0] = {.tv_sec = static_cast<time_t>(task_.wanted.atime_s), .tv_nsec = task_.wanted.atime_ns};
    }
    const NodeRef& node = task_.destination;
    bool looks =
        task_.grain && (!task_.grain->is_fine(node.name ? -1 : node.dir, task_.dev) || may_be_clamped(task_.wanted));
    auto status = node.name ? sys::utimensat(node.dir, node.name, times) : sys::futimens(node.dir, times);
    if (!status) return lose_at_destination(Aspect::kTimes, status.error());
    if (looks && !has_time(node.dir, node.name, task_.wanted)) {
      lose_at_destination(Aspect::kTimes, failure(Call::kUtimensat, ERANGE));
    }
  }

  void lose_at_destination(Aspect aspect, const SysError& error, const std::string& attribute = {}) {
    losses_.add(aspect, error.about(Subject::kSecondPath), attribute);
  }

  const MetadataTask& task_;
  const CopyOptions& options_;
  Losses& losses_;
  bool mode_is_known_ = true;
  std::optional<std::string> lost_acl_;  // the source's, which the destination has refused
};

}  // namespace

Result<std::vector<std::string>> list_xattrs(NodeRef node, const CopyOptions& options) {
  std::vector<std::string> kept;
  if (!options.xattrs && !options.acl) return kept;
  auto names = read_names(node);
  if (!names) {
    if (names.err() == EOPNOTSUPP && names.error().reason == Reason::kErrno) return kept;
    return names.error();
  }
  std::string_view rest = *names;
  while (!rest.empty()) {
    std::string_view attribute = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(rest.size(), attribute.size() + 1));
    if (attribute.empty() || !(is_acl(attribute) ? options.acl : options.xattrs)) continue;
    // What xfs shows twice would undo what the rules make of it.
    if (options.rules.any() && attribute.starts_with(kXfsAclPrefix)) continue;
    kept.emplace_back(attribute);
  }
  return kept;
}

Result<std::string> read_xattr(NodeRef node, const std::string& attribute) {
  return node.name ? sys::getxattrat(node.dir, node.name, attribute.c_str())
                   : sys::fgetxattr(node.dir, attribute.c_str());
}

Result<uint32_t> kept_mode(NodeRef source, const StatRecord& stat, const CopyOptions& options) {
  if (options.acl || (stat.mode & S_IRWXG) == 0 || S_ISLNK(stat.mode)) return options.rules.mode(stat.mode, stat);
  auto acl = read_xattr(source, kAccessAcl);
  if (acl) return options.rules.mode(mode_without_acl(stat.mode, *acl), stat);
  bool has_none = acl.err() == ENODATA || (acl.err() == EOPNOTSUPP && acl.error().reason == Reason::kErrno);
  if (has_none) return options.rules.mode(stat.mode, stat);
  return acl.error();
}

Result<StatRecord> as_kept(NodeRef source, const StatRecord& stat, const CopyOptions& options) {
  auto mode = kept_mode(source, stat, options);
  if (!mode) return mode.error();
  StatRecord kept = stat;
  kept.mode = *mode;
  Owner owner = options.rules.owner(stat);
  kept.uid = owner.uid;
  kept.gid = owner.gid;
  return kept;
}

Result<std::string> kept_value(NodeRef source, const std::string& attribute, const StatRecord& stat,
                               const CopyOptions& options) {
  auto value = read_xattr(source, attribute);
  if (!value || !options.rules.any() || !attribute.starts_with(kAclPrefix)) return value;
  return options.rules.acl(*std::move(value), attribute == kAccessAcl, options.rules.mode(stat.mode, stat));
}

Result<Changes> xattr_changes(NodeRef source, const StatRecord& stat, NodeRef destination, const CopyOptions& options) {
  auto wanted = list_xattrs(source, options);
  if (!wanted) return wanted.error();
  auto present = list_xattrs(destination, options);
  if (!present) return present.error().about(Subject::kSecondPath);
  Changes changes;
  auto change = [&](const std::string& attribute) { changes.add(is_acl(attribute) ? Change::kAcl : Change::kXattr); };
  for (const std::string& attribute : *present) {
    if (std::find(wanted->begin(), wanted->end(), attribute) == wanted->end()) change(attribute);
  }
  for (const std::string& attribute : *wanted) {
    auto value = kept_value(source, attribute, stat, options);
    auto other = read_xattr(destination, attribute);
    if (!value || !other || *value != *other) change(attribute);
  }
  return changes;
}

void copy_metadata(const MetadataTask& task, const CopyOptions& options, Losses& losses) {
  MetadataCopy(task, options, losses).run();
}

}  // namespace dfd
