// Removes a name and everything below it. No path is ever walked twice by name alone: each directory is opened in its
// parent's descriptor without following, and a directory that has to be opened again must be the very one that was open
// before.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ops/job.h"
#include "ops/resolve.h"
#include "ops/root_check.h"

namespace dfd {

struct RemoveOptions {
  bool cross_mounts = true;      // false: what is mounted below is left alone, with EXDEV
  bool keep_going = false;       // false: stop at the first failure
  std::optional<Node> spared{};  // a directory that stays, wherever it is met, with Reason::kOverlap
};

// A failure and where: the path below the place that was to be removed, empty for that place itself.
struct PathFailure {
  std::string path;
  SysError error;
};

struct RemoveReport {
  uint64_t entries = 0;               // removed
  uint64_t failed = 0;                // could not be removed
  std::vector<PathFailure> failures;  // the first of them, at most kFailureLimit
};
inline constexpr size_t kFailureLimit = 1000;

// Removing "." empties the directory: nobody can remove the directory itself through its own descriptor. A tree of any
// depth needs a handful of descriptors. Names that vanish meanwhile count as removed by somebody else. What is removed is counted in
// `progress`, where there is one: that of a copy is about its source.
RemoveReport remove_tree(const Place& place, RemoveOptions options, const Stop& stop, Job* progress = nullptr);

}  // namespace dfd
