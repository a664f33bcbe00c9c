// What a copy has in the place of its source's owner and mode, where the caller's rules say so. The rules are part of what a copy should be:
// whoever compares a copy with its source compares with the source under the rules, and a second run has nothing to do.
//
// A rule for one id says that somebody goes by another number there; special bits stay. A rule for more than one gathers what belongs to many, as
// chown(2) by root does, and as chown(2) it takes set-user-id and set-group-id bits away where the id changes: they would lend the new owner's
// identity to what another user wrote.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ops/record.h"

namespace dfd {

struct Owner {
  uint32_t uid = 0;
  uint32_t gid = 0;
  bool operator==(const Owner&) const = default;
};

// Ids from `first` to `last` become `to`; the first rule that matches counts.
struct IdRule {
  uint32_t first;
  uint32_t last;
  uint32_t to;
};

// mode = (mode & keep) | add, one after the other. What `scope` says is in lib/copy/chmod.ts.
struct ModeRule {
  static constexpr uint32_t kDirectories = 1;
  static constexpr uint32_t kFiles = 2;            // all but directories
  static constexpr uint32_t kWhereExecutable = 4;  // execute bits only for directories, and where there is one already

  uint32_t keep;
  uint32_t add;
  uint32_t scope;
};

struct KeepRules {
  std::vector<IdRule> users;
  std::vector<IdRule> groups;
  std::vector<ModeRule> modes;
  bool any() const { return !users.empty() || !groups.empty() || !modes.empty(); }

  Owner owner(const StatRecord& stat) const;
  // Of a file with this stat whose mode would be `mode` without the rules; type bits and all.
  uint32_t mode(uint32_t mode, const StatRecord& stat) const;
  // The value of a system.posix_acl_* attribute: ids that rules for one id name, and in an access ACL the permissions that `kept` has.
  std::string acl(std::string value, bool is_access, uint32_t kept) const;
};

}  // namespace dfd
