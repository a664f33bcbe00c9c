#include "engine/lock_waits.h"

#include <algorithm>

namespace dfd {

namespace {

// Between two signals to a thread that has not answered: it was on its way into the kernel.
constexpr std::chrono::milliseconds kAgain{1};

}  // namespace

bool LockWaits::start(LockWait wait) {
  std::lock_guard lock(mutex_);
  if (stopping_) return false;
  join_ended();
  if (!signal_) signal_ = std::make_unique<sys::WakeSignal>();
  if (!*signal_) return false;
  // An idle thread is taken by a wait that is queued already.
  if (idle_ <= queue_.size() && waiters_.size() < kMostThreads && !add_thread() && waiters_.empty()) return false;
  const bool too_many = idle_ <= queue_.size();
  if (too_many && waiters_.size() >= kMostThreads && !ensure_watch()) return false;
  queue_.push_back(std::move(wait));
  work_.notify_one();
  trouble_.notify_one();
  return true;
}

void LockWaits::cancel(Job& job) {
  std::unique_lock lock(mutex_);
  if (stopping_) return;
  job.cancel.cancel();
  auto queued =
      std::find_if(queue_.begin(), queue_.end(), [&](const LockWait& wait) { return wait.job.get() == &job; });
  if (queued != queue_.end()) {
    LockWait wait = std::move(*queued);
    queue_.erase(queued);
    lock.unlock();
    wait.done(failure(Call::kFcntl, ECANCELED));
    return;
  }
  // Where no thread is to be had, the next cancellation has to try again.
  ensure_watch();
  trouble_.notify_one();
}

void LockWaits::stop() {
  std::list<Waiter> waiters;
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    queue_.clear();
    work_.notify_all();
    trouble_.notify_all();
    for (;;) {
      bool blocked = false;
      for (Waiter& waiter : waiters_) {
        if (!waiter.blocked) continue;
        blocked = true;
        signal_->send(waiter.id);
      }
      if (!blocked) break;
      answered_.wait_for(lock, kAgain);
    }
    waiters.swap(waiters_);
    waiters.splice(waiters.end(), ended_);
  }
  watch_.join();
  waiters.clear();  // joins
}

bool LockWaits::add_thread() {
  Waiter& waiter = waiters_.emplace_back();
  auto thread = Thread::start([this, &waiter] { run(waiter); });
  if (!thread) {
    waiters_.pop_back();
    return false;
  }
  waiter.thread = *std::move(thread);
  return true;
}

bool LockWaits::ensure_watch() {
  if (watching_) return true;
  auto thread = Thread::start([this] { watch(); });
  if (!thread) return false;
  watch_ = *std::move(thread);
  watching_ = true;
  return true;
}

void LockWaits::join_ended() { ended_.clear(); }

void LockWaits::run(Waiter& self) noexcept {
  std::unique_lock lock(mutex_);
  self.id = ::pthread_self();
  signal_->unblock();
  for (;;) {
    if (queue_.empty() && idle_ > 0 && !stopping_) {
      // One thread is kept for the next wait; the others go, and whoever comes next joins them.
      auto here = std::find_if(waiters_.begin(), waiters_.end(), [&](const Waiter& each) { return &each == &self; });
      ended_.splice(ended_.end(), waiters_, here);
      return;
    }
    idle_++;
    work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    idle_--;
    if (stopping_) return;
    LockWait wait = std::move(queue_.front());
    queue_.pop_front();

    Status outcome = failure(Call::kFcntl, ECANCELED);
    if (!wait.job->cancel.cancelled()) {
      self.blocked = true;
      self.since = Clock::now();
      self.job = wait.job.get();
      lock.unlock();
      outcome = sys::wait_lock(wait.file->get(), wait.kind, wait.range);
      lock.lock();
      self.blocked = false;
      self.job = nullptr;
      answered_.notify_all();
    }
    if (stopping_) return;
    if (outcome.err() == EINTR) {
      if (!wait.job->cancel.cancelled()) {
        queue_.push_back(std::move(wait));
        continue;
      }
      outcome = failure(Call::kFcntl, ECANCELED);
    }
    lock.unlock();
    wait.done(outcome);
    wait = {};  // lets go of the file before the next wait
    lock.lock();
  }
}

void LockWaits::watch() noexcept {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (auto again = call_back(Clock::now())) {
      trouble_.wait_for(lock, *again);
    } else {
      trouble_.wait(lock);
    }
  }
}

// Wakes whoever is to come back from the kernel; when to look again, if anybody is.
std::optional<std::chrono::milliseconds> LockWaits::call_back(Clock::time_point now) {
  bool unanswered = false;
  size_t places = waiters_.size() < kMostThreads ? 0 : queue_.size();
  for (Waiter& waiter : waiters_) {
    if (!waiter.blocked) continue;
    const bool cancelled = waiter.job->cancel.cancelled();
    const bool had_its_turn = places > 0 && now - waiter.since >= kTurn;
    if (!cancelled && !had_its_turn) continue;
    signal_->send(waiter.id);
    unanswered = true;
    if (had_its_turn) places--;
  }
  if (unanswered) return kAgain;
  if (places > 0) return kTurn;
  return std::nullopt;
}

}  // namespace dfd
