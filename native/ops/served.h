// Is there a server, or another process, behind a file system? There a request takes its time however fast the disk is, and many requests can
// be on their way at once.
#pragma once

#include "sys/fd.h"

namespace dfd {

// By statfs(2)'s type; false where that cannot be told.
bool is_served(Dirfd on_it);

}  // namespace dfd
