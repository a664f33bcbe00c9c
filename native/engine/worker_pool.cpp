#include "engine/worker_pool.h"

#include <algorithm>

#include "sys/thread.h"

namespace dfd {

bool WorkerPool::post(Job job) {
  std::lock_guard lock(mutex_);
  if (stopping_) return false;
  if (idle_ <= jobs_.size() && threads_.size() < limit_) {
    auto thread = Thread::start([this] { run(); });
    if (thread) threads_.push_back(*std::move(thread));
    // With at least one thread a refusal costs only speed.
    if (threads_.empty()) return false;
  }
  jobs_.push_back(std::move(job));
  wake_.notify_one();
  return true;
}

void WorkerPool::set_limit(size_t limit) {
  std::lock_guard lock(mutex_);
  limit_ = std::max<size_t>(limit, 1);
}

void WorkerPool::stop() {
  std::vector<Thread> threads;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    cancel_.cancel();
    jobs_.clear();
    threads.swap(threads_);
  }
  wake_.notify_all();
  for (Thread& thread : threads) thread.join();
}

void WorkerPool::run() noexcept {
  WorkerContext context{.umask_is_zero = umask_ == Umask::kOwn && sys::unshare_umask().ok(), .cancel = cancel_};
  std::unique_lock lock(mutex_);
  for (;;) {
    idle_++;
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    idle_--;
    if (stopping_) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job(context);
    job = nullptr;  // lets go of fds before the next wait
    lock.lock();
  }
}

}  // namespace dfd
