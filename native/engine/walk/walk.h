// A walk: threads of its own that list directories, stat each entry once and hand packed batches to a sink.
//
//   options.h            what to do, what comes out
//   parallel_walk.h      orders any and breadth: a queue of directories, one or more threads
//   ordered_walk.h       orders depth and sorted: a stack of directories, one thread
//   reporter.h           one name → statx → record; one thread's batch
//   open_directories.h   the descriptors held open, and the way back to those that were not
//   flow.h               back-pressure
//   directory_node.h     the tree as far as it is still needed
//
//   consumer (JS thread)                              walk's threads
//   start() ────────────────────────────────────────▶ list, stat, pack
//            ◀─────────────────────────── sink(batch) ─┘   wait while too many bytes are out
//   acknowledge(bytes) ─────────────────────────────▶ wake
//   answer(question, bytes) ────────────────────────▶ enter or skip directories
//   cancel() ───────────────────────────────────────▶ stop at the next name
//            ◀──────────────────────── sink(last) ─────┘   once, from the last thread, after every other delivery
//   join() or ~Walk()
//
// cancel() may be called from any thread and any number of times. The sink is never called under a lock, but the consumer must not join
// from inside it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>

#include "engine/thread.h"
#include "engine/walk/shared.h"

namespace dfd {

class Walk : protected WalkShared {
 public:
  // Fails where the root cannot be stat'ed, or where not even one thread can be had; nothing was delivered then.
  static Result<std::unique_ptr<Walk>> start(SharedFd root, Policy policy, WalkOptions options, Sink sink);
  virtual ~Walk();
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;

  void acknowledge(size_t bytes) { flow.give_back(bytes); }
  // One byte for each record of the batch that asked: not 0 enters the directory, 0 skips it.
  void answer(uint64_t question, std::span<const std::byte> decisions);
  void cancel();
  void join();
  WalkStatistics statistics() const;

 protected:
  using WalkShared::WalkShared;

  // Starts the first thread.
  virtual Status begin(DirectoryRef root_node) = 0;
  // Under mutex_: the candidates' nodes have their decisions. Those to enter still want their parents' descriptors.
  virtual void answered(std::span<const Candidate> candidates) = 0;

  uint64_t ask(std::vector<Candidate> candidates) override;
  // Both under mutex_.
  Status start_thread(std::function<void()> body);
  bool is_waiting_for_answers() const { return !questions_.empty(); }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Thread> threads_;

 private:
  std::map<uint64_t, std::vector<Candidate>> questions_;
  uint64_t last_question_ = 0;
};

}  // namespace dfd
