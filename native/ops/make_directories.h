// mkdir -p below a root.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "ops/resolve.h"

namespace dfd {

// Makes the directory and those above it that are missing. Answers the first path that was made, empty where all were
// there. EEXIST where the last name is something else, a symlink included; ENOTDIR where one on the way is.
Result<std::string> make_directories(Dirfd root, std::string_view path, Policy policy, mode_t mode);

}  // namespace dfd
