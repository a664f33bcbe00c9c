// Whether a copy would run into itself.
#pragma once

#include "sys/fd.h"

namespace dfd {

// True where `inner` is `outer` or lies below it, by identity, whatever bind mounts and symlinks led there. This is the one place that
// opens "..", on descriptors that nothing else uses: the answer is for a check before the copy, not for access.
Result<bool> is_inside(Dirfd inner, Dirfd outer);

}  // namespace dfd
