// One thread's part of the output: looks at a name with one statx, decides whether it is reported and entered, and collects the records
// into batches. Each thread of a walk has one; nothing in it is shared.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "engine/walk/directory_node.h"
#include "engine/walk/shared.h"
#include "ops/dirents.h"

namespace dfd {

// What report() found.
struct Seen {
  bool directory = false;  // reported as one
  DirectoryRef enter;      // to be entered
};

class Reporter {
 public:
  explicit Reporter(WalkShared& walk) : walk_(walk) {}

  // What is reported from now on lies in this directory.
  void enter(const DirectoryRef& directory);

  // Whether a name has to be stat'ed: what is neither to be reported nor to be entered is not, where the directory tells the type.
  bool wants(const Dirent& entry) const;
  // A name in the directory. Where the walk asks, the decision to enter comes after the batch has been flushed.
  Seen report(Dirfd fd, const Dirent& entry);
  // The same for a name that is wanted and has been stat'ed.
  Seen report(const Dirent& entry, Result<struct statx> stx);

  // The directory itself could not be opened, or read to its end.
  void report_failure(const SysError& error);
  // The bytes of the directory's own .gitignore, where it has one.
  void report_ignore_file(Dirfd fd);
  // All below `child`, a directory in this one, has been reported.
  void report_leave(std::string_view child, const StatRecord& stat);

  // The stat of the directory that report() saw last.
  const StatRecord& last_stat() const { return last_stat_; }

  bool empty() const { return builder_.empty(); }
  // Hands the batch out; waits while too much is out already. Nothing happens where it is empty.
  void flush();
  // Whether a flush since the last time this was asked had to wait for the consumer.
  bool was_held_up() { return std::exchange(held_up_, false); }
  // A consumer that has run dry is not kept waiting for a full batch.
  void flush_if_awaited();

 private:
  Result<struct statx> look_through(const Dirent& entry, const struct statx& link, bool& through_link);
  Result<struct statx> follow(const char* name);
  DirectoryRef enterable(const Dirent& entry, const struct statx& stx, bool through_link);
  bool is_ancestor(const sys::Identity& identity) const;
  void flush_if_full();

  WalkShared& walk_;
  BatchBuilder builder_;
  std::vector<Candidate> candidates_;
  DirectoryRef directory_;
  std::string path_;  // of directory_
  StatRecord last_stat_{};
  bool held_up_ = false;
  size_t limit_ = 16;  // entries in the next batch: the first goes out at once, the later ones are fat
  std::chrono::steady_clock::time_point flushed_at_{};  // long ago: what the first directory holds is not held back
};

}  // namespace dfd
