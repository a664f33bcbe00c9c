#include "sys/wake_signal.h"

#include <csignal>
#include <mutex>

namespace dfd::sys {

namespace {

std::mutex shared;
int taken = 0;
int users = 0;

void wake(int) {}

bool unhandled(int number) {
  struct sigaction action {};
  return ::sigaction(number, nullptr, &action) == 0 && (action.sa_flags & SA_SIGINFO) == 0 &&
         action.sa_handler == SIG_DFL;
}

int take() {
  for (int number = SIGRTMAX; number >= SIGRTMIN; number--) {
    if (!unhandled(number)) continue;
    struct sigaction action {};
    action.sa_handler = wake;  // without SA_RESTART: the system call is to end
    sigemptyset(&action.sa_mask);
    if (::sigaction(number, &action, nullptr) == 0) return number;
  }
  return 0;
}

}  // namespace

WakeSignal::WakeSignal() {
  std::lock_guard lock(shared);
  if (users == 0) taken = take();
  if (taken != 0) users++;
  number_ = taken;
}

WakeSignal::~WakeSignal() {
  std::lock_guard lock(shared);
  if (number_ == 0 || --users > 0) return;
  // The addon may be unloaded with the last worker thread that uses it; a handler must not stay behind.
  ::signal(taken, SIG_DFL);
  taken = 0;
}

void WakeSignal::unblock() const {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number_);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void WakeSignal::send(pthread_t thread) const { ::pthread_kill(thread, number_); }

}  // namespace dfd::sys
