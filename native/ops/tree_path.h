// Where a directory lies below the root of its tree. A long path is in pieces: the directories far down share the pieces that lead to them, so
// that in a chain of ten thousand directories neither a call nor a task carries a megabyte of names.
//
//   root ── piece "a/b/c/…" ── piece "m/n/o/…" ── rest "x/y"
//
// TypeScript cuts too (lib/copy/tree-path.ts), at the same places. The directories below one that ends a piece have one object above them, where
// one hand has cut, and equal ones otherwise.
#pragma once

#include <memory>
#include <string>

#include "ops/resolve.h"
#include "sys/fd.h"

namespace dfd {

class PathPiece {
 public:
  PathPiece(std::shared_ptr<PathPiece> above, std::string path) : above_(std::move(above)), path_(std::move(path)) {}
  ~PathPiece();
  PathPiece(const PathPiece&) = delete;
  PathPiece& operator=(const PathPiece&) = delete;

  const std::shared_ptr<PathPiece>& above() const { return above_; }  // null: the root
  const std::string& path() const { return path_; }                   // below that
  std::string text() const;                                           // from the root

 private:
  std::shared_ptr<PathPiece> above_;
  const std::string path_;
};

struct TreePath {
  std::shared_ptr<PathPiece> above{};  // null: the root
  std::string rest{};                  // below that; with nothing above, empty for the root itself

  bool is_root() const { return !above && rest.empty(); }
  bool is_deep() const { return above != nullptr; }
  const char* name() const { return rest.c_str() + (rest.rfind('/') + 1); }
  // Itself, as that which its subdirectories lie in: a long path ends a piece, which they all share.
  TreePath ended() const;
  TreePath child(std::string name) const;
  std::string text() const;  // from the root
  // Not of the root.
  TreePath parent() const;
  bool operator==(const TreePath& other) const;
};

// A readable descriptor of the directory, resolved piece by piece; see resolve_directory.
Result<UniqueFd> resolve_tree_path(Dirfd root, const TreePath& path, Policy policy);

}  // namespace dfd
