// dirfd's own threads for work that takes long (copies, removals, lock waits), so that libuv's pool, and with it all of
// node:fs, never waits behind it.
//
//   owner      one environment (binding/environment.h); made at the first job, joined when the environment ends
//   threads    grow with the jobs waiting, up to `limit`; each has a umask of its own, 0, unless it is to share the process's
//   teardown   stop(): refuse new jobs, drop those that wait, cancel those that run, join
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "engine/thread.h"
#include "ops/cancel.h"

namespace dfd {

// What a worker thread can promise its job.
struct WorkerContext {
  bool umask_is_zero;        // files get exactly the mode that open(2) was given
  const CancelFlag& cancel;  // the whole pool is stopping
};

class WorkerPool {
 public:
  using Job = std::function<void(const WorkerContext&)>;

  enum class Umask : uint8_t {
    kOwn,     // 0, apart from the process's, where the kernel allows it
    kShared,  // the process's, whatever it is at the time
  };

  explicit WorkerPool(size_t limit, Umask umask = Umask::kOwn) : limit_(limit), umask_(umask) {}
  ~WorkerPool() { stop(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False after stop(), or where no thread could be started at all; the job is dropped then.
  bool post(Job job);

  // More or fewer threads from now on; at least one.
  void set_limit(size_t limit);

  void stop();

 private:
  void run() noexcept;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  std::vector<Thread> threads_;
  size_t limit_;
  const Umask umask_;
  size_t idle_ = 0;
  bool stopping_ = false;
  CancelFlag cancel_;
};

}  // namespace dfd
