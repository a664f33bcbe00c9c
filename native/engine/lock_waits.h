// Waits for locks that others hold. Each blocks in the kernel, in F_OFD_SETLKW, so that the one who may go is woken at
// once and nobody asks in a loop; on threads of their own, so that neither libuv's pool nor dirfd's stands still.
//
//   owner      one environment; threads come with the waits and go after them, all but one
//   bound      kMostThreads wait at a time. While there are more waits than that, whoever has waited longest is called
//              back every kTurn and goes behind the others, so that a lock that is free is found, whoever stands before
//   watch      a thread that exists from the first cancellation or the first wait too many: it sends the wake signal
//              until the waiting thread has answered, because one that comes too early is lost
//   teardown   stop(): refuse new waits, drop all, call every thread back, join
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>

#include "engine/thread.h"
#include "ops/job.h"
#include "sys/lock.h"
#include "sys/wake_signal.h"

namespace dfd {

struct LockWait {
  SharedFd file;
  sys::LockKind kind = sys::LockKind::kExclusive;
  sys::LockRange range;
  std::shared_ptr<Job> job;
  // Called once, on another thread, unless the set is stopped before: ECANCELED where the job was cancelled, and then
  // the locks of the file are what they were.
  std::function<void(Status)> done;
};

class LockWaits {
 public:
  static constexpr size_t kMostThreads = 64;
  static constexpr std::chrono::milliseconds kTurn{20};

  ~LockWaits() { stop(); }

  // False after stop(), or where no thread, or no signal to wake it by, is to be had.
  bool start(LockWait wait);

  // Ends the waits of this job.
  void cancel(Job& job);

  void stop();

 private:
  using Clock = std::chrono::steady_clock;

  struct Waiter {
    Thread thread;
    pthread_t id{};
    bool blocked = false;  // in the kernel, or about to be: the wake signal is for it
    Clock::time_point since;
    const Job* job = nullptr;
  };

  void run(Waiter& self) noexcept;
  void watch() noexcept;
  bool add_thread();
  bool ensure_watch();
  void join_ended();
  std::optional<std::chrono::milliseconds> call_back(Clock::time_point now);

  std::mutex mutex_;
  std::condition_variable work_;      // a wait is queued, or all stop
  std::condition_variable trouble_;   // the watch has something to do
  std::condition_variable answered_;  // a thread has come back from the kernel
  std::deque<LockWait> queue_;
  std::list<Waiter> waiters_;
  std::list<Waiter> ended_;
  std::unique_ptr<sys::WakeSignal> signal_;
  Thread watch_;
  bool watching_ = false;
  size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace dfd
