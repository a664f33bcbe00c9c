// Some entries of one pair of directories, on one thread, both directories held. Links are in copy_range_link.cpp.
#pragma once

#include <cerrno>
#include <memory>
#include <optional>
#include <string>

#include "ops/copy_pair.h"
#include "ops/staging.h"
#include "ops/sync_metadata.h"

namespace dfd {

inline SysError at_destination(const SysError& error) { return error.about(Subject::kSecondPath); }

inline bool replaces(Decision decision) { return decision == Decision::kReplace || decision == Decision::kReplaceTree; }

// The file system has no hard links, or no more for this file.
inline bool is_refusal_to_link(int err) { return err == EMLINK || err == EPERM || err == EOPNOTSUPP; }

class CopyRange {
 public:
  struct Held {
    CopyRun& run;
    const Stop& stop;
    Dirfd source;
    Dirfd destination;
    uint64_t source_dev;
    uint64_t destination_dev;
    const TreePath& path;  // of both, below their roots
    bool is_private;       // nobody but this copy makes names in the destination
    bool counts;           // in the progress
  };

  CopyRange(const Held& held, NewFiles new_files, Applied& applied);
  // What it has made for itself and cannot remove is a problem like others.
  ~CopyRange();
  CopyRange(const CopyRange&) = delete;
  CopyRange& operator=(const CopyRange&) = delete;

  // No decision: the default rule. False: the range is to stop here.
  // `early`: what was read of it ahead of its turn, or null.
  bool copy(uint32_t index, const char* name, const char* destination_name, StatRecord& stat, const Step* step,
            const EarlyFile* early = nullptr);

  // The entry as a hard link to what was copied before to `first_path`, if that is still there.
  void link(uint32_t index, const char* name, const char* destination_name, const StatRecord& stat,
            const std::string& first_path, const Ticket& first, Step step);

 private:
  Status try_act(uint32_t index, const char* name, const char* destination_name, StatRecord& stat, Step step);
  Status act(uint32_t index, const char* name, const char* destination_name, StatRecord& stat, Step step);
  Status make_directory(uint32_t index, const char* name, const char* destination_name, const StatRecord& stat);
  Status enter_directory(uint32_t index, const char* name, const char* destination_name, const StatRecord& stat);
  Status replace(uint32_t index, const char* name, const char* destination_name, StatRecord& stat, Step step);
  Status foresee(uint32_t index, const char* name, const char* destination_name, const StatRecord& stat,
                 Decision decision);
  Status copy_metadata_only(uint32_t index, const char* name, const char* destination_name, StatRecord& stat,
                            Step step);
  Status copy_other(uint32_t index, const char* name, const char* destination_name, StatRecord& stat,
                    Decision decision);
  void shut(const char* destination_name, const struct statx& made, Losses& losses);
  bool open_up_at(Dirfd dir, const char* name);
  Status copy_shared(uint32_t index, const char* name, const char* destination_name, StatRecord& stat);
  Status leave_large(uint32_t index, const char* name, const StatRecord& stat);
  Status look_at_names(const EntryPlace& place, StatRecord& stat);
  Result<Changes> compare(const char* name, const char* destination_name, const StatRecord& stat,
                          const StatRecord& present, bool bytes_too);
  // In what a name that is to become a link differs from what stands there.
  Changes changes_of_link(const char* name, const char* destination_name, const StatRecord& stat);
  // False: it is that link already.
  Result<bool> link_at(const char* destination_name, const std::string& first_path, const Ticket& first,
                       Decision decision);
  Status remove_at_destination(const char* name);
  bool may_resume(const StatRecord& stat) const;
  Status copy_resumable(uint32_t index, Staging& partial, const EntryPlace& final_place, StatRecord& stat,
                        Decision decision, Losses& losses);
  Status publish(Dirfd staging, const std::string& staged, const char* name, Decision decision);
  Status stage();

  // What TypeScript hears of an entry.
  struct News {
    Outcome outcome;
    Ticket ticket{};
    Changes changes{};
  };
  void hear(uint32_t index, const char* name, const StatRecord& stat, const News& news);
  void done(uint32_t index, const char* name, const StatRecord& stat, const struct statx& destination,
            Outcome outcome = Outcome::kDone);
  void tell(uint32_t index, const char* name, const StatRecord& stat, Changes changes);
  void count(const StatRecord& stat);
  void count_unchanged(const StatRecord& stat);

  // Below the roots.
  std::string path_of(const char* name) const;
  EntryNames names(const char* name, const char* destination_name) const;

  Held held_;
  NewFiles new_files_;
  Applied& applied_;
  Staging staging_;
  EntryCopier copier_;
  bool leaves_large_ = false;               // by the default rule, large files
  const EarlyFile* early_ = nullptr;        // of the entry at work, until it is tried
  bool found_names_ = false;                // of the entry at work: it has several, and nothing was done
  std::optional<LinkTable::File> claimed_;  // the same, where this is the first of them, until that is settled
};

}  // namespace dfd
