// The descriptors that a walk holds open. A directory stays open while children wait to be opened from it, as far as the budget goes;
// beyond it the children's parent is reached again from the nearest ancestor that is still open, without following a symlink, and must
// be the same directory as before (mount id and inode), or the walk says so.
//
//   open(child) ── parent held? ── yes ─▶ openat(parent, name)
//                       └──────── no ──▶ resolve from an ancestor, compare identity ─▶ hold again ─▶ openat
//
// Safe for any thread. A descriptor that is let go of while a thread uses it closes when that thread is done.
#pragma once

#include <atomic>
#include <list>
#include <mutex>

#include "engine/walk/directory_node.h"
#include "ops/resolve.h"

namespace dfd {

class OpenDirectories {
 public:
  // Which ones to hold when the budget is short: those that will be needed first.
  enum class Hold : uint8_t { kNewest, kOldest };

  struct Rules {
    size_t budget = 0;
    Hold hold = Hold::kNewest;
    bool cross_mounts = true;
    Scope link_scope = Scope::kBeneath;  // for directories that were reached through followed links
  };

  OpenDirectories(SharedFd root, Rules rules) : root_(std::move(root)), rules_(rules) {}

  // A description of its own, at its start, to list the directory with. Reason::kChanged where something else stands in its place;
  // ENOENT where nothing does; EMFILE or ENFILE only after everything held here has been given up.
  Result<SharedFd> open(const DirectoryRef& node);

  // A descriptor that names in the directory can be looked up from.
  Result<SharedFd> descriptor_of(const DirectoryRef& node);

  // One who needed it (see DirectoryNode::wanted) needs it no longer.
  void release(const DirectoryRef& node);

  void let_go(const DirectoryRef& node);
  void let_go_of_all();

  uint64_t reopened() const { return reopened_.load(std::memory_order_relaxed); }

 private:
  Result<SharedFd> try_open(const DirectoryRef& node);
  Result<SharedFd> open_again(const DirectoryRef& node);
  Result<UniqueFd> open_child(Dirfd parent, const char* name) const;
  SharedFd held(const DirectoryRef& node);
  enum class Need : uint8_t { kLater, kNow };
  void hold(const DirectoryRef& node, const SharedFd& fd, Need need);
  SharedFd take(const DirectoryRef& node);

  SharedFd root_;
  Rules rules_;
  std::mutex mutex_;
  std::list<DirectoryRef> held_;  // oldest first
  std::atomic<uint64_t> reopened_{0};
};

}  // namespace dfd
