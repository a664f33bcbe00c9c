// A signal that calls a thread out of a system call, which then answers EINTR. Nothing else ends a wait in
// fcntl(F_OFD_SETLKW): it has no timeout, and closing the file leaves the waiter asleep.
//
// Dispositions belong to the process, so its threads and environments share one signal: the highest real-time signal
// that nobody handles, taken with the first WakeSignal and given back with the last.
#pragma once

#include <pthread.h>

namespace dfd::sys {

class WakeSignal {
 public:
  WakeSignal();
  ~WakeSignal();
  WakeSignal(const WakeSignal&) = delete;
  WakeSignal& operator=(const WakeSignal&) = delete;

  // False where every real-time signal is handled by somebody else.
  explicit operator bool() const { return number_ != 0; }

  // For the thread that wants to be woken: a mask that it has inherited must not hold the signal back.
  void unblock() const;

  // A signal that comes just before the system call wakes nobody: send again until the thread has answered.
  void send(pthread_t thread) const;

 private:
  int number_ = 0;
};

}  // namespace dfd::sys
