#include "ops/make_directories.h"

#include "sys/directory.h"
#include "sys/stat.h"

namespace dfd {

namespace {

// True where the directory was made, false where it was there. Each prefix is resolved from the root, not from the one
// before: a symlink in it may climb, and may climb only as far as the root.
Result<bool> make_one(Dirfd root, std::string_view path, Policy policy, mode_t mode) {
  auto place = resolve_parent(root, path, policy);
  if (!place) return place.error();
  auto status = sys::mkdirat(place->dir(), place->name(), mode);
  if (status) return true;
  if (status.err() != EEXIST) return status.error();
  auto stx = sys::statx(place->dir(), place->name());
  if (!stx) return stx.error();
  if (!S_ISDIR(stx->stx_mode)) return status.error();
  return false;
}

}  // namespace

Result<std::string> make_directories(Dirfd root, std::string_view path, Policy policy, mode_t mode) {
  NormalPath normal = normalize(path);
  std::string_view whole = normal.text;
  size_t reached = whole.size();
  auto made = make_one(root, whole, policy, mode);
  // Back to what has a parent: mostly the whole path has, or all but its last name.
  while (made.err() == ENOENT) {
    size_t slash = whole.rfind('/', reached - 1);
    if (slash == whole.npos) break;
    reached = slash;
    made = make_one(root, whole.substr(0, reached), policy, mode);
  }
  // And forward again, one name at a time.
  std::string first;
  for (;;) {
    if (!made) return made.error();
    if (*made && first.empty()) first = whole.substr(0, reached);
    if (reached == whole.size()) return first;
    reached = std::min(whole.find('/', reached + 1), whole.size());
    made = make_one(root, whole.substr(0, reached), policy, mode);
  }
}

}  // namespace dfd
