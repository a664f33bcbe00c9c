#include "ops/copy_pair.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "ops/copy_data.h"
#include "ops/copy_range.h"
#include "ops/expected.h"
#include "ops/inode_flags.h"
#include "ops/read_ahead.h"
#include "ops/resolve.h"
#include "ops/root_check.h"
#include "ops/staging.h"
#include "ops/sync_metadata.h"
#include "ops/transient.h"
#include "sys/attributes.h"
#include "sys/directory.h"

namespace dfd {

namespace {

constexpr uint32_t kOwnerBits = 0700;

}  // namespace

Result<std::shared_ptr<CopyPair>> CopyPair::single(std::shared_ptr<CopyRun> run, std::string source_name,
                                                   std::string destination_name) {
  auto pair = std::make_shared<CopyPair>(run, TreePath{}, Ticket{}, DestinationState::kExisting);
  if (!run->source) return failure(Call::kStatx, EBADF).about(Subject::kPath);
  auto stx = sys::statx(run->source->get(), source_name.c_str());
  if (!stx) return stx.error().about(Subject::kPath);
  pair->names_ = std::move(source_name);
  pair->names_.push_back('\0');
  pair->entries_.push_back({.name = 0, .stat = to_record(*stx)});
  pair->destination_name_ = std::move(destination_name);
  return pair;
}

Status CopyPair::open(OpenHow how, bool umask_is_zero, const Stop& stop, Applied& applied) {
  seen_ = how.seen;
  const CopyOptions& options = run_->options;
  for (uint32_t tries = 0;; tries++) {
    Status status = try_open(how, umask_is_zero, stop, applied);
    if (status || tries == options.retries || !is_transient(status.error(), tries)) return status;
    if (!wait_for(std::chrono::milliseconds(options.retry_delay), stop)) return failure(Call::kOpenat, ECANCELED);
    // It has failed before anything was done: only lists may have begun.
    entries_.clear();
    names_.clear();
    destination_entries_ = {};
    debris_.clear();
    applied.problems.clear();
    applied.counts.retries++;
  }
}

Status CopyPair::try_open(OpenHow how, bool umask_is_zero, const Stop& stop, Applied& applied) {
  StatRecord& source_stat = source_stat_;
  auto source =
      open_expected(run_->source, true, path_, ticket_.source, Subject::kPath, source_stat, run_->recent_sources);
  if (!source) return source.error();
  Directories directories{.from = *std::move(source), .to = {}, .destination_stat = {}};
  ticket_.source = identity(source_stat_);
  // The roots themselves were held against each other before; a dry run may have no destination at all.
  bool overlaps = Node{source_stat_.dev, source_stat_.ino} == run_->roots.destination;
  if (overlaps && how.list_source && !path_.is_root() && state_ != DestinationState::kNone) {
    return failure_because(Reason::kOverlap, Call::kOpenat, EBUSY).about(Subject::kPath);
  }
  if (state_ != DestinationState::kNone) {
    auto destination = open_expected(run_->destination, run_->cross_destination_mounts, path_, ticket_.destination,
                                     Subject::kSecondPath, destination_stat_, run_->recent_destinations);
    if (!destination) return destination.error();
    directories.to = *std::move(destination);
    ticket_.destination = identity(destination_stat_);
  }
  if (state_ == DestinationState::kFreshHere) {
    // Made by name among others, then found by name: somebody may have put a directory of theirs in its place.
    if (destination_stat_.uid != ::geteuid()) {
      return failure_because(Reason::kChanged, Call::kOpenat, ESTALE).about(Subject::kSecondPath);
    }
    if (auto status = make_private(directories.destination(), !run_->options.owner); !status) {
      return status.error().about(Subject::kSecondPath);
    }
  }
  if (how.tells && state_ == DestinationState::kExisting) {
    auto changes =
        held_changes(directories.source(), source_stat_, directories.destination(), destination_stat_, run_->options);
    if (changes) changes_ = *changes;  // what cannot be read is told when it is to be copied
  }
  if (how.list_source) {
    bool defer_files = how.copy_now && may_defer_files(directories.source());
    if (auto status = list_source(directories.source(), defer_files, stop, applied.problems); !status) {
      return status.error().about(Subject::kPath);
    }
  }
  if (how.list_destination) {
    if (auto status = list_destination(directories.destination(), stop); !status) {
      return status.error().about(Subject::kSecondPath);
    }
  }
  if (!how.copy_now || entries_.size() > run_->options.range) return success();
  apply_in(directories, 0, entries_.size(), nullptr, umask_is_zero, stop, applied);
  copied_ = true;
  for (Outcome outcome : applied.outcomes) {
    if (is_left_to_do(outcome)) return success();
  }
  // A directory that even its owner may not search has to wait until all below it is done.
  bool has_directories = !applied.outcomes.empty();
  if (has_directories && shuts_owner_out()) return success();
  finish_in(directories, applied);
  return success();
}

bool CopyPair::shuts_owner_out() const {
  return (run_->options.rules.mode(source_stat_.mode, source_stat_) & kOwnerBits) != kOwnerBits;
}

// A file that is copied in any case is stat'ed once it is open, where that one look can tell what two would. Access times must be read before
// the content is, and what is to be gone on with is known by its stat.
bool CopyPair::may_defer_files(Dirfd source) const {
  return !run_->options.access_times && !run_->options.resume && run_->clocks.include(source_stat_.dev, source);
}

Status CopyPair::list_source(Dirfd source, bool defer_files, const Stop& stop, std::vector<CopyProblem>& problems) {
  auto stated = [&](const Dirent& entry, const Result<struct statx>& stx) {
    if (stx.err() == ENOENT) return;  // vanished between the two calls: it was never part of the copy
    uint32_t name = static_cast<uint32_t>(names_.size());
    names_.append(entry.name).push_back('\0');
    entries_.push_back({.name = name, .stat = stx ? to_record(stx.value()) : StatRecord{}});
    if (stx) return;
    problems.push_back(
        {.entry = static_cast<uint32_t>(entries_.size() - 1), .aspect = Aspect::kEntry, .error = stx.error()});
  };
  if (!defer_files) return for_each_stat(source, run_->stat_source, stop, stated);
  return for_each_name(source, [&](const Dirent& entry) {
    if (entry.type != DT_REG) return stated(entry, sys::statx(source, entry.name.data()));
    entries_.push_back({.name = static_cast<uint32_t>(names_.size()), .stat = unstated_file(entry.ino)});
    names_.append(entry.name).push_back('\0');
  });
}

Status CopyPair::list_destination(Dirfd destination, const Stop& stop) {
  listed_destination_ = true;
  auto stated = [&](const Dirent& entry, const Result<struct statx>& stx) {
    if (stx && may_be_abandoned(entry.name, stx.value())) return debris_.emplace_back(entry.name), void();
    if (stx) return destination_entries_.add(entry.name, stx.value());
    if (stx.err() != ENOENT) destination_entries_.add_error(entry.name, stx.error());
  };
  return for_each_stat(destination, run_->stat_destination, stop, stated);
}

// What another copy works in, or has left: neither is anybody's to delete or replace. Looked at closer when this directory is done.
bool CopyPair::may_be_abandoned(std::string_view name, const struct statx& stx) const {
  if (!is_staging_name(name) || !S_ISDIR(stx.stx_mode) || stx.stx_uid != ::geteuid()) return false;
  return std::none_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry_name(entry) == name; });
}

Status CopyPair::remove_debris(Directories& directories) {
  // One of them may hold what the next run is to go on with.
  if (debris_.empty() || (run_->options.resume && failed_)) return success();
  CancelFlag never;
  Stop stop(run_->job->cancel, never);
  for (const std::string& name : debris_) {
    // What cannot be removed is not worth a failed copy; the next one will try again.
    (void)remove_abandoned(directories.destination(), name.c_str(), run_->roots.source, stop);
  }
  auto now = sys::fstatx(directories.destination());
  if (!now) return now.error().about(Subject::kSecondPath);
  directories.destination_stat = to_record(*now);
  return success();
}

PackedBatch CopyPair::pack_source() const {
  BatchBuilder batch;
  for (const Entry& entry : entries_) batch.add(entry_name(entry), entry.stat);
  return batch.take();
}

Result<CopyPair::Directories> CopyPair::open_directories() {
  StatRecord now;
  // Of a single file the directory is never listed: it serves as it is held, also where it may only be searched.
  const bool single = destination_name_ && run_->source;
  auto source =
      single ? Result<SharedFd>(run_->source)
             : open_expected(run_->source, true, path_, ticket_.source, Subject::kPath, now, run_->recent_sources);
  if (!source) return source.error();
  auto destination = open_expected(run_->destination, run_->cross_destination_mounts, path_, ticket_.destination,
                                   Subject::kSecondPath, now, run_->recent_destinations);
  if (!destination) return destination.error();
  if (destination_name_) {
    destination_stat_ = now;
    source_stat_.dev = entries_.front().stat.dev;
  }
  return Directories{.from = *std::move(source), .to = *std::move(destination), .destination_stat = now};
}

Status CopyPair::apply(size_t first, size_t count, const Step* steps, bool umask_is_zero, const Stop& stop,
                       Applied& applied) {
  auto directories = open_directories();
  if (!directories) return directories.error();
  apply_in(*directories, first, count, steps, umask_is_zero, stop, applied);
  return success();
}

CopyRange CopyPair::range_in(const Directories& directories, const NewFiles& new_files, const Stop& stop,
                             Applied& applied) const {
  return CopyRange({.run = *run_,
                    .stop = stop,
                    .source = directories.source(),
                    .destination = directories.destination(),
                    .source_dev = source_stat_.dev,
                    .destination_dev = destination_stat_.dev,
                    .path = path_,
                    .is_private = state_ != DestinationState::kExisting,
                    .counts = !seen_},
                   new_files, applied);
}

// A small file that will be read from its first byte to its last.
bool CopyPair::may_be_read_ahead(const StatRecord& stat, const Step* step) const {
  const CopyOptions& options = run_->options;
  const bool is_made =
      !step || (step->acts && (step->decision == Decision::kCreate || step->decision == Decision::kReplace));
  const bool is_shared = options.hard_links && stat.nlink > 1;  // one of its names will do
  return is_made && S_ISREG(stat.mode) && is_stated(stat) && !is_shared && stat.size <= kLongestAhead &&
         !may_have_holes(stat.size, stat.blocks) && options.sparse != Choice::kAlways &&
         !run_->may_clone(source_stat_.dev, destination_stat_.dev);
}

void CopyPair::apply_in(const Directories& directories, size_t first, size_t count, const Step* steps,
                        bool umask_is_zero, const Stop& stop, Applied& applied) {
  // An existing directory that its owner may not write to: widened now, set right by finish. Root needs no such help.
  bool writes = steps == nullptr || std::any_of(steps, steps + count, [](const Step& step) {
                  return step.decision != Decision::kSkip && step.acts;
                });
  bool ours =
      writes && state_ == DestinationState::kExisting && destination_stat_.uid == ::geteuid() && ::geteuid() != 0;
  if (ours && (destination_stat_.mode & kOwnerBits) != kOwnerBits && !widened_.exchange(true)) {
    (void)sys::fchmod(directories.destination(), (destination_stat_.mode & 07777) | kOwnerBits);
  }
  if (writes && run_->options.flags && state_ == DestinationState::kExisting) (void)open_up(directories.destination());
  NewFiles new_files{.umask_is_zero = umask_is_zero, .inherits_acl = false, .owner = {}};
  // Neither group nor ACL comes from a directory that this copy made inside another: what it has is what its files get.
  if (state_ == DestinationState::kFresh) new_files.owner = Owner{destination_stat_.uid, destination_stat_.gid};
  CopyRange range = range_in(directories, new_files, stop, applied);
  size_t told = applied.problems.size();
  const size_t end = std::min(first + count, entries_.size());
  std::optional<ReadAhead> ahead;
  if (run_->ahead.open) {
    ahead.emplace(*run_, directories.source(), end, [&](size_t i) {
      const Entry& entry = entries_[i];
      return may_be_read_ahead(entry.stat, steps ? &steps[i - first] : nullptr)
                 ? ReadAhead::Candidate{names_.data() + entry.name, entry.stat.size}
                 : ReadAhead::Candidate{};
    });
  }
  for (size_t i = first; i < end; i++) {
    Entry& entry = entries_[i];
    if (entry.stat.mode == 0) {  // could not be stat'ed, which has been said
      if (!steps && !seen_) run_->job->count_entry();
      continue;
    }
    const char* name = names_.data() + entry.name;
    const char* destination_name = destination_name_ ? destination_name_->c_str() : name;
    const Step* step = steps ? &steps[i - first] : nullptr;
    const EarlyFile* early = ahead && !stop.wanted() ? ahead->at(i) : nullptr;
    if (!range.copy(static_cast<uint32_t>(i), name, destination_name, entry.stat, step, early)) break;
  }
  if (std::any_of(applied.problems.begin() + static_cast<ptrdiff_t>(told), applied.problems.end(),
                  [](const CopyProblem& problem) { return problem.aspect == Aspect::kEntry; })) {
    failed_ = true;
  }
}

Status CopyPair::link(size_t index, const std::string& first_path, const Ticket& first, Step step, Applied& applied) {
  if (index >= entries_.size()) return failure(Call::kLinkat, EINVAL);
  auto directories = open_directories();
  if (!directories) return directories.error();
  const char* name = names_.data() + entries_[index].name;
  CancelFlag never;
  Stop stop(run_->job->cancel, never);
  CopyRange range = range_in(*directories, NewFiles{}, stop, applied);
  range.link(static_cast<uint32_t>(index), name, destination_name_ ? destination_name_->c_str() : name,
             entries_[index].stat, first_path, first, step);
  return success();
}

Status CopyPair::finish(Applied& applied) {
  auto directories = open_directories();
  if (!directories) return directories.error();
  if (auto status = remove_debris(*directories); !status) return status;
  if (state_ == DestinationState::kExisting) {
    // Nothing to do is nothing written: not even a time that it has already.
    auto changes = held_changes(directories->source(), source_stat_, directories->destination(),
                                directories->destination_stat, run_->options);
    finished_ = changes && !changes->any();
    if (finished_) return success();
  }
  finish_in(*directories, applied);
  return success();
}

void CopyPair::finish_in(const Directories& directories, Applied& applied) {
  Losses losses(applied.problems, kSelf);
  NodeRef source{.dir = directories.source()};
  auto xattrs = list_xattrs(source, run_->options);
  if (!xattrs) {
    losses.add(Aspect::kXattr, xattrs.error());
    xattrs = std::vector<std::string>{};
  }
  bool existing = state_ == DestinationState::kExisting;
  if (existing && run_->options.flags) (void)open_up(directories.destination());
  std::optional<uint32_t> mode = destination_stat_.mode & 07777;
  if (widened_ || state_ == DestinationState::kFreshHere) mode = std::nullopt;
  copy_metadata({.source = source,
                 .destination = {.dir = directories.destination()},
                 .wanted = source_stat_,
                 .xattrs = *xattrs,
                 .owner = Owner{destination_stat_.uid, destination_stat_.gid},
                 .mode = mode,
                 .has_xattrs = existing,
                 .grain = &run_->grain,
                 .dev = destination_stat_.dev},
                run_->options, losses);
  finished_ = true;
}

}  // namespace dfd
