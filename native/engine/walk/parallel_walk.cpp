#include "engine/walk/parallel_walk.h"

#include <algorithm>

#include "sys/directory.h"

namespace dfd {

ParallelWalk::~ParallelWalk() {
  cancel();
  join();
}

Status ParallelWalk::begin(DirectoryRef root_node) {
  std::lock_guard lock(mutex_);
  queue_.push_back(Task{.node = std::move(root_node)});
  alive_++;
  auto status = start_thread([this] { run(); });
  if (!status) alive_--;
  return status;
}

void ParallelWalk::run() noexcept {
  auto worker = std::make_unique<Worker>(static_cast<WalkShared&>(*this));
  std::unique_lock lock(mutex_);
  busy_++;
  for (Task task; next_task(lock, *worker, task);) {
    lock.unlock();
    Outcome outcome = perform(*worker, task);
    if (outcome == Outcome::kNoDescriptors) {
      worker->reporter.flush();
      lock.lock();
      if (give_back(std::move(task))) break;
      continue;
    }
    task = Task{};
    learn(*worker);
    lock.lock();
  }
  bool last = --alive_ == 0;
  lock.unlock();
  worker.reset();
  if (last) sink(Delivery{.last = true});
}

// Leaves with the lock held, false when the thread is to end. The thread counts as busy until it has nothing left to flush: what it
// flushes may be a question.
bool ParallelWalk::next_task(std::unique_lock<std::mutex>& lock, Worker& worker, Task& task) {
  for (;;) {
    if (stopping.cancelled() || finished_) return false;
    if (!queue_.empty() && busy_ <= target_.value()) {
      task = pop();
      return true;
    }
    if (!worker.reporter.empty()) {
      lock.unlock();
      worker.reporter.flush();
      lock.lock();
      continue;
    }
    busy_--;
    finish_if_done();
    idle_++;
    wake_.wait(lock, [this] { return finished_ || stopping.cancelled() || has_task(); });
    idle_--;
    busy_++;
    worker.meter.restart();
  }
}

void ParallelWalk::finish_if_done() {
  if (busy_ > 0 || !queue_.empty() || is_waiting_for_answers()) return;
  finished_ = true;
  wake_.notify_all();
}

ParallelWalk::Outcome ParallelWalk::perform(Worker& worker, const Task& task) {
  if (!task.fd) return list(worker, task.node);
  worker.reporter.enter(task.node);
  if (!stat_entries(worker, task.fd->get(), task.dirents)) {
    worker.reporter.report_failure(failure(Call::kGetdents64, EIO));
  }
  directories.release(task.node);
  return Outcome::kDone;
}

ParallelWalk::Outcome ParallelWalk::list(Worker& worker, const DirectoryRef& node) {
  auto fd = directories.open(node);
  if (is_out_of_descriptors(fd.err())) {
    // Another thread will go on and close what it has open; only the last one has to call it a failure.
    std::lock_guard lock(mutex_);
    if (busy_ > 1) return Outcome::kNoDescriptors;
  }
  if (node->parent) directories.release(node->parent);
  if (fd) {
    read_entries(worker, node, *fd);
  } else {
    failed(worker, node, fd.error());
  }
  directories.release(node);
  worker.reporter.flush_if_awaited();
  return Outcome::kDone;
}

void ParallelWalk::read_entries(Worker& worker, const DirectoryRef& node, const SharedFd& fd) {
  count(counters.directories);
  worker.reporter.enter(node);
  if (options.ignore_files) worker.reporter.report_ignore_file(fd->get());
  while (!stopping.cancelled()) {
    auto got = sys::getdents64(fd->get(), worker.buffer);
    if (!got) return failed(worker, node, got.error());
    if (*got == 0) return;
    auto dirents = std::span<const std::byte>(worker.buffer).first(*got);
    learn(worker);
    if (share_out(node, fd, dirents)) continue;
    if (!stat_entries(worker, fd->get(), dirents)) return failed(worker, node, failure(Call::kGetdents64, EIO));
  }
}

bool ParallelWalk::share_out(const DirectoryRef& node, const SharedFd& fd, std::span<const std::byte> dirents) {
  constexpr size_t kWorthIt = 16 * 1024;  // some 500 names
  // A directory's .gitignore must reach JavaScript before its entries, so they stay with one thread.
  if (dirents.size() < kWorthIt || options.order != Order::kAny || options.ignore_files) return false;
  std::lock_guard lock(mutex_);
  // One piece for each of the other threads, whether it has nothing to do now or soon will have: none should wait while the next piece is
  // read.
  if (queue_.size() + 1 >= target_.value()) return false;
  node->wanted.fetch_add(1, std::memory_order_relaxed);
  push(Task{.node = node, .fd = fd, .dirents = {dirents.begin(), dirents.end()}});
  return true;
}

bool ParallelWalk::stat_entries(Worker& worker, Dirfd fd, std::span<const std::byte> dirents) {
  const bool together = ring_choice.is_ring() || ring_choice.is_open();
  bool sound = for_each_dirent(dirents, [&](const Dirent& entry) {
    if (stopping.cancelled()) return;
    if (together) return collect(worker, fd, entry);
    DirectoryRef child = worker.reporter.report(fd, entry).enter;
    if (child && !options.ask) worker.children.push_back(std::move(child));
  });
  stat_together(worker, fd);
  if (!worker.children.empty()) {
    std::lock_guard lock(mutex_);
    for (DirectoryRef& child : worker.children) push(Task{.node = std::move(child)});
    worker.children.clear();
  }
  return sound;
}

// For a ring. As long as it is open whether there will be one, a few names at a time: what is one thread's task may take it seconds.
void ParallelWalk::collect(Worker& worker, Dirfd fd, const Dirent& entry) {
  constexpr size_t kFew = 8;
  if (worker.reporter.wants(entry)) worker.entries.push_back(entry);
  if (worker.entries.size() < kFew || ring_choice.is_ring()) return;
  stat_together(worker, fd);
  learn(worker);
}

void ParallelWalk::stat_together(Worker& worker, Dirfd fd) {
  auto take = [&](const Seen& seen) {
    if (seen.enter && !options.ask) worker.children.push_back(seen.enter);
  };
  if (StatRing* ring = worker.ahead.ring(worker.entries.size())) {
    ring->stat(fd, worker.entries, window(), stopping,
               [&](const Dirent& entry, const Result<struct statx>& stx) { take(worker.reporter.report(entry, stx)); });
  } else {
    for (const Dirent& entry : worker.entries) {
      if (stopping.cancelled()) break;
      take(worker.reporter.report(fd, entry));
    }
  }
  worker.entries.clear();
}

// Of the requests that all threads together may have in flight, this one's share: each takes a kernel thread while it waits.
unsigned ParallelWalk::window() {
  constexpr size_t kAll = 512;
  constexpr size_t kLeast = 16;
  std::lock_guard lock(mutex_);
  return static_cast<unsigned>(std::max(kAll / std::max<size_t>(busy_, 1), kLeast));
}

void ParallelWalk::failed(Worker& worker, const DirectoryRef& node, const SysError& error) {
  if (error.err == ENOENT && error.reason == Reason::kErrno) return count(counters.vanished);
  worker.reporter.enter(node);
  worker.reporter.report_failure(error);
}

void ParallelWalk::answered(std::span<const Candidate> candidates) {
  for (const Candidate& candidate : candidates) {
    if (candidate.node->decision.load(std::memory_order_relaxed) == Entering::kEnter)
      push(Task{.node = candidate.node});
  }
  finish_if_done();
}

// True where others are at work still, who will see to the task. The last one stays and tries again, for threads that find themselves without
// descriptors at the same time must not all leave it to each other.
bool ParallelWalk::give_back(Task task) {
  if (busy_ == 1) {
    queue_.push_back(std::move(task));
    return false;
  }
  busy_--;
  target_.cap(busy_);  // no thread takes this one's place, those that idle included
  push(std::move(task));
  return true;
}

// What the last task was like for this thread, where a reading is due.
void ParallelWalk::learn(Worker& worker) {
  if (options.running_threads == options.threads && !ring_choice.is_open()) return;
  if (worker.reporter.was_held_up()) return worker.meter.restart();
  auto reading = worker.meter.read();
  if (!reading) return;
  ring_choice.learn(*reading);
  std::lock_guard lock(mutex_);
  const size_t before = target_.value();
  target_.learn(*reading);
  for (size_t more = before; more < target_.value() && more - before < queue_.size(); more++) call_thread();
}

void ParallelWalk::push(Task task) {
  // The thread that pushes takes one directory next; what is more than that is for others. A piece of a listing always is.
  const bool for_others = !queue_.empty() || task.fd || idle_ > 0;
  queue_.push_back(std::move(task));
  if (for_others) call_thread();
}

// One more thread for the queue, if the target allows: an idle one, or a new one.
void ParallelWalk::call_thread() {
  if (busy_ >= target_.value()) return;
  if (idle_ > 0) return wake_.notify_one();
  if (alive_ == 0 || alive_ >= target_.value()) return;  // 0: cancelled, and the last delivery is out
  alive_++;
  if (start_thread([this] { run(); })) return;
  alive_--;
  target_.cap(alive_);  // the ones there are will do
}

ParallelWalk::Task ParallelWalk::pop() {
  Task task;
  if (options.order == Order::kAny) {
    task = std::move(queue_.back());
    queue_.pop_back();
  } else {
    task = std::move(queue_.front());
    queue_.pop_front();
  }
  return task;
}

}  // namespace dfd
