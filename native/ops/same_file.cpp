#include "ops/same_file.h"

#include <linux/magic.h>

namespace dfd {

namespace {

// Copied up, a file keeps its inode number and is born again in the upper layer. Asked only where births differ.
bool lies_on_overlay(Dirfd fd) {
  auto fs = sys::fstatfs(fd);
  return fs && fs->f_type == OVERLAYFS_SUPER_MAGIC;
}

}  // namespace

Status require_same_file(Dirfd fd, const SeenFile& seen) {
  auto stx = sys::fstatx(fd);
  if (!stx) return stx.error();
  bool same = sys::identity(*stx) == seen.identity && (sys::birth(*stx) == seen.birth || lies_on_overlay(fd));
  return same ? success() : failure_because(Reason::kChanged, Call::kStatx, ESTALE);
}

}  // namespace dfd
