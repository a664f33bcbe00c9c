// A source directory and the destination directory that becomes its copy: the unit in which TypeScript drives a copy.
//
//   CopyPair::open    both directories by their paths below the roots, proved to be the ones expected; the source listed, one statx an entry
//   apply             a range of its entries, by one decision each; ranges of one pair may run on several threads at a time
//   link              one entry, as a hard link to one that was copied before
//   finish            the directory's own owner, ACLs, xattrs, mode and times
//
// Between calls a pair holds no descriptor, only the paths and identities to open and prove both directories again.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ops/batch.h"
#include "ops/copy_entry.h"
#include "ops/copy_options.h"
#include "ops/ticket.h"
#include "sys/stat.h"

namespace dfd {

enum class DestinationState : uint8_t {
  kNone,       // dry run, and nothing there
  kFresh,      // made by this copy in a directory made by this copy: private, nothing inherited
  kFreshHere,  // made by this copy in a directory that was there before, which may have handed down ACLs and group
  kExisting,   // was there before: others may be in it
};

// What is to become of one source entry. One byte each; TypeScript knows them as `Decision`.
enum class Decision : uint8_t {
  kSkip,
  kCreate,              // nothing of this name is there
  kReplace,             // something that is no directory is there
  kMakeDirectory,       // nothing of this name is there
  kEnterDirectory,      // a directory is there and stays
  kReplaceByDirectory,  // something that is no directory is there and gives way to one
  kReplaceTree,         // a directory is there and gives way, with all it holds
  kMetadata,            // a file with the same content is there, as far as stat tells: only what differs besides
  kCount,
};

// A decision, and what TypeScript wants to hear of it: where something of the same kind stands there, in what it differs (Outcome::kTold).
struct Step {
  static constexpr uint8_t kTells = 0x40;
  static constexpr uint8_t kOnlyTells = 0x80;

  Decision decision = Decision::kCreate;
  bool tells = false;
  bool acts = true;  // false: a dry run
};

// How an entry came out of apply, for those that TypeScript hears of.
enum class Outcome : uint8_t {
  kUndecided,  // by the default rule: one of its other names is being copied at the moment, so TypeScript must wait for that
  kDone,       // made; its ticket is good
  kEntered,  // a directory that was there before
  kTold,     // compared with what stood there; `changes` has the answer
  kFailed,   // by the default rule: not made, though other names of it wait for this one
  kLarge,    // by the default rule: a large file, to be copied on its own, so that one thread does not get all of them
};

inline bool is_left_to_do(Outcome outcome) { return outcome == Outcome::kUndecided || outcome == Outcome::kLarge; }

struct CopyCounts {
  uint32_t files = 0;
  uint32_t symlinks = 0;
  uint32_t directories = 0;
  uint32_t specials = 0;
  uint32_t links = 0;
  uint32_t updated = 0;  // kMetadata, where anything had to be changed
  uint32_t retries = 0;
};

// What came of a range. Entries that TypeScript must go on with (directories, files with several names) are repeated, with their index.
struct Applied {
  CopyCounts counts;
  BatchBuilder entries;
  std::vector<uint32_t> indices;
  std::vector<Outcome> outcomes;
  std::vector<Ticket> tickets;
  std::vector<Changes> changes;  // of kTold
  std::vector<CopyProblem> problems;
  bool has_files = false;  // among the entries
};

struct OpenHow {
  bool list_source = true;
  bool list_destination = false;
  bool seen = false;      // its entries have been counted by a survey
  bool copy_now = false;  // by the default rule: create everything
  bool tells = false;     // in what the directory itself differs from the one that stands there
};

class CopyRange;

class CopyPair {
 public:
  CopyPair(std::shared_ptr<CopyRun> run, TreePath path, Ticket ticket, DestinationState state)
      : run_(std::move(run)), path_(std::move(path)), ticket_(ticket), state_(state) {}

  // A pair of one entry: a single file, under another name in the destination root.
  static Result<std::shared_ptr<CopyPair>> single(std::shared_ptr<CopyRun> run, std::string source_name,
                                                  std::string destination_name);

  // `applied` is filled where copy_now could be done, and finished() tells whether nothing is left at all.
  Status open(OpenHow how, bool umask_is_zero, const Stop& stop, Applied& applied);

  // No decisions: the default rule.
  Status apply(size_t first, size_t count, const Step* steps, bool umask_is_zero, const Stop& stop, Applied& applied);
  Status link(size_t index, const std::string& first_path, const Ticket& first, Step step, Applied& applied);
  Status finish(Applied& applied);

  size_t entries() const { return entries_.size(); }
  std::string_view name(uint32_t index) const { return index < entries_.size() ? entry_name(entries_[index]) : ""; }
  // When it is finished: nothing below it can be reached then.
  bool shuts_owner_out() const;
  bool copied() const { return copied_; }
  bool finished() const { return finished_; }
  Changes changes() const { return changes_; }  // of the directory itself, before anything was done in it
  PackedBatch pack_source() const;
  PackedBatch take_destination() { return destination_entries_.take(); }
  bool has_destination_entries() const { return listed_destination_; }

 private:
  struct Entry {
    uint32_t name;  // offset into names_, NUL-terminated there
    StatRecord stat;
  };
  struct Directories {
    Dirfd source() const { return from->get(); }
    Dirfd destination() const { return to->get(); }
    SharedFd from;
    SharedFd to;                    // null in a dry run onto nothing
    StatRecord destination_stat{};  // now, after whatever was made in it
  };
  std::string_view entry_name(const Entry& entry) const { return names_.data() + entry.name; }
  Status try_open(OpenHow how, bool umask_is_zero, const Stop& stop, Applied& applied);
  Result<Directories> open_directories();
  Status list_source(Dirfd source, bool defer_files, const Stop& stop, std::vector<CopyProblem>& problems);
  bool may_defer_files(Dirfd source) const;
  bool may_be_abandoned(std::string_view name, const struct statx& stx) const;
  Status remove_debris(Directories& directories);
  Status list_destination(Dirfd destination, const Stop& stop);
  // It keeps `stop` and `applied`.
  CopyRange range_in(const Directories& directories, const NewFiles& new_files, const Stop& stop,
                     Applied& applied) const;
  bool may_be_read_ahead(const StatRecord& stat, const Step* step) const;
  void apply_in(const Directories& directories, size_t first, size_t count, const Step* steps, bool umask_is_zero,
                const Stop& stop, Applied& applied);
  void finish_in(const Directories& directories, Applied& applied);

  std::shared_ptr<CopyRun> run_;
  TreePath path_;
  Ticket ticket_;
  DestinationState state_;
  std::optional<std::string> destination_name_;  // of the only entry, where it differs

  StatRecord source_stat_{};
  StatRecord destination_stat_{};
  bool seen_ = false;
  std::atomic<bool> widened_ = false;  // an existing directory was given the bits its owner needs to write
  std::atomic<bool> failed_ = false;   // some entry was not copied

  std::vector<Entry> entries_;
  std::string names_;
  BatchBuilder destination_entries_;
  std::vector<std::string> debris_;  // staging directories at the destination
  bool listed_destination_ = false;
  bool copied_ = false;
  bool finished_ = false;
  Changes changes_{};
};

}  // namespace dfd
