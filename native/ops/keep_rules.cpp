#include "ops/keep_rules.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

namespace dfd {

namespace {

constexpr uint32_t kPermissionBits = 07777;
constexpr uint32_t kExecuteBits = 0111;

const IdRule* rule_for(const std::vector<IdRule>& rules, uint32_t id) {
  auto found = std::find_if(rules.begin(), rules.end(),
                            [id](const IdRule& rule) { return rule.first <= id && id <= rule.last; });
  return found == rules.end() ? nullptr : &*found;
}

uint32_t mapped(const std::vector<IdRule>& rules, uint32_t id) {
  const IdRule* rule = rule_for(rules, id);
  return rule ? rule->to : id;
}

// Given away, not called by another number.
bool is_gathered(const std::vector<IdRule>& rules, uint32_t id) {
  const IdRule* rule = rule_for(rules, id);
  return rule && rule->first != rule->last && rule->to != id;
}

uint32_t applied(const ModeRule& rule, uint32_t mode, bool was_executable) {
  bool is_directory = S_ISDIR(mode);
  if ((rule.scope & ModeRule::kDirectories) && !is_directory) return mode;
  if ((rule.scope & ModeRule::kFiles) && is_directory) return mode;
  uint32_t add = rule.add;
  if ((rule.scope & ModeRule::kWhereExecutable) && !was_executable && !is_directory) add &= ~kExecuteBits;
  return (mode & (rule.keep | ~kPermissionBits)) | (add & kPermissionBits);
}

// A named user's or group's number.
uint32_t mapped_in_acl(const std::vector<IdRule>& rules, uint32_t id) {
  const IdRule* rule = rule_for(rules, id);
  return rule && rule->first == rule->last ? rule->to : id;
}

}  // namespace

Owner KeepRules::owner(const StatRecord& stat) const {
  return {.uid = mapped(users, stat.uid), .gid = mapped(groups, stat.gid)};
}

uint32_t KeepRules::mode(uint32_t mode, const StatRecord& stat) const {
  if (S_ISLNK(mode)) return mode;  // Linux gives symlinks no mode
  if (!S_ISDIR(mode)) {
    if (is_gathered(users, stat.uid)) mode &= ~uint32_t{S_ISUID};
    if (is_gathered(groups, stat.gid)) mode &= ~uint32_t{S_ISGID};
  }
  bool was_executable = (mode & kExecuteBits) != 0;
  for (const ModeRule& rule : modes) mode = applied(rule, mode, was_executable);
  return mode;
}

std::string KeepRules::acl(std::string value, bool is_access, uint32_t kept) const {
  posix_acl_xattr_entry entry;
  constexpr size_t header = sizeof(posix_acl_xattr_header);
  auto each = [&](auto&& change) {
    for (size_t at = header; at + sizeof entry <= value.size(); at += sizeof entry) {
      std::memcpy(&entry, value.data() + at, sizeof entry);
      change();
      std::memcpy(value.data() + at, &entry, sizeof entry);
    }
  };
  bool has_mask = false;
  each([&] {
    has_mask |= entry.e_tag == ACL_MASK;
    if (entry.e_tag == ACL_USER) entry.e_id = mapped_in_acl(users, entry.e_id);
    if (entry.e_tag == ACL_GROUP) entry.e_id = mapped_in_acl(groups, entry.e_id);
  });
  if (!is_access || modes.empty()) return value;
  // As chmod(2) of a file with an ACL does.
  auto bits = [&](unsigned shift) { return static_cast<uint16_t>(kept >> shift & 7); };
  each([&] {
    if (entry.e_tag == ACL_USER_OBJ) entry.e_perm = bits(6);
    if (entry.e_tag == ACL_MASK || (entry.e_tag == ACL_GROUP_OBJ && !has_mask)) entry.e_perm = bits(3);
    if (entry.e_tag == ACL_OTHER) entry.e_perm = bits(0);
  });
  return value;
}

}  // namespace dfd
