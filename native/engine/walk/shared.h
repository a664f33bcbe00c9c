// What the threads of one walk have in common.
#pragma once

#include <atomic>
#include <vector>

#include "engine/walk/directory_node.h"
#include "engine/walk/flow.h"
#include "engine/walk/open_directories.h"
#include "engine/walk/options.h"
#include "engine/walk/stat_ahead.h"
#include "ops/cancel.h"

namespace dfd {

// A directory that JavaScript decides about: the record that tells of it, and its node.
struct Candidate {
  size_t record;
  DirectoryRef node;
};

// At one moment a thread may use, beside what is held: the directory it lists, that one's parent, and one step of a resolution.
inline constexpr size_t kDescriptorsPerThread = 3;

struct WalkCounters {
  std::atomic<uint64_t> entries{0};
  std::atomic<uint64_t> directories{0};
  std::atomic<uint64_t> errors{0};
  std::atomic<uint64_t> vanished{0};
  std::atomic<uint64_t> threads{0};
};

inline void count(std::atomic<uint64_t>& counter, uint64_t more = 1) {
  counter.fetch_add(more, std::memory_order_relaxed);
}

struct WalkShared {
  WalkShared(SharedFd root, Policy policy, WalkOptions options, Sink sink);

  // Registers the candidates of a batch that is about to go out; the answer may come at once. 0 where there are none.
  virtual uint64_t ask(std::vector<Candidate> candidates) = 0;

  const SharedFd root;
  const WalkOptions options;
  const Policy link_policy;  // for links that are followed
  const Sink sink;
  RingChoice ring_choice;
  OpenDirectories directories;
  Flow flow;
  CancelFlag stopping;
  WalkCounters counters;
  uint64_t root_mount = 0;

 protected:
  ~WalkShared() = default;
};

}  // namespace dfd
