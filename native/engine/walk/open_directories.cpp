#include "engine/walk/open_directories.h"

#include <fcntl.h>

#include <algorithm>
#include <vector>

#include "sys/open.h"
#include "sys/probe.h"

namespace dfd {

namespace {

constexpr int kListing = O_RDONLY | O_DIRECTORY;

// What a directory's name answers once it is no directory any more: a file gives ENOTDIR, a symlink ENOTDIR or ELOOP, and a mount that
// came in between EXDEV.
bool means_changed(int err) { return err == ENOTDIR || err == ELOOP || err == EXDEV; }

SysError changed(const SysError& error) {
  SysError own = error;
  own.reason = Reason::kChanged;
  return own;
}

}  // namespace

Result<SharedFd> OpenDirectories::open(const DirectoryRef& node) {
  auto fd = try_open(node);
  if (is_out_of_descriptors(fd.err())) {
    let_go_of_all();
    fd = try_open(node);
  }
  if (fd) {
    hold(node, *fd, Need::kLater);
    return fd;
  }
  return means_changed(fd.err()) ? changed(fd.error()) : fd.error();
}

Result<SharedFd> OpenDirectories::descriptor_of(const DirectoryRef& node) {
  if (SharedFd fd = held(node)) return fd;
  auto fd = open_again(node);
  if (is_out_of_descriptors(fd.err())) {
    let_go_of_all();
    fd = open_again(node);
  }
  if (fd) {
    hold(node, *fd, Need::kNow);
    return fd;
  }
  // It was there and reachable; whether it was removed or moved cannot be told from here, so it is not passed over in silence.
  return means_changed(fd.err()) || fd.err() == ENOENT ? changed(fd.error()) : fd.error();
}

void OpenDirectories::release(const DirectoryRef& node) {
  // The lock is taken by the last one only. Nobody can come to need it again: children are made by the listing, which counts itself.
  if (node->wanted.fetch_sub(1, std::memory_order_acq_rel) == 1) take(node);
}

void OpenDirectories::let_go(const DirectoryRef& node) { take(node); }

void OpenDirectories::let_go_of_all() {
  std::vector<SharedFd> closing;
  std::lock_guard lock(mutex_);
  for (const DirectoryRef& node : held_) closing.push_back(std::move(node->fd));
  held_.clear();
}

Result<SharedFd> OpenDirectories::try_open(const DirectoryRef& node) {
  if (!node->parent) {
    auto fd = sys::openat(root_->get(), ".", kListing);
    if (!fd) return fd.error();
    return share(*std::move(fd));
  }
  if (node->through_link) return open_again(node);
  auto parent = descriptor_of(node->parent);
  if (!parent) return parent.error();
  auto fd = open_child((*parent)->get(), node->name.c_str());
  if (!fd) return fd.error();
  return share(*std::move(fd));
}

Result<UniqueFd> OpenDirectories::open_child(Dirfd parent, const char* name) const {
  if (rules_.cross_mounts) return sys::openat(parent, name, kListing);
  auto fd = sys::openat2(parent, name, kListing, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV, false);
  if (fd || (fd.err() != ENOSYS && fd.err() != EPERM && fd.err() != EAGAIN)) return fd;
  // Without openat2: the mount is compared after the fact, on the very descriptor that is going to be read.
  fd = sys::openat(parent, name, kListing);
  if (!fd) return fd;
  auto here = sys::fstatx(parent);
  auto there = sys::fstatx(fd->get());
  if (!here || !there) return (here ? there : here).error();
  if (sys::identity(*here).mount != sys::identity(*there).mount) return failure(Call::kOpenat, EXDEV, kListing);
  return fd;
}

Result<SharedFd> OpenDirectories::open_again(const DirectoryRef& node) {
  std::vector<std::string_view> names;
  bool through_link = false;
  SharedFd from;
  {
    std::lock_guard lock(mutex_);
    // A link may lead anywhere below the root, so what lies behind one is resolved from the root.
    for (const DirectoryNode* at = &*node; at->parent; at = &*at->parent) {
      if (at->fd && !through_link) {
        from = at->fd;
        break;
      }
      names.push_back(at->name);
      through_link |= at->through_link;
    }
  }
  std::string path;
  for (auto name = names.rbegin(); name != names.rend(); ++name) append_component(path, *name);
  if (path.empty()) path.push_back('.');
  Policy policy{.scope = through_link ? rules_.link_scope : Scope::kNoSymlinks, .cross_mounts = rules_.cross_mounts};
  auto fd = resolve_directory(from ? from->get() : root_->get(), path, policy,
                              node->through_link ? FinalLink::kFollow : FinalLink::kKeep);
  if (!fd) return fd.error();
  auto stx = sys::fstatx(fd->get());
  if (!stx) return stx.error();
  if (sys::identity(*stx) != node->identity) return failure_because(Reason::kChanged, Call::kOpenat, ESTALE, kListing);
  reopened_.fetch_add(1, std::memory_order_relaxed);
  return share(*std::move(fd));
}

SharedFd OpenDirectories::held(const DirectoryRef& node) {
  std::lock_guard lock(mutex_);
  return node->fd;
}

void OpenDirectories::hold(const DirectoryRef& node, const SharedFd& fd, Need need) {
  SharedFd closing;  // outlives the lock
  std::lock_guard lock(mutex_);
  if (node->fd || rules_.budget == 0) return;
  bool newest_first = rules_.hold == Hold::kNewest;
  if (held_.size() >= rules_.budget) {
    // Where the oldest are needed first, a directory just listed waits behind all that are held already.
    if (!newest_first && need == Need::kLater) return;
    auto victim = newest_first ? held_.begin() : std::prev(held_.end());
    closing = std::move((*victim)->fd);
    held_.erase(victim);
  }
  node->fd = fd;
  node->slot = held_.insert(newest_first || need == Need::kLater ? held_.end() : held_.begin(), node);
}

SharedFd OpenDirectories::take(const DirectoryRef& node) {
  std::list<DirectoryRef> unlinked;
  std::lock_guard lock(mutex_);
  if (!node->fd) return nullptr;
  unlinked.splice(unlinked.end(), held_, node->slot);
  return std::move(node->fd);
}

}  // namespace dfd
