// What a walk is asked to do, and what it hands out. See walk.h for the whole.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>

#include "engine/uring/engine.h"
#include "ops/batch.h"

namespace dfd {

enum class Order : uint8_t {
  kAny,  // directories as they come, on several threads; what a directory holds may come before the directory itself
  kBreadth,  // all entries of one depth before any of the next
  kDepth,    // a directory, then all that is below it, then the entry that follows it
  kSorted,   // by the bytes of the paths, as `LC_ALL=C sort` puts them
};

struct WalkOptions {
  Order order = Order::kAny;
  Engine engine = Engine::kAuto;
  uint32_t max_depth = std::numeric_limits<uint32_t>::max();  // 1: the root's own entries
  bool one_file_system = false;                               // mount points are reported, not entered
  bool follow = false;                                        // links count as what they point to, beneath the root
  bool ask = false;                                           // JavaScript says which directories to enter
  bool ignore_files = false;                                  // hand out each directory's .gitignore
  bool leave = false;                                         // an event after the last entry below a directory
  uint32_t kinds = ~0U;                                       // bit S_IFMT >> 12 of the types to report
  size_t threads = 2;                                         // at most; one is started, others as work piles up
  size_t running_threads = 2;    // as many can run at once; more are for waiting for a disk
  size_t open_directories = 64;  // at most, for all threads together
  size_t batch_entries = 1000;
  size_t batch_bytes = 256 * 1024;
  size_t outstanding_bytes = 1024 * 1024;  // batches handed out and not yet acknowledged
};

inline uint32_t kind_bit(mode_t mode) { return 1U << ((mode & S_IFMT) >> 12); }

// One step of a walk, made on any of its threads and given away for good.
struct Delivery {
  PackedBatch batch{};
  uint64_t question = 0;  // not 0: the walk waits for answer(question, …) on this batch
  bool last = false;      // nothing follows; the threads are at their end
};

// Called from the walk's threads, never under a lock of the walk.
using Sink = std::function<void(Delivery)>;

struct WalkStatistics {
  uint64_t entries = 0;      // reported, leave events and errors apart
  uint64_t directories = 0;  // listed
  uint64_t errors = 0;
  uint64_t vanished = 0;  // names that were gone before they could be stat'ed or opened
  uint64_t reopened = 0;  // directories reached again from further up, for want of descriptors
  uint64_t threads = 0;   // started
};

}  // namespace dfd
