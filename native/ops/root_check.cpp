#include "ops/root_check.h"

#include <fcntl.h>

#include "sys/open.h"
#include "sys/stat.h"

namespace dfd {

namespace {

// By file system and inode: a bind mount of the source, or of something in it, is still the source.
struct Node {
  dev_t dev;
  ino_t ino;
  bool operator==(const Node&) const = default;
};

Result<Node> node_of(Dirfd fd) {
  auto st = sys::fstat(fd);
  if (!st) return st.error();
  return Node{st->st_dev, st->st_ino};
}

}  // namespace

Result<bool> is_inside(Dirfd inner, Dirfd outer) {
  auto wanted = node_of(outer);
  if (!wanted) return wanted.error();
  auto at = node_of(inner);
  if (!at) return at.error();
  UniqueFd held;
  for (Dirfd current = inner;;) {
    if (*at == *wanted) return true;
    auto parent = sys::openat(current, "..", O_PATH | O_DIRECTORY);
    if (!parent) return parent.error();
    auto above = node_of(parent->get());
    if (!above) return above.error();
    if (*above == *at) return false;  // the root is its own parent
    held = *std::move(parent);
    current = held.get();
    at = above;
  }
}

}  // namespace dfd
