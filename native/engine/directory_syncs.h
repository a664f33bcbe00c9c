// The fsyncs of directories, shared by all threads of an environment that change the same one at a time.
//
//   a change made      before a fsync begins is covered by it, and only then
//   so a caller        joins the round that has not begun yet; the first to want one leads it, as soon as the running one has ended
//
//   A ──▶ round 1 running ───────────────┐
//   B ──▶ leads round 2, waits ──────────┴─▶ round 2 running ──▶ B, C and D have their answer
//   C ──▶ joins round 2            D ──▶ joins
//
// A failure is everybody's who was in the round: the kernel tells it once.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "sys/fd.h"

namespace dfd {

class DirectorySyncs {
 public:
  // Blocks; for dirfd's own threads. `directory` is open for reading.
  Status sync(Dirfd directory);

 private:
  struct Round {
    bool done = false;
    Status outcome = success();
  };
  struct Directory {
    bool running = false;
    std::shared_ptr<Round> next;  // not begun
    size_t callers = 0;
  };
  using Key = std::pair<uint64_t, uint64_t>;  // device and inode

  Status lead(std::unique_lock<std::mutex>& lock, Directory& directory, const std::shared_ptr<Round>& round, Dirfd fd);

  std::mutex mutex_;
  std::condition_variable ended_;
  std::map<Key, Directory> directories_;
};

}  // namespace dfd
