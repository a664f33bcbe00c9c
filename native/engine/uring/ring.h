// One io_uring of one thread: submission, completion, and the end of what is in flight. What the requests are is known by stat_ring.cpp,
// file_ring.cpp and data_ring.cpp.
//
//   next() ─▶ io_uring_prep_* ─▶ add(request, tag) ─▶ submit_and_wait(n) ─▶ reap(visit(tag, result))
//
// A result is what the system call would return, an errno as a negative number.
//
// A ring is no way around anything: its requests name one entry in a held directory, with the flags of native/sys, or an open file.
// Buffers that a request writes to must outlive it, so nobody leaves before drain(). Compiled only where there is liburing.
#pragma once

#include <liburing.h>

#include <atomic>
#include <memory>

#include "sys/result.h"

namespace dfd {

class Ring {
 public:
  // `depth` requests at a time. They wait in kernel threads (io-wq) where the file system cannot answer at once: as many as there are requests.
  static Result<std::unique_ptr<Ring>> open(unsigned depth);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // A request to be filled in and added. There is room for `depth` of them between two submissions; the caller counts.
  io_uring_sqe* next() { return ::io_uring_get_sqe(&ring_); }
  void add(io_uring_sqe* request, uint32_t tag);

  // Submits what was prepared and waits for `count` completions. Where the kernel takes none (no memory), the answer says so.
  Status submit_and_wait(unsigned count);

  template <class Visit>
  void reap(Visit&& visit) {
    io_uring_cqe* cqe = nullptr;
    unsigned head = 0;
    unsigned count = 0;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      count++;
      if (cqe->user_data == kCancelTag) {
        cancels_--;
        continue;
      }
      in_flight_--;
      visit(static_cast<uint32_t>(cqe->user_data), result_of(*cqe));
    }
    ::io_uring_cq_advance(&ring_, count);
  }

  unsigned in_flight() const { return in_flight_; }

  // Submits what was prepared and waits for all that is in flight. False: the kernel takes nothing any more, so that the ring is to be given up: what
  // was prepared would go out with the next submission.
  template <class Visit>
  bool finish(Visit&& visit) {
    while (in_flight_ > 0) {
      const bool taken = submit_and_wait(in_flight_).ok();
      reap(visit);
      // What the kernel has not taken it will not answer: a seccomp filter may let rings be made, and nothing be submitted.
      if (!taken && !is_any_in_kernel()) {
        in_flight_ = 0;
        return false;
      }
    }
    return true;
  }

  // The same, but calls off what has not begun, and nobody hears of the answers.
  bool drain();

  // Fixed buffers cost less a request. False: too little memory may be locked (RLIMIT_MEMLOCK), so they are ordinary ones.
  bool register_buffers(const iovec* buffers, unsigned count) {
    return ::io_uring_register_buffers(&ring_, buffers, count) == 0;
  }

 private:
  Ring() = default;
  bool is_any_in_kernel() const { return ::io_uring_sq_ready(&ring_) < in_flight_ + cancels_; }
  static int result_of(const io_uring_cqe& cqe);

  static constexpr uint64_t kCancelTag = UINT64_MAX;

  io_uring ring_{};
  unsigned in_flight_ = 0;
  unsigned cancels_ = 0;
};

// The answer is about the ring, not about the file: this one request is to be made by an ordinary system call.
inline bool is_for_a_thread(int result) {
  switch (-result) {
    case EAGAIN:      // not without waiting
    case EINTR:       // a signal for the thread
    case ECANCELED:   // an earlier link of its chain failed, or it was called off
    case ENOMEM:      // no kernel thread, no request
    case EOPNOTSUPP:  // this file knows no such operation
    case EINVAL:  // nor this one: O_DIRECT off its alignment. An ordinary call says EINVAL again where it is the file's own
      return true;
    default: return false;
  }
}

// Tests only: answers in the place of completions, since no tracer can see these. Called on the thread of the ring with the request's opcode
// and its true result; what it returns is taken for the result.
using CompletionFault = int (*)(uint8_t opcode, int result);
extern std::atomic<CompletionFault> completion_fault;

}  // namespace dfd
