#include "ops/copy_range.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "ops/expected.h"
#include "ops/inode_flags.h"
#include "ops/open_regular.h"
#include "ops/partial_name.h"
#include "ops/remove_tree.h"
#include "ops/resolve.h"
#include "ops/set_mode.h"
#include "ops/transient.h"
#include "sys/directory.h"

namespace dfd {

namespace {

bool has_other_names(const StatRecord& stat) { return !S_ISDIR(stat.mode) && stat.nlink > 1; }

// What is smaller is copied again sooner than it is looked for.
constexpr uint64_t kResumable = 4 << 20;

}  // namespace

CopyRange::CopyRange(const Held& held, NewFiles new_files, Applied& applied)
    : held_(held),
      new_files_(new_files),
      applied_(applied),
      copier_(held_.run, held_.stop, new_files_, thread_buffer()) {}

CopyRange::~CopyRange() {
  auto removed = staging_.remove();
  if (!removed) Losses(applied_.problems, kSelf).add(Aspect::kEntry, at_destination(removed.error()), staging_.name());
}

bool CopyRange::copy(uint32_t index, const char* name, const char* destination_name, StatRecord& stat,
                     const Step* given, const EarlyFile* early) {
  early_ = early;
  Step by_rule{.decision = S_ISDIR(stat.mode) ? Decision::kMakeDirectory : Decision::kCreate};
  Step step = given ? *given : by_rule;
  if (step.decision == Decision::kSkip) return true;
  Status status = success();
  leaves_large_ = !given;
  found_names_ = !given && held_.run.options.hard_links && has_other_names(stat);
  if (!found_names_) status = try_act(index, name, destination_name, stat, step);
  if (status && found_names_) status = copy_shared(index, name, destination_name, stat);
  bool comes_again =
      !applied_.indices.empty() && applied_.indices.back() == index && is_left_to_do(applied_.outcomes.back());
  if (!comes_again && held_.counts) held_.run.job->count_entry();
  if (status) return true;
  bool cancelled = status.err() == ECANCELED;
  bool vanished = status.err() == ENOENT && status.error().subject != Subject::kSecondPath;
  Losses(applied_.problems, index).add(vanished ? Aspect::kVanished : Aspect::kEntry, status.error());
  return !cancelled && (vanished || held_.run.options.keep_going);
}

// As often as the options allow, while the failures may be passing ones. What a failed try could not keep is not told.
Status CopyRange::try_act(uint32_t index, const char* name, const char* destination_name, StatRecord& stat, Step step) {
  const CopyOptions& options = held_.run.options;
  size_t told = applied_.problems.size();
  for (uint32_t tries = 0;; tries++) {
    if (held_.stop.wanted()) return failure(Call::kNone, ECANCELED);
    Status status = act(index, name, destination_name, stat, step);
    if (status || tries == options.retries || !is_transient(status.error(), tries)) return status;
    if (!wait_for(std::chrono::milliseconds(options.retry_delay), held_.stop)) return failure(Call::kNone, ECANCELED);
    applied_.problems.resize(told);
    applied_.counts.retries++;
  }
}

Status CopyRange::act(uint32_t index, const char* name, const char* destination_name, StatRecord& stat, Step step) {
  if (!step.acts) return foresee(index, name, destination_name, stat, step.decision);
  switch (step.decision) {
    case Decision::kMakeDirectory: return make_directory(index, name, destination_name, stat);
    case Decision::kReplaceByDirectory:
      if (auto status = sys::unlinkat(held_.destination, destination_name); !status)
        return at_destination(status.error());
      return make_directory(index, name, destination_name, stat);
    case Decision::kEnterDirectory: return enter_directory(index, name, destination_name, stat);
    case Decision::kMetadata: return copy_metadata_only(index, name, destination_name, stat, step);
    case Decision::kReplace: return replace(index, name, destination_name, stat, step);
    default: return copy_other(index, name, destination_name, stat, step.decision);
  }
}

Status CopyRange::make_directory(uint32_t index, const char* name, const char* destination_name,
                                 const StatRecord& stat) {
  // 0700 until its own entries are done: nobody looks into a half copied directory, or puts anything there.
  if (auto status = sys::mkdirat(held_.destination, destination_name, 0700); !status)
    return at_destination(status.error());
  auto made = sys::statx(held_.destination, destination_name);
  if (!made) return at_destination(made.error());
  if ((made->stx_mode & 0700) != 0700) {  // a umask that takes even from the owner
    if (auto status = set_mode(held_.destination, destination_name, 0700); !status)
      return at_destination(status.error());
  }
  applied_.counts.directories++;
  done(index, name, stat, *made);
  return success();
}

Status CopyRange::enter_directory(uint32_t index, const char* name, const char* destination_name,
                                  const StatRecord& stat) {
  auto present = sys::statx(held_.destination, destination_name);
  if (!present) return at_destination(present.error());
  if (!S_ISDIR(present->stx_mode)) return at_destination(failure_because(Reason::kChanged, Call::kStatx, ENOTDIR));
  done(index, name, stat, *present, Outcome::kEntered);
  return success();
}

EntryNames CopyRange::names(const char* name, const char* destination_name) const {
  return {.source_dir = held_.source,
          .source_name = name,
          .destination_dir = held_.destination,
          .destination_name = destination_name};
}

Result<Changes> CopyRange::compare(const char* name, const char* destination_name, const StatRecord& stat,
                                   const StatRecord& present, bool bytes_too) {
  auto changes = entry_changes(names(name, destination_name), stat, present, held_.run.options, held_.stop);
  if (!changes) {
    // Attributes that cannot be read by name are not foretold.
    if (changes.error().reason == Reason::kUnsupported) return Changes{};
    return changes;
  }
  if (!bytes_too || !S_ISREG(stat.mode)) return changes;
  auto same = same_bytes(names(name, destination_name), stat, present, held_.stop);
  if (!same) return same.error();
  changes->add_if(!*same, Change::kContent);
  return changes;
}

// Nothing is done. What would be is told, and of a file with several names, whether it would stay the file that it is.
Status CopyRange::foresee(uint32_t index, const char* name, const char* destination_name, const StatRecord& stat,
                          Decision decision) {
  auto stx = sys::statx(held_.destination, destination_name);
  if (!stx) return at_destination(stx.error());
  StatRecord present = to_record(*stx);
  bool stays = decision == Decision::kMetadata;
  auto changes = compare(name, destination_name, stat, present, held_.run.options.checksum);
  if (!changes) return changes.error();
  count_unchanged(stat);
  if (stays && changes->any()) stays = S_ISREG(stat.mode) && present.nlink == 1 && !changes->has(Change::kContent);
  changes->add_if(!stays, Change::kAnew);
  tell(index, name, stat, *changes);
  if (!has_other_names(stat)) return success();
  struct statx made = *stx;
  if (!stays) made = {};
  done(index, name, stat, made);
  return success();
}

// Something of the same kind gives way.
Status CopyRange::replace(uint32_t index, const char* name, const char* destination_name, StatRecord& stat, Step step) {
  Changes changes;
  if (step.tells) {
    auto present = sys::statx(held_.destination, destination_name);
    if (!present) return at_destination(present.error());
    auto found = compare(name, destination_name, stat, to_record(*present), held_.run.options.checksum);
    if (!found) return found.error();
    changes = *found;
    changes.add(Change::kAnew);
  }
  auto status = copy_other(index, name, destination_name, stat, Decision::kReplace);
  if (status && step.tells) tell(index, name, stat, changes);
  return status;
}

// The content is the same, by size and time or by the bytes. A link or special file has nothing but metadata, and is made anew where that
// differs.
Status CopyRange::copy_metadata_only(uint32_t index, const char* name, const char* destination_name, StatRecord& stat,
                                     Step step) {
  auto anew = [&](Changes changes) -> Status {
    changes.add(Change::kAnew);
    auto status = copy_other(index, name, destination_name, stat, Decision::kReplace);
    if (status && step.tells) tell(index, name, stat, changes);
    return status;
  };
  EntryNames both = names(name, destination_name);
  Losses losses(applied_.problems, index);
  if (!S_ISREG(stat.mode)) {
    auto changes = node_changes(both, stat, held_.run.options, held_.stop, losses);
    if (!changes) return changes.error();
    if (changes->any()) return anew(*changes);
    if (step.tells) tell(index, name, stat, *changes);
  } else {
    if (held_.run.options.checksum) {
      auto present = sys::statx(held_.destination, destination_name);
      if (!present) return at_destination(present.error());
      auto same = same_bytes(both, stat, to_record(*present), held_.stop);
      if (!same) return same.error();
      if (!*same) return replace(index, name, destination_name, stat, step);
    }
    auto synced = sync_metadata(both, stat, held_.run.options, held_.stop, losses);
    if (!synced) return synced.error();
    if (synced->shared) return anew(synced->changes);
    if (synced->changes.any()) applied_.counts.updated++;
    count_unchanged(stat);
    if (step.tells) tell(index, name, stat, synced->changes);
  }
  if (!has_other_names(stat)) return success();
  auto present = sys::statx(held_.destination, destination_name);
  if (!present) return at_destination(present.error());
  done(index, name, stat, *present);
  return success();
}

Status CopyRange::copy_other(uint32_t index, const char* name, const char* destination_name, StatRecord& stat,
                             Decision decision) {
  Losses losses(applied_.problems, index);
  EntryPlace place{.source_dir = held_.source,
                   .source_name = name,
                   .destination_dir = held_.destination,
                   .destination_name = destination_name,
                   .source_dev = held_.source_dev,
                   .destination_dev = held_.destination_dev,
                   .leaves_large = leaves_large_};
  if (may_resume(stat)) {
    if (leaves_large_ && stat.size >= kLargeFile) return leave_large(index, name, stat);
    Staging partial;
    // Another copy is at the same file, or this file system knows no locks: then as any other file.
    if (partial.make_or_adopt(held_.destination, partial_name(name, stat, held_.run.options))) {
      return copy_resumable(index, partial, place, stat, decision, losses);
    }
  }
  std::string staged;
  bool direct = held_.is_private && !replaces(decision);
  if (!direct) {
    if (auto status = stage(); !status) return at_destination(status.error());
    staged = staging_.next_name();
    place.destination_dir = staging_.fd();
    place.destination_name = staged.c_str();
  }
  auto copied = copier_.copy(place, stat, losses, std::exchange(early_, nullptr));
  if (!copied) return copied.error();
  if (*copied == EntryCopier::Copied::kOtherNames) return look_at_names(place, stat);
  if (*copied == EntryCopier::Copied::kLeft) return leave_large(index, name, stat);
  bool linked = held_.run.options.hard_links && has_other_names(stat);
  bool shuts = copier_.flags_for_later() != 0;
  struct statx made {};
  if (linked || shuts) {
    auto stx = sys::statx(place.destination_dir, place.destination_name);
    if (!stx) {
      if (!direct) (void)sys::unlinkat(staging_.fd(), staged.c_str());
      return at_destination(stx.error());
    }
    made = *stx;
  }
  if (!direct) {
    if (auto status = publish(staging_.fd(), staged, destination_name, decision); !status)
      return at_destination(status.error());
  }
  if (shuts) shut(destination_name, made, losses);
  count(stat);
  if (linked) done(index, name, stat, made);
  return success();
}

Status CopyRange::leave_large(uint32_t index, const char* name, const StatRecord& stat) {
  hear(index, name, stat, {.outcome = Outcome::kLarge});
  return success();
}

// Flags that would have kept the file from getting its name.
void CopyRange::shut(const char* destination_name, const struct statx& made, Losses& losses) {
  auto file = open_regular(held_.destination, destination_name, O_RDONLY, held_.stop);
  if (!file) return losses.add(Aspect::kFlags, at_destination(file.error()));
  auto now = sys::fstatx(file->get());
  if (!now || sys::identity(*now) != sys::identity(made)) {
    return losses.add(Aspect::kFlags, at_destination(failure_because(Reason::kChanged, Call::kOpenat, ESTALE)));
  }
  auto refused = set_kept_flags(file->get(), copier_.flags_for_later(), 0);
  if (refused.flags) losses.add(Aspect::kFlags, at_destination(refused.error), flag_letters(refused.flags));
}

// Of what stands in the way, where flags are kept: an immutable file gives way only once it is none.
bool CopyRange::open_up_at(Dirfd dir, const char* name) {
  if (!held_.run.options.flags) return false;
  auto file = open_regular(dir, name, O_RDONLY, held_.stop);
  return file && open_up(file->get());
}

bool CopyRange::may_resume(const StatRecord& stat) const {
  return held_.run.options.resume && S_ISREG(stat.mode) && stat.size >= kResumable;
}

// A large file in a directory of its own, whose name the next run finds again; cut off, it stays there.
Status CopyRange::copy_resumable(uint32_t index, Staging& partial, const EntryPlace& final_place, StatRecord& stat,
                                 Decision decision, Losses& losses) {
  std::string staged = partial.next_name();
  EntryPlace place = final_place;
  place.destination_dir = partial.fd();
  place.destination_name = staged.c_str();
  place.resumes = true;
  place.leaves_large = false;
  NewFiles new_files{.umask_is_zero = false, .inherits_acl = false, .owner = {}};
  auto copied = EntryCopier(held_.run, held_.stop, new_files, thread_buffer()).copy(place, stat, losses);
  if (!copied) return copied.error();
  auto made = sys::statx(place.destination_dir, place.destination_name);
  if (!made) return at_destination(made.error());
  if (auto status = publish(partial.fd(), staged, final_place.destination_name, decision); !status)
    return at_destination(status.error());
  count(stat);
  if (held_.run.options.hard_links && has_other_names(stat)) done(index, final_place.source_name, stat, *made);
  return success();
}

Status CopyRange::remove_at_destination(const char* name) {
  Place place(held_.destination, name, false);
  RemoveReport report =
      remove_tree(place, {.cross_mounts = false, .keep_going = false, .spared = held_.run.roots.source}, held_.stop);
  if (report.failures.empty()) return success();
  return report.failures.front().error;
}

Status CopyRange::stage() {
  if (staging_.made()) return success();
  new_files_.owner.reset();  // the staging directory may hand down another group than the destination does
  return staging_.make(held_.destination);
}

// From the staging directory to the final name, in one step that nobody sees half of.
Status CopyRange::publish(Dirfd staging, const std::string& staged, const char* name, Decision decision) {
  if (decision == Decision::kReplaceTree) {
    if (auto status = remove_at_destination(name); !status) {
      (void)sys::unlinkat(staging, staged.c_str());
      return status;
    }
  }
  unsigned flags = decision == Decision::kReplace ? 0 : RENAME_NOREPLACE;
  auto status = sys::renameat2(staging, staged.c_str(), held_.destination, name, flags);
  if (status.err() == EPERM && flags == 0 && open_up_at(held_.destination, name)) {
    status = sys::renameat2(staging, staged.c_str(), held_.destination, name, flags);
  }
  if (status.err() == EINVAL && flags != 0) {
    // A file system without RENAME_NOREPLACE (NFS, old FUSE): look first. Whoever wins the race against this look is replaced whole.
    auto present = sys::statx(held_.destination, name);
    status = present ? Status(failure(Call::kRenameat2, EEXIST))
                     : sys::renameat2(staging, staged.c_str(), held_.destination, name, 0);
  }
  if (!status) (void)sys::unlinkat(staging, staged.c_str());
  return status;
}

void CopyRange::tell(uint32_t index, const char* name, const StatRecord& stat, Changes changes) {
  hear(index, name, stat, {.outcome = Outcome::kTold, .changes = changes});
}

void CopyRange::done(uint32_t index, const char* name, const StatRecord& stat, const struct statx& destination,
                     Outcome outcome) {
  Ticket ticket{.source = identity(stat), .destination = sys::identity(destination), .birth = sys::birth(destination)};
  if (claimed_ && *claimed_ == LinkTable::file_of(stat)) {
    claimed_.reset();
    const bool awaited = held_.run.links.done(LinkTable::file_of(stat), {path_of(name), ticket});
    if (!awaited) return;
  }
  hear(index, name, stat, {.outcome = outcome, .ticket = ticket});
}

void CopyRange::hear(uint32_t index, const char* name, const StatRecord& stat, const News& news) {
  applied_.entries.add(name, stat);
  applied_.has_files |= !S_ISDIR(stat.mode);
  applied_.indices.push_back(index);
  applied_.outcomes.push_back(news.outcome);
  applied_.tickets.push_back(news.ticket);
  applied_.changes.push_back(news.changes);
}

std::string CopyRange::path_of(const char* name) const {
  std::string path = held_.path.text();
  if (!path.empty()) path += '/';
  return path + name;
}

void CopyRange::count_unchanged(const StatRecord& stat) {
  // A file of several names is settled as a whole, wherever the survey has seen one of them.
  bool counts = held_.counts || (held_.run.options.hard_links && has_other_names(stat));
  if (counts && S_ISREG(stat.mode)) held_.run.job->count_unchanged(content_bytes(stat));
}

void CopyRange::count(const StatRecord& stat) {
  if (S_ISREG(stat.mode)) {
    applied_.counts.files++;
    held_.run.job->count_file();
  } else if (S_ISLNK(stat.mode)) {
    applied_.counts.symlinks++;
  } else {
    applied_.counts.specials++;
  }
}

}  // namespace dfd
