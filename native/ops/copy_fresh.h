// Directories that the copy itself has made. Nothing is to be decided in them, so one task fills many: those it was given, and those that it makes
// in them, one after the other, without a word to TypeScript in between. That is what most directories of a first copy are, and a round trip
// for each would cost as much processor time as a third of the copying.
//
// What TypeScript has to go on with is handed back: a directory in which something is left to do or to tell, with the directories in it; and, after
// a while, those that were not begun, so that all threads have their share of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ops/copy_pair.h"

namespace dfd {

struct FreshDirectory {
  TreePath path{};      // below both roots
  std::string below{};  // the same below the directory that the task was given
  Ticket ticket{};
  DestinationState state = DestinationState::kFresh;
  uint32_t origin = 0;  // in which of the directories that the task was given: its index
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
  std::vector<FreshDirectory> rest;
};

// `only_mount`: a directory of another mount is made and stays empty; 0: mounts are crossed.
Filled fill(const std::shared_ptr<CopyRun>& run, std::vector<FreshDirectory> given, uint64_t only_mount,
            bool umask_is_zero, const Stop& stop);

}  // namespace dfd
