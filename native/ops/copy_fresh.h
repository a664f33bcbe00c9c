// Directories that the copy itself has made. Nothing is to be decided in them, so native code fills them, and those that it makes in them, without a
// word to TypeScript in between. That is what most directories of a first copy are, and a round trip for each would cost as much processor
// time as a third of the copying.
//
//   give ──▶ waiting ──▶ work, on as many threads as there are ──▶ hand_over: what TypeScript has to go on with
//               ▲          │
//               └──────────┘ the directories that were made in one that is done
//
// TypeScript hears of a directory in which something is left to do or to tell; and, of each that it gave, when nothing below it is left here.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "ops/copy_pair.h"

namespace dfd {

struct FreshDirectory {
  TreePath path{};  // below both roots
  Ticket ticket{};
  DestinationState state = DestinationState::kFresh;
  uint32_t origin = 0;  // TypeScript's number for the directory that it gave: this one, or one above it
};

struct Filled {
  struct Opened {
    FreshDirectory directory;
    std::shared_ptr<CopyPair> pair;
    Applied applied;
  };
  struct Failed {
    FreshDirectory directory;
    SysError error;
  };

  CopyCounts counts;           // of the directories that are done
  std::vector<Opened> opened;  // not done yet, or with problems
  std::vector<Failed> failed;  // could not be opened
  std::vector<uint32_t> done;  // origins
  size_t waiting = 0;          // directories that somebody may work on
};

class Filling {
 public:
  // `only_mount`: a directory of another mount is made and stays empty; 0: mounts are crossed.
  Filling(std::shared_ptr<CopyRun> run, uint64_t only_mount) : run_(std::move(run)), only_mount_(only_mount) {}

  const CopyRun& run() const { return *run_; }

  // Origins that were not given before.
  void give(std::vector<FreshDirectory> directories);

  // Fills what waits, for a while. On any number of threads.
  Filled work(bool umask_is_zero, const Stop& stop);

  // On TypeScript's thread, as it hears of what came of the work. Not before: it would hear from another thread that all below an origin is done
  // when it has not heard yet of the directory in which something is left to do.
  void hand_over(Filled& filled);

 private:
  std::optional<FreshDirectory> take();
  void end(const FreshDirectory& directory, std::vector<FreshDirectory> made, Filled& filled);
  void settle(uint32_t origin, size_t made, Filled& filled);

  const std::shared_ptr<CopyRun> run_;
  const uint64_t only_mount_;
  std::mutex mutex_;
  std::deque<FreshDirectory> waiting_;
  std::unordered_map<uint32_t, size_t>
      unfinished_;  // by origin: directories that wait, are worked on, or are not handed over
};

}  // namespace dfd
