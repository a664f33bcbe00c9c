// Orders any and breadth: a queue of directories that threads take from and add to. One very wide directory is shared out too: while
// other threads have nothing to do, the one that lists it hands them pieces of the listing to stat.
//
//   a thread   busy ── queue empty, or more are busy than the target says ─▶ flush ─▶ idle ── task, and fewer busy ─▶ busy
//                      idle, and nobody busy, and no question open ─▶ finished: all threads leave
//
// A thread is started only when there is a task for it, and then stays until the end. How many may be busy follows thread_target.h.
//
// Depth first for `any` (newest task first: few directories are open or pending at a time), oldest first for `breadth`.
#pragma once

#include <array>
#include <deque>

#include "engine/walk/reporter.h"
#include "engine/walk/thread_target.h"
#include "engine/walk/wait_meter.h"
#include "engine/walk/walk.h"

namespace dfd {

class ParallelWalk final : public Walk {
 public:
  ParallelWalk(SharedFd root, Policy policy, WalkOptions options, Sink sink)
      : Walk(std::move(root), policy, options, std::move(sink)),
        target_(this->options.running_threads, this->options.threads) {}
  ~ParallelWalk() override;

 private:
  // A directory to list, or, with a descriptor, a piece of its listing to stat.
  struct Task {
    DirectoryRef node{};
    SharedFd fd{};
    std::vector<std::byte> dirents{};
  };
  struct Worker {
    explicit Worker(WalkShared& walk) : reporter(walk), ahead(walk.ring_choice) {}
    Reporter reporter;
    StatAhead ahead;
    WaitMeter meter;
    std::vector<DirectoryRef> children;
    std::vector<Dirent> entries;  // to be stat'ed together
    alignas(8) std::array<std::byte, 32 * 1024> buffer;
  };
  enum class Outcome : uint8_t { kDone, kNoDescriptors };

  Status begin(DirectoryRef root_node) override;
  void answered(std::span<const Candidate> candidates) override;

  void run() noexcept;
  bool next_task(std::unique_lock<std::mutex>& lock, Worker& worker, Task& task);
  Outcome perform(Worker& worker, const Task& task);
  Outcome list(Worker& worker, const DirectoryRef& node);
  void read_entries(Worker& worker, const DirectoryRef& node, const SharedFd& fd);
  bool share_out(const DirectoryRef& node, const SharedFd& fd, std::span<const std::byte> dirents);
  bool stat_entries(Worker& worker, Dirfd fd, std::span<const std::byte> dirents);
  void collect(Worker& worker, Dirfd fd, const Dirent& entry);
  void stat_together(Worker& worker, Dirfd fd);
  unsigned window();
  void failed(Worker& worker, const DirectoryRef& node, const SysError& error);
  void learn(Worker& worker);
  // Under mutex_.
  bool give_back(Task task);
  void push(Task task);
  void call_thread();
  Task pop();
  bool has_task() const { return !queue_.empty() && busy_ < target_.value(); }
  void finish_if_done();

  // Guarded by mutex_.
  std::deque<Task> queue_;
  ThreadTarget target_;
  size_t alive_ = 0;  // threads that have not left
  size_t busy_ = 0;   // threads with a task, or with records to flush
  size_t idle_ = 0;
  bool finished_ = false;
};

}  // namespace dfd
