#include "ops/component_walk.h"

#include <fcntl.h>
#include <linux/magic.h>

#include <vector>

#include "sys/directory.h"
#include "sys/open.h"
#include "sys/stat.h"

namespace dfd {

namespace {

constexpr int kMaxLinks = 40;  // MAXSYMLINKS, path_resolution(7)

// Splits into a stack, last component first. A trailing slash becomes ".", which asks for a directory just as the
// kernel does.
void push_components(std::vector<std::string>& stack, std::string_view path) {
  std::vector<std::string> parts;
  size_t at = 0;
  while (at <= path.size()) {
    size_t slash = std::min(path.find('/', at), path.size());
    if (slash > at) parts.emplace_back(path.substr(at, slash - at));
    at = slash + 1;
  }
  if (path.ends_with('/')) parts.emplace_back(".");
  stack.insert(stack.end(), std::make_move_iterator(parts.rbegin()), std::make_move_iterator(parts.rend()));
}

class Walk {
 public:
  Walk(Dirfd root, Policy policy) : root_(root), policy_(policy) {}

  Result<Found> run(const NormalPath& path, FinalLink final_link) {
    if (auto status = note_root_mount(); !status) return status.error();
    push_components(pending_, path.text);
    if (path.must_be_directory && final_link == FinalLink::kFollow) pending_.insert(pending_.begin(), ".");
    while (!pending_.empty()) {
      std::string name = std::move(pending_.back());
      pending_.pop_back();
      if (name == ".") continue;
      Status status = name == ".." ? ascend() : descend(std::move(name), final_link);
      if (!status) return status.error();
    }
    if (path.must_be_directory && !is_directory_) return failure(Call::kOpenat, ENOTDIR, O_PATH | O_DIRECTORY);
    if (!found_.fd) return open_root_itself();
    return std::move(found_);
  }

 private:
  Dirfd current() const { return found_.fd ? found_.fd.get() : root_; }

  Status note_root_mount() {
    if (policy_.cross_mounts) return success();
    auto stx = sys::fstatx(root_);
    if (!stx) return stx.error();
    root_mount_ = sys::identity(*stx).mount;
    return success();
  }

  void restart() {
    found_ = Found{};
    names_.clear();
    is_directory_ = true;
  }

  Result<Found> open_root_itself() {
    auto fd = sys::openat(root_, ".", O_PATH | O_DIRECTORY);
    if (!fd) return fd.error();
    auto parent = sys::openat(root_, ".", O_PATH | O_DIRECTORY);
    if (!parent) return parent.error();
    return Found{.fd = *std::move(fd), .parent = *std::move(parent), .name = "."};
  }

  // ".." is never opened: a directory that was moved out of the tree has a parent outside. The names that led here are
  // walked again from the root instead; whatever stands there now lies inside.
  Status ascend() {
    if (names_.empty()) {
      if (policy_.scope == Scope::kInRoot) return success();
      return failure_because(Reason::kEscape, Call::kOpenat, EXDEV, O_PATH);
    }
    std::vector<std::string> names(names_.begin(), names_.end() - 1);
    restart();
    for (std::string& name : names) {
      if (auto status = step(std::move(name)); !status) return status;
      if (!is_directory_) return failure(Call::kOpenat, ENOTDIR, O_PATH | O_DIRECTORY);
    }
    return success();
  }

  Status descend(std::string name, FinalLink final_link) {
    if (auto status = step(std::move(name)); !status) return status;
    bool last = pending_.empty();
    if (is_symlink_ && !(last && final_link == FinalLink::kKeep)) return follow();
    if (!last && !is_directory_) return failure(Call::kOpenat, ENOTDIR, O_PATH | O_DIRECTORY);
    return success();
  }

  // Opens one name in the current directory, as itself, and makes it the current place.
  Status step(std::string name) {
    auto fd = sys::openat(current(), name.c_str(), O_PATH);
    if (!fd) return fd.error();
    auto stx = sys::fstatx(fd->get());
    if (!stx) return stx.error();
    if (!policy_.cross_mounts && sys::identity(*stx).mount != root_mount_) return failure(Call::kOpenat, EXDEV, O_PATH);
    is_directory_ = S_ISDIR(stx->stx_mode);
    is_symlink_ = S_ISLNK(stx->stx_mode);
    UniqueFd parent = std::move(found_.fd);
    if (!parent) {
      auto root = sys::openat(root_, ".", O_PATH | O_DIRECTORY);
      if (!root) return root.error();
      parent = *std::move(root);
    }
    names_.push_back(name);
    found_ = Found{.fd = *std::move(fd), .parent = std::move(parent), .name = std::move(name)};
    return success();
  }

  // Replaces the symlink that the walk stands on by its target.
  Status follow() {
    if (policy_.scope == Scope::kNoSymlinks) return failure(Call::kOpenat, ELOOP, O_PATH);
    if (++links_ > kMaxLinks) return failure(Call::kOpenat, ELOOP, O_PATH);
    auto target = sys::readlinkat(found_.fd.get(), "");
    if (!target) return target.error();
    if (is_magic(*target)) return failure(Call::kOpenat, ELOOP, O_PATH);
    if (target->starts_with('/')) {
      if (policy_.scope == Scope::kBeneath) return failure_because(Reason::kEscape, Call::kOpenat, EXDEV, O_PATH);
      restart();
    } else {
      names_.pop_back();
      found_ = Found{.fd = std::move(found_.parent), .parent = {}, .name = {}};
      is_directory_ = true;
      // Standing in the directory that held the link; its own parent is found again only if a ".." asks for it.
    }
    push_components(pending_, *target);
    return success();
  }

  // The kernel jumps through a magic link without reading its text, and gives no flag for one. They exist only on
  // procfs, where the ordinary links (self, thread-self, mounts, net) have short relative targets, and the magic ones
  // an absolute path or "type:[number]".
  bool is_magic(std::string_view target) const {
    auto fs = sys::fstatfs(found_.fd.get());
    if (!fs || fs->f_type != PROC_SUPER_MAGIC) return false;
    return target.starts_with('/') || target.find(':') != target.npos;
  }

  Dirfd root_;
  Policy policy_;
  uint64_t root_mount_ = 0;
  std::vector<std::string> pending_;  // components still to walk, next one last
  std::vector<std::string> names_;    // components walked, free of links
  Found found_;                       // where the walk stands; empty at the root
  bool is_directory_ = true;
  bool is_symlink_ = false;
  int links_ = 0;
};

}  // namespace

Result<Found> walk_components(Dirfd root, const NormalPath& path, Policy policy, FinalLink final_link) {
  return Walk(root, policy).run(path, final_link);
}

}  // namespace dfd
