// Two directories side by side: everything that a copy keeps, entry by entry. Descends into nothing; TypeScript goes on with the
// directories that both sides have.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ops/batch.h"
#include "ops/copy_pair.h"

namespace dfd {

struct CompareOptions {
  bool owner = true;
  bool xattrs = true;
  bool acl = true;
  bool times = true;
  bool holes = true;
  bool quick = false;  // no byte is read of files whose size and mtime are the same
  bool flags = false;
  bool project_ids = false;
  KeepRules rules{};  // what makes of the left side what the right side should be
};

// One run of verifyTree, shared by all its tasks.
struct CompareRun {
  SharedFd left;
  SharedFd right;
  bool cross_left_mounts = true;
  bool cross_right_mounts = true;
  CompareOptions options;
  std::shared_ptr<Job> job;
  RecentDirectories recent_left{};
  RecentDirectories recent_right{};
};

// What differs; TypeScript knows them by name.
enum class Field : uint8_t {
  kMissing,  // only the left side has it
  kExtra,    // only the right side has it
  kKind,
  kMode,
  kOwner,
  kTimes,
  kSize,
  kContent,
  kHoles,
  kTarget,  // of a symlink
  kDevice,
  kXattr,
  kFlags,
  kProject,
  kCount,
};

struct Difference {
  std::string name;  // empty: the directory itself
  Field field;
  std::string detail{};  // kXattr: the attribute's name
  uint64_t offset = 0;   // kContent: of the first byte that differs
  StatRecord left{};
  StatRecord right{};
  std::optional<std::string>
      left_value{};  // kTarget, kXattr, kFlags, kProject; absent where a side has no such attribute
  std::optional<std::string> right_value{};
};

struct Compared {
  uint64_t entries = 0;
  std::vector<Difference> differences;
  BatchBuilder
      entries_to_follow;  // directories that both have, and entries with several names on either side; left's stat
  std::vector<Ticket> tickets;
  std::vector<CopyProblem> problems;  // `detail` holds the name
};

using Names = std::set<std::string, std::less<>>;

// `left_out`: names that take no part, on either side.
Status compare_pair(CompareRun& run, const TreePath& path, const Ticket& ticket, const Names& left_out,
                    const Stop& stop, Compared& compared);

}  // namespace dfd
