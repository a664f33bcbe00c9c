#include "binding/environment.h"

namespace dfd {

void Environment::create(Napi::Env env) { env.SetInstanceData(new Environment(env)); }

Environment& Environment::of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

bool Environment::open_queue() {
  if (queue_) return true;
  Napi::String name = Napi::String::New(env_, "dirfd pool");
  // Queue size 0 means unbounded: a bounded queue with blocking calls from several producers can hang at shutdown.
  napi_status status = napi_create_threadsafe_function(env_, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this,
                                                       &Environment::deliver, &queue_);
  if (status != napi_ok) return false;
  napi_unref_threadsafe_function(env_, queue_);
  // Added after the queue's own hook and therefore run before it: threads are joined while their queue still exists.
  napi_add_env_cleanup_hook(
      env_, [](void* self) { static_cast<Environment*>(self)->shut_down(); }, this);
  return true;
}

bool Environment::run_on(WorkerPool& pool, std::unique_ptr<PooledTask> task) {
  if (!open_queue()) return false;
  // std::function wants something copyable, so the task travels as a shared pointer until it is queued for delivery.
  auto shared = std::make_shared<std::unique_ptr<PooledTask>>(std::move(task));
  bool posted = pool.post([shared, queue = queue_](const WorkerContext& context) {
    PooledTask* running = shared->get();
    running->run(context);
    hand_back(queue, std::move(*shared));
  });
  if (posted) count_out();
  return posted;
}

bool Environment::run_lock_wait(std::unique_ptr<LockTask> task) {
  if (!open_queue()) return false;
  auto shared = std::make_shared<std::unique_ptr<LockTask>>(std::move(task));
  LockWait wait = (*shared)->wait();
  wait.done = [shared, queue = queue_](Status outcome) {
    (*shared)->keep(outcome);
    hand_back(queue, std::move(*shared));
  };
  const bool started = lock_waits_.start(std::move(wait));
  if (started) count_out();
  return started;
}

// The event loop lives on while a task is out.
void Environment::count_out() {
  if (pending_++ == 0) napi_ref_threadsafe_function(env_, queue_);
}

void Environment::hand_back(napi_threadsafe_function queue, std::unique_ptr<AwayTask> task) {
  if (napi_call_threadsafe_function(queue, task.get(), napi_tsfn_nonblocking) == napi_ok) task.release();
}

void Environment::deliver(napi_env env, napi_value, void* context, void* data) {
  std::unique_ptr<AwayTask> task(static_cast<AwayTask*>(data));
  if (!env) return;  // the environment has ended; only the memory and the fds are left to free
  Environment* self = static_cast<Environment*>(context);
  if (--self->pending_ == 0) napi_unref_threadsafe_function(env, self->queue_);
  Napi::HandleScope scope(env);
  task->finish(env);
}

void Environment::shut_down() {
  pool_.stop();
  waiters_.stop();
  lock_waits_.stop();
  if (queue_) napi_release_threadsafe_function(std::exchange(queue_, nullptr), napi_tsfn_abort);
}

}  // namespace dfd
