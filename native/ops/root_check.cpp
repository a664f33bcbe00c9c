#include "ops/root_check.h"

#include <fcntl.h>

#include "sys/open.h"
#include "sys/stat.h"

namespace dfd {

Result<Node> node_of(Dirfd fd) {
  auto st = sys::fstat(fd);
  if (!st) return st.error();
  return Node{st->st_dev, st->st_ino};
}

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
