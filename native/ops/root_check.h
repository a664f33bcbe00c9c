// Whether a copy would run into itself.
#pragma once

#include <sys/stat.h>

#include "sys/fd.h"

namespace dfd {

// A directory by file system and inode: a bind mount of it, wherever that is, is still the same one.
struct Node {
  dev_t dev = 0;
  ino_t ino = 0;
  bool operator==(const Node&) const = default;
};
Result<Node> node_of(Dirfd fd);

// True where `inner` is `outer` or lies below it, by identity, whatever bind mounts and symlinks led there. This is the one place that
// opens "..", on descriptors that nothing else uses: the answer is for a check before the copy, not for access, and it may be outdated at once, or blind to a bind mount of something
// below `outer`. What holds while the copy runs is CopyRoots: no directory is read that is the destination, none removed that is the source.
Result<bool> is_inside(Dirfd inner, Dirfd outer);

}  // namespace dfd
