// A directory that the walk has found: its name, its place in the tree and its identity. Nodes form chains up to the root, so a tree of
// any depth costs each directory one name, and a path is put together only when a batch needs it.
//
//   lives    as long as a child, a task or a thread refers to it
//   threads  the names never change; `fd`, `slot` belong to OpenDirectories and its lock; the counts are atomic
#pragma once

#include <atomic>
#include <list>
#include <string>
#include <string_view>
#include <utility>

#include "sys/fd.h"
#include "sys/stat.h"

namespace dfd {

struct DirectoryNode;

// An intrusive reference: chains are let go of in a loop, where std::shared_ptr would recurse once a level.
class DirectoryRef {
 public:
  DirectoryRef() = default;
  explicit DirectoryRef(DirectoryNode* node) : node_(node) { hold(node_); }
  DirectoryRef(const DirectoryRef& other) : node_(other.node_) { hold(node_); }
  DirectoryRef(DirectoryRef&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  DirectoryRef& operator=(DirectoryRef other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~DirectoryRef() { release(node_); }

  DirectoryNode* operator->() const { return node_; }
  DirectoryNode& operator*() const { return *node_; }
  explicit operator bool() const { return node_ != nullptr; }
  bool operator==(const DirectoryRef& other) const { return node_ == other.node_; }

 private:
  static void hold(DirectoryNode* node);
  static void release(DirectoryNode* node);
  DirectoryNode* node_ = nullptr;
};

enum class Entering : uint8_t { kNone, kEnter, kSkip };

struct DirectoryNode {
  DirectoryRef parent;  // none: the root
  std::string name;
  sys::Identity identity;
  uint32_t depth = 0;         // of the directory itself; the root has 0
  bool through_link = false;  // `name` is a symlink that was followed

  std::atomic<Entering> decision{Entering::kNone};  // JavaScript's answer, where the walk asks

  // Who still needs the directory's descriptor: the listing itself, and each child that has yet to be opened. Once 0, always 0.
  std::atomic<uint32_t> wanted{1};
  SharedFd fd;
  std::list<DirectoryRef>::iterator slot;

  std::atomic<uint32_t> references{0};
};

// Relative to the root; empty for the root.
std::string path_of(const DirectoryNode& node);

inline void append_component(std::string& path, std::string_view name) {
  if (!path.empty()) path += '/';
  path += name;
}

}  // namespace dfd
