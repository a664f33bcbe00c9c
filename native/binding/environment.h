// What one environment (the main thread, or one worker_threads Worker) owns: its worker pools, its waits for locks, and
// the queue by which their threads hand finished tasks back. No state is shared between environments but the probe caches
// of sys/probe and the signal of sys/wake_signal.
//
//   pool_        walks, copies, removals: bound by the processor
//   waiters_     durable writes: each waits for the disk most of the time, and the more wait together, the fewer writes the disk has to do
//   lock_waits_  waits for locks that others hold
#pragma once

#include <napi.h>

#include <memory>

#include "engine/directory_syncs.h"
#include "engine/first_visits.h"
#include "engine/lock_waits.h"
#include "engine/worker_pool.h"

namespace dfd {

// What the durable writes of one environment share; any thread.
struct DurableWrites {
  DirectorySyncs syncs;
  FirstVisits swept;  // directories in which a crash's drafts have been looked for
};

// Work that leaves the JS thread and comes back: constructed and finished there.
class AwayTask {
 public:
  virtual ~AwayTask() = default;
  virtual void finish(Napi::Env env) = 0;  // on the JS thread
};

class PooledTask : public AwayTask {
 public:
  virtual void run(const WorkerContext& context) noexcept = 0;  // on a pool thread
};

// Ends when the lock is had, or the wait for it has failed.
class LockTask : public AwayTask {
 public:
  virtual LockWait wait() = 0;                     // what to wait for; `done` is the environment's
  virtual void keep(Status outcome) noexcept = 0;  // on a waiting thread
};

class Environment {
 public:
  // Sets itself as the environment's instance data.
  static void create(Napi::Env env);
  static Environment& of(Napi::Env env);

  // False where the environment is shutting down or no thread can be had.
  bool run_pooled(std::unique_ptr<PooledTask> task) { return run_on(pool_, std::move(task)); }
  bool run_waiting(std::unique_ptr<PooledTask> task) { return run_on(waiters_, std::move(task)); }
  // False also where no signal is left to wake the waiting thread by.
  bool run_lock_wait(std::unique_ptr<LockTask> task);
  WorkerPool& pool() { return pool_; }
  const std::shared_ptr<DurableWrites>& durable_writes() const { return durable_writes_; }
  LockWaits& lock_waits() { return lock_waits_; }

  explicit Environment(Napi::Env env) : env_(env), pool_(4), waiters_(32, WorkerPool::Umask::kShared) {}
  ~Environment() { shut_down(); }

 private:
  bool run_on(WorkerPool& pool, std::unique_ptr<PooledTask> task);
  bool open_queue();
  void count_out();
  static void hand_back(napi_threadsafe_function queue, std::unique_ptr<AwayTask> task);
  void shut_down();
  static void deliver(napi_env env, napi_value, void* context, void* data);

  Napi::Env env_;
  WorkerPool pool_;
  WorkerPool waiters_;
  std::shared_ptr<DurableWrites> durable_writes_ = std::make_shared<DurableWrites>();
  LockWaits lock_waits_;
  napi_threadsafe_function queue_ = nullptr;
  size_t pending_ = 0;  // tasks out; the queue keeps the event loop alive while there are any
};

}  // namespace dfd
