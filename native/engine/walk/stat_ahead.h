// Whether and how a walk's thread stats many names at a time. With Engine::kAuto that is for file systems behind a server (ops/served.h) whose
// threads do little but wait: a local disk answers as many threads as its queue is long just as fast, and what is cached is answered faster
// without a ring.
//
// Each thread has one; the ring is opened at its first use. Where none can be had, nothing but speed is lost.
#pragma once

#include <atomic>
#include <memory>

#include "engine/uring/engine.h"
#include "engine/uring/stat_ring.h"
#include "engine/walk/wait_meter.h"

namespace dfd {

// Shared by the threads of a walk.
class RingChoice {
 public:
  RingChoice(Engine engine, Dirfd root);

  bool is_ring() const { return ring_.load(std::memory_order_relaxed); }
  // Whether readings are of any use.
  bool is_open() const { return open_; }
  void learn(const Reading& reading);

 private:
  const bool open_;
  std::atomic<bool> ring_;
};

class StatAhead {
 public:
  explicit StatAhead(RingChoice& choice) : choice_(choice) {}

  // The ring to stat so many names with, or null: they are to be stat'ed one after the other.
  StatRing* ring(size_t names);

 private:
  RingChoice& choice_;
  std::unique_ptr<StatRing> ring_;
  bool refused_ = false;
};

}  // namespace dfd
