// What one environment (the main thread, or one worker_threads Worker) owns: its worker pool, and the queue by which
// pool threads hand finished tasks back. No state is shared between environments but the probe caches of sys/probe.
#pragma once

#include <napi.h>

#include <memory>

#include "engine/worker_pool.h"

namespace dfd {

// Work that leaves the JS thread and comes back: constructed and finished there, run elsewhere.
class PooledTask {
 public:
  virtual ~PooledTask() = default;
  virtual void run(const WorkerContext& context) noexcept = 0;  // on a pool thread
  virtual void finish(Napi::Env env) = 0;                       // on the JS thread
};

class Environment {
 public:
  // Sets itself as the environment's instance data.
  static void create(Napi::Env env);
  static Environment& of(Napi::Env env);

  // False where the environment is shutting down or no thread can be had.
  bool run_pooled(std::unique_ptr<PooledTask> task);
  WorkerPool& pool() { return pool_; }

  explicit Environment(Napi::Env env) : env_(env), pool_(4) {}
  ~Environment() { shut_down(); }

 private:
  bool open_queue();
  void shut_down();
  static void deliver(napi_env env, napi_value, void* context, void* data);

  Napi::Env env_;
  WorkerPool pool_;
  napi_threadsafe_function queue_ = nullptr;
  size_t pending_ = 0;  // tasks out; the queue keeps the event loop alive while there are any
};

}  // namespace dfd
