// What long work and its owner share: the owner's wish to stop goes in, counters come out. Any thread may use either at
// any time.
#pragma once

#include <atomic>
#include <cstdint>

#include "ops/cancel.h"

namespace dfd {

struct Job {
  CancelFlag cancel;
  std::atomic<uint64_t> entries{0};
  std::atomic<uint64_t> files{0};
  std::atomic<uint64_t> bytes{0};
  std::atomic<uint64_t> unchanged_bytes{0};  // of content that was there already

  void count_entry() { count_entries(1); }
  void count_entries(uint64_t amount) { entries.fetch_add(amount, std::memory_order_relaxed); }
  void count_file() { files.fetch_add(1, std::memory_order_relaxed); }
  void count_bytes(uint64_t amount) { bytes.fetch_add(amount, std::memory_order_relaxed); }
  void count_unchanged(uint64_t amount) { unchanged_bytes.fetch_add(amount, std::memory_order_relaxed); }
};

// Both reasons to stop, asked between system calls: the owner's, and the end of the environment.
class Stop {
 public:
  Stop(const CancelFlag& job, const CancelFlag& pool) : job_(job), pool_(pool) {}
  bool wanted() const { return job_.cancelled() || pool_.cancelled(); }

 private:
  const CancelFlag& job_;
  const CancelFlag& pool_;
};

}  // namespace dfd
