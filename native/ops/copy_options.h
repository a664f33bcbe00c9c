// What a copy is asked to keep, what its files share while it runs, and how it tells what could not be kept.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ops/bulk_move.h"
#include "ops/job.h"
#include "ops/keep_rules.h"
#include "ops/link_table.h"
#include "ops/pace.h"
#include "ops/recent_directories.h"
#include "ops/root_check.h"
#include "ops/settled.h"
#include "ops/stat_many.h"
#include "ops/times_kept.h"
#include "sys/fd.h"

namespace dfd {

enum class Choice : uint8_t { kAuto, kAlways, kNever };

struct CopyOptions {
  Choice reflink = Choice::kAuto;
  Choice sparse = Choice::kAuto;
  bool owner = true;
  bool xattrs = true;  // all but POSIX ACLs
  bool acl = true;
  bool times = true;
  bool access_times = false;
  bool flags = false;        // inode flags, of files and directories
  bool project_ids = false;  // and whether a directory hands its own down
  bool hard_links = true;
  bool checksum = false;  // files of one size are compared byte by byte, instead of by time
  bool fsync_each = false;
  bool keep_going = false;   // false: a task stops at the first entry that cannot be copied
  bool verify = false;       // read each file back
  bool resume = false;       // keep large files that are cut off, and go on with them
  uint32_t retries = 0;      // of an entry, after a transient error
  uint32_t retry_delay = 0;  // milliseconds
  uint32_t range = 512;      // entries that one thread takes at a time; a directory with more is shared out
  KeepRules rules{};         // of owners and modes

  // A file's mode is its source's, and is known before anything else of it is.
  bool keeps_mode() const { return acl && !rules.any(); }
};

// What may be lost while the entry itself is copied; kEntry: the entry is not there at all.
enum class Aspect : uint8_t {
  kEntry,
  kVanished,  // gone from the source before it could be copied
  kOwner,
  kMode,
  kXattr,
  kAcl,
  kCapability,
  kTimes,
  kHardLink,
  kDurability,  // fsync
  kFlags,
  kProject,
  kCount,
};

// The directory itself, among the entries of a directory.
inline constexpr uint32_t kSelf = UINT32_MAX;

struct CopyProblem {
  uint32_t entry = kSelf;
  Aspect aspect = Aspect::kEntry;
  SysError error;
  std::string detail{};  // kXattr: the attribute's name; kFlags: letters; of kSelf and kEntry, a name of the copy's own
};

// Refusals of FICLONE and copy_file_range by a pair of file systems: asked once per pair, never remembered beyond the copy, because the
// next one may run over other mounts.
class Refusals {
 public:
  enum class Way : uint8_t { kFiclone, kCopyFileRange, kBulkMove };

  bool refused(Way way, uint64_t source_dev, uint64_t destination_dev) const {
    std::lock_guard lock(mutex_);
    for (const Entry& entry : entries_) {
      if (entry.way == way && entry.source_dev == source_dev && entry.destination_dev == destination_dev) return true;
    }
    return false;
  }
  void remember(Way way, uint64_t source_dev, uint64_t destination_dev) {
    if (refused(way, source_dev, destination_dev)) return;
    std::lock_guard lock(mutex_);
    entries_.push_back({way, source_dev, destination_dev});
  }

 private:
  struct Entry {
    Way way;
    uint64_t source_dev;
    uint64_t destination_dev;
  };
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
};

// How small files are read ahead of their turn: ops/read_ahead.h.
class ManyFiles;
using OpenManyFiles = std::unique_ptr<ManyFiles> (*)();  // null: none to be had

struct ReadingAhead {
  OpenManyFiles open = nullptr;  // null: not at all
  bool always = false;           // else as long as the source takes its time
  std::atomic<bool> is_slow = false;
};

// Which directories the roots are. A copy that meets its other root would copy its own copy without end, or delete what it copies.
struct CopyRoots {
  Node source{};
  Node destination{};
};

// One run of copyTree, shared by all its tasks.
struct CopyRun {
  SharedFd source;
  SharedFd destination;  // null in a dry run
  bool cross_destination_mounts = true;
  CopyRoots roots{};
  CopyOptions options{};
  std::shared_ptr<Job> job;
  Refusals refusals;
  LocalClocks clocks{};
  TimeGrain grain{};
  Pace pace;
  RecentDirectories recent_sources{};
  RecentDirectories recent_destinations{};
  LinkTable links{};
  std::mutex opening_up{};  // immutable files, for a moment: see CopyRange::link_at
  BulkMove bulk_move = nullptr;
  ReadingAhead ahead{};
  StatMany stat_source = nullptr;  // for the lists of either side
  StatMany stat_destination = nullptr;

  // Whether extents may be shared between the two, as far as is known.
  bool may_clone(uint64_t source_dev, uint64_t destination_dev) const {
    if (options.reflink == Choice::kNever) return false;
    return options.reflink == Choice::kAlways ||
           !refusals.refused(Refusals::Way::kFiclone, source_dev, destination_dev);
  }
};

}  // namespace dfd
