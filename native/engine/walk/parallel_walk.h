// Orders any and breadth: a queue of directories that threads take from and add to. One very wide directory is shared out too: while
// other threads have nothing to do, the one that lists it hands them pieces of the listing to stat.
//
//   a thread   busy ── queue empty ─▶ flush ─▶ idle ── task ─▶ busy
//                                      idle, and nobody busy, and no question open ─▶ finished: all threads leave
//
// Depth first for `any` (newest task first: few directories are open or pending at a time), oldest first for `breadth`.
#pragma once

#include <array>
#include <deque>

#include "engine/walk/reporter.h"
#include "engine/walk/walk.h"

namespace dfd {

class ParallelWalk final : public Walk {
 public:
  ParallelWalk(SharedFd root, Policy policy, WalkOptions options, Sink sink)
      : Walk(std::move(root), policy, options, std::move(sink)), limit_(this->options.threads) {}
  ~ParallelWalk() override;

 private:
  // A directory to list, or, with a descriptor, a piece of its listing to stat.
  struct Task {
    NodeRef node{};
    SharedFd fd{};
    std::vector<std::byte> dirents{};
  };
  struct Worker {
    explicit Worker(WalkShared& walk) : reporter(walk) {}
    Reporter reporter;
    std::vector<NodeRef> children;
    alignas(8) std::array<std::byte, 32 * 1024> buffer;
  };
  enum class Outcome : uint8_t { kDone, kNoDescriptors };

  Status begin(NodeRef root_node) override;
  void answered(std::span<const Candidate> candidates) override;

  void run() noexcept;
  bool next_task(std::unique_lock<std::mutex>& lock, Worker& worker, Task& task);
  Outcome perform(Worker& worker, const Task& task);
  Outcome list(Worker& worker, const NodeRef& node);
  void read_entries(Worker& worker, const NodeRef& node, const SharedFd& fd);
  bool share_out(const NodeRef& node, const SharedFd& fd, std::span<const std::byte> dirents);
  bool stat_entries(Worker& worker, Dirfd fd, std::span<const std::byte> dirents);
  void failed(Worker& worker, const NodeRef& node, const SysError& error);
  void give_back(Task task);
  // Under mutex_.
  void push(Task task);
  Task pop();
  void finish_if_done();

  // Guarded by mutex_.
  std::deque<Task> queue_;
  size_t limit_;      // of threads
  size_t alive_ = 0;  // threads that have not left
  size_t busy_ = 0;   // threads with a task, or with records to flush
  size_t idle_ = 0;
  bool finished_ = false;
};

}  // namespace dfd
