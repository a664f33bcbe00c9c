#ifdef DIRFD_LIBURING

#include "engine/uring/ring.h"

#include "engine/uring/availability.h"
#include "sys/probe.h"

namespace dfd {

std::atomic<CompletionFault> completion_fault{nullptr};

namespace {

constexpr unsigned kOpcodeShift = 56;

// One thread submits and reaps, and nothing interrupts it: completions are taken in when it asks (6.1). Older kernels refuse the flags.
int initialize(unsigned depth, io_uring* ring) {
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CLAMP;
  int answer = ::io_uring_queue_init_params(depth, ring, &params);
  if (answer != -EINVAL) return answer;
  params = {};
  params.flags = IORING_SETUP_CLAMP;
  return ::io_uring_queue_init_params(depth, ring, &params);
}

bool knows_all(io_uring* ring) {
  io_uring_probe* probe = ::io_uring_get_probe_ring(ring);
  if (!probe) return false;  // before 5.6
  bool all = true;
  for (int operation : {IORING_OP_STATX, IORING_OP_READ, IORING_OP_WRITE, IORING_OP_READ_FIXED, IORING_OP_WRITE_FIXED,
                        IORING_OP_OPENAT2, IORING_OP_CLOSE, IORING_OP_ASYNC_CANCEL}) {
    all = all && ::io_uring_opcode_supported(probe, operation);
  }
  ::io_uring_free_probe(probe);
  return all;
}

RingAvailability ask() {
  io_uring ring{};
  if (int answer = initialize(1, &ring); answer < 0) return {.state = RingState::kRefused, .err = -answer};
  const bool all = knows_all(&ring);
  ::io_uring_queue_exit(&ring);
  return {.state = all ? RingState::kAvailable : RingState::kMissingCall};
}

}  // namespace

RingAvailability ring_availability() {
  static std::atomic<bool> available = false;
  if (available.load(std::memory_order_relaxed)) return {};
  if (sys::disabled(sys::Feature::kIoUring)) return {.state = RingState::kDisabled};
  const RingAvailability answer = ask();
  available.store(answer.state == RingState::kAvailable, std::memory_order_relaxed);
  return answer;
}

Result<std::unique_ptr<Ring>> Ring::open(unsigned depth) {
  std::unique_ptr<Ring> ring(new Ring);
  if (int answer = initialize(depth, &ring->ring_); answer < 0) {
    ring->ring_.ring_fd = -1;
    return failure(Call::kIoUringSetup, -answer);
  }
  // By default as few as four kernel threads a processor wait for files: not what a file system with latency needs. Refused before 5.15.
  unsigned waiting[2] = {depth, depth};
  (void)::io_uring_register_iowq_max_workers(&ring->ring_, waiting);
  return ring;
}

Ring::~Ring() {
  if (ring_.ring_fd < 0) return;
  (void)drain();
  ::io_uring_queue_exit(&ring_);
}

void Ring::add(io_uring_sqe* request, uint32_t tag) {
  request->user_data = tag | static_cast<uint64_t>(request->opcode) << kOpcodeShift;
  in_flight_++;
}

Status Ring::submit_and_wait(unsigned count) {
  for (;;) {
    int answer = ::io_uring_submit_and_wait(&ring_, count);
    if (answer >= 0) return success();
    if (answer != -EINTR) return failure(Call::kIoUringEnter, -answer);
  }
}

bool Ring::drain() {
  if (in_flight_ == 0) return true;
  if (io_uring_sqe* request = next()) {
    ::io_uring_prep_cancel(request, nullptr, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);  // EINVAL before 5.19
    request->user_data = kCancelTag;
    cancels_++;
  }
  return finish([](uint32_t, int) {});
}

int Ring::result_of(const io_uring_cqe& cqe) {
  const CompletionFault fault = completion_fault.load(std::memory_order_relaxed);
  if (fault) return fault(static_cast<uint8_t>(cqe.user_data >> kOpcodeShift), cqe.res);
  return cqe.res;
}

}  // namespace dfd

#endif
