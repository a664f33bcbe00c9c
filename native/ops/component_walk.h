// The resolver for kernels and containers without openat2: one openat(O_PATH|O_NOFOLLOW) a component, symlinks read and
// expanded here.
#pragma once

#include "ops/resolve.h"

namespace dfd {

// What stands at a path: an O_PATH descriptor of it, and of the directory it was found in.
struct Found {
  UniqueFd fd;
  UniqueFd parent;
  std::string name;
};

// As resolve_path, with the place where the last component really lies. `path` is normalized.
Result<Found> walk_components(Dirfd root, const NormalPath& path, Policy policy, FinalLink final_link);

}  // namespace dfd
