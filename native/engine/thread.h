// std::thread reports a refused thread by throwing, and the engine is built without exceptions; pthread_create just
// answers.
#pragma once

#include <pthread.h>

#include <functional>
#include <memory>

#include "sys/result.h"

namespace dfd {

// A thread that is joined when its owner goes.
class Thread {
 public:
  Thread() = default;
  Thread(Thread&& other) noexcept : id_(other.id_), running_(std::exchange(other.running_, false)) {}
  Thread& operator=(Thread&& other) noexcept {
    join();
    id_ = other.id_;
    running_ = std::exchange(other.running_, false);
    return *this;
  }
  ~Thread() { join(); }

  // EAGAIN: the system or the container allows no more threads (pthread_create(3)).
  static Result<Thread> start(std::function<void()> body) {
    auto owned = std::make_unique<std::function<void()>>(std::move(body));
    Thread thread;
    int err = ::pthread_create(&thread.id_, nullptr, &Thread::enter, owned.get());
    if (err != 0) return failure(Call::kThreadCreate, err);
    owned.release();
    thread.running_ = true;
    return thread;
  }

  void join() {
    if (std::exchange(running_, false)) ::pthread_join(id_, nullptr);
  }

 private:
  static void* enter(void* argument) noexcept {
    std::unique_ptr<std::function<void()>> body(static_cast<std::function<void()>*>(argument));
    (*body)();
    return nullptr;
  }

  pthread_t id_{};
  bool running_ = false;
};

}  // namespace dfd
