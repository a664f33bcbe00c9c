#include "ops/tree_path.h"

#include <vector>

namespace dfd {

// Bytes. The kernel finds a path of this length in some fifty microseconds.
static constexpr size_t kLongPiece = 1024;

// One after the other: a chain of a million pieces, let go of by recursion, would overflow the stack. So a piece that goes because the one below it
// went does not let go of the one above it, but hands it down. (To ask use_count() whether it will go would not order what other threads did with it
// before.)
PathPiece::~PathPiece() {
  thread_local std::shared_ptr<PathPiece>* handed_down = nullptr;
  if (handed_down) {
    *handed_down = std::move(above_);
    return;
  }
  auto next = std::move(above_);
  while (next) {
    std::shared_ptr<PathPiece> further;
    handed_down = &further;
    next.reset();
    next = std::move(further);
  }
  handed_down = nullptr;
}

std::string PathPiece::text() const {
  std::vector<const std::string*> pieces;
  size_t size = 0;
  for (const PathPiece* at = this; at; at = at->above_.get()) {
    pieces.push_back(&at->path_);
    size += at->path_.size() + 1;
  }
  std::string text;
  text.reserve(size);
  for (size_t i = pieces.size(); i-- > 0;) {
    text += *pieces[i];
    if (i > 0) text += '/';
  }
  return text;
}

TreePath TreePath::child(std::string name) const {
  if (rest.empty()) return {.above = above, .rest = std::move(name)};
  if (rest.size() < kLongPiece) return {.above = above, .rest = rest + '/' + name};
  return ended().child(std::move(name));
}

TreePath TreePath::ended() const {
  if (rest.size() < kLongPiece) return *this;
  return {.above = std::make_shared<PathPiece>(above, rest), .rest = {}};
}

std::string TreePath::text() const {
  if (!above) return rest;
  return above->text() + '/' + rest;
}

bool TreePath::operator==(const TreePath& other) const {
  if (rest != other.rest) return false;
  const PathPiece* one = above.get();
  const PathPiece* two = other.above.get();
  while (one != two) {
    if (!one || !two || one->path() != two->path()) return false;
    one = one->above().get();
    two = two->above().get();
  }
  return true;
}

TreePath TreePath::parent() const {
  size_t slash = rest.rfind('/');
  if (slash != std::string::npos) return {.above = above, .rest = rest.substr(0, slash)};
  if (above) return {.above = above->above(), .rest = above->path()};
  return {};
}

Result<UniqueFd> resolve_tree_path(Dirfd root, const TreePath& path, Policy policy) {
  std::vector<const PathPiece*> pieces;
  for (const PathPiece* at = path.above.get(); at; at = at->above().get()) pieces.push_back(at);
  UniqueFd fd;
  for (size_t i = pieces.size(); i-- > 0;) {
    auto next = resolve_path(fd ? fd.get() : root, pieces[i]->path() + '/', policy, FinalLink::kFollow);
    if (!next) return next;
    fd = *std::move(next);
  }
  return resolve_directory(fd ? fd.get() : root, path.rest.empty() ? "." : path.rest, policy, FinalLink::kKeep);
}

}  // namespace dfd
