// CopyRange's files with several names: the first is copied, further ones become links to it.
#include <fcntl.h>
#include <sys/stat.h>

#include <utility>

#include "ops/copy_range.h"
#include "ops/inode_flags.h"
#include "ops/open_regular.h"
#include "ops/resolve.h"
#include "sys/directory.h"

namespace dfd {

namespace {

bool is_still(const struct statx& stx, const Ticket& ticket) {
  return sys::identity(stx) == ticket.destination && sys::birth(stx) == ticket.birth;
}

}  // namespace

// Found to have several names only when it was open. Stat'ed as the others, to tell files apart by.
Status CopyRange::look_at_names(const EntryPlace& place, StatRecord& stat) {
  auto stx = sys::statx(place.source_dir, place.source_name);
  if (!stx) return stx.error();
  stat = to_record(*stx);
  // Swapped a moment ago, for something that was not listed.
  if (!S_ISREG(stat.mode)) return failure_because(Reason::kChanged, Call::kStatx, ESTALE);
  found_names_ = true;
  return success();
}

// A file with several names, by the default rule.
Status CopyRange::copy_shared(uint32_t index, const char* name, const char* destination_name, StatRecord& stat) {
  constexpr Step kAnew{.decision = Decision::kCreate};
  leaves_large_ = false;  // its other names wait
  LinkTable& links = held_.run.links;
  const LinkTable::File file = LinkTable::file_of(stat);
  LinkTable::Claim claim = links.claim(file, stat.nlink, LinkTable::Else::kComesAgain);
  switch (claim.claimed) {
    case LinkTable::Claimed::kCopying: hear(index, name, stat, {.outcome = Outcome::kUndecided}); return success();
    case LinkTable::Claimed::kCopied: {
      auto linked = link_at(destination_name, claim.copy.path, claim.copy.ticket, Decision::kCreate);
      if (linked) {
        applied_.counts.links++;
        return success();
      }
      if (!is_refusal_to_link(linked.err())) return linked.error();
      // The content, then, under a name of its own.
      Losses(applied_.problems, index).add(Aspect::kHardLink, linked.error());
      return try_act(index, name, destination_name, stat, kAnew);
    }
    case LinkTable::Claimed::kFirst: break;
  }
  claimed_ = file;
  const StatRecord listed = stat;  // of the file that the others wait for, whatever has its name by then
  Status status = try_act(index, name, destination_name, stat, kAnew);
  // Also where it was made, but is another file by now, or has no other names any more.
  if (std::exchange(claimed_, std::nullopt) && links.failed(file)) {
    hear(index, name, listed, {.outcome = Outcome::kFailed});
  }
  return status;
}

void CopyRange::link(uint32_t index, const char* name, const char* destination_name, const StatRecord& stat,
                     const std::string& first_path, const Ticket& first, Step step) {
  // Before the name becomes another file.
  Changes changes = step.tells ? changes_of_link(name, destination_name, stat) : Changes{};
  Result<bool> linked = false;
  if (step.acts) {
    linked = link_at(destination_name, first_path, first, step.decision);
  } else {
    auto present = sys::statx(held_.destination, destination_name);
    linked = !present || !is_still(*present, first);
  }
  // TypeScript copies the content instead, and says so.
  bool refused = is_refusal_to_link(linked.err());
  if (!refused && held_.counts) held_.run.job->count_entry();
  if (linked) {
    if (!*linked) return;
    applied_.counts.links++;
    if (step.tells) tell(index, name, stat, changes);
    return;
  }
  Losses(applied_.problems, index).add(refused ? Aspect::kHardLink : Aspect::kEntry, linked.error());
}

Changes CopyRange::changes_of_link(const char* name, const char* destination_name, const StatRecord& stat) {
  auto present = sys::statx(held_.destination, destination_name);
  if (!present || (present->stx_mode & S_IFMT) != (stat.mode & S_IFMT)) return Change::kNew;
  auto changes = compare(name, destination_name, stat, to_record(*present), false);
  return changes ? *changes : Changes{};
}

Result<bool> CopyRange::link_at(const char* destination_name, const std::string& first_path, const Ticket& first,
                                Decision decision) {
  auto place = resolve_parent(held_.run.destination->get(), first_path, Policy{});
  if (!place) return at_destination(place.error());
  SysError changed = at_destination(failure_because(Reason::kChanged, Call::kLinkat, ESTALE));
  auto before = sys::statx(place->dir(), place->name());
  if (!before) return at_destination(before.error());
  if (!is_still(*before, first)) return changed;
  if (replaces(decision)) {
    auto present = sys::statx(held_.destination, destination_name);
    // rename(2) between two names of one file does nothing and would leave the staged name behind.
    if (present && is_still(*present, first)) return false;
    if (!present && present.err() != ENOENT) return at_destination(present.error());
  }
  // linkat goes by name: the first may have been swapped since it was looked at. The link, in a directory of our own, cannot be.
  bool direct = held_.is_private && !replaces(decision);
  std::string staged = destination_name;
  if (!direct) {
    if (auto status = stage(); !status) return at_destination(status.error());
    staged = staging_.next_name();
  }
  Dirfd dir = direct ? held_.destination : staging_.fd();
  auto made = sys::linkat(place->dir(), place->name(), dir, staged.c_str());
  std::unique_lock<std::mutex> turn;
  UniqueFd opened_up;
  uint32_t flags = 0;
  if (made.err() == EPERM && held_.run.options.flags) {
    // Nothing can be linked to an immutable file. It is opened up for the moment, and shut again through the descriptor; whoever links another
    // of its names meanwhile would take it for open, and find it shut.
    turn = std::unique_lock(held_.run.opening_up);
    auto file = open_regular(place->dir(), place->name(), O_RDONLY, held_.stop);
    auto stx = file ? sys::fstatx(file->get()) : Result<struct statx>(file.error());
    // By name once more: nobody else's file is opened up.
    if (stx && !is_still(*stx, first)) return changed;
    auto kept = stx ? kept_flags(file->get()) : Result<uint32_t>(stx.error());
    if (kept && open_up(file->get())) {
      opened_up = *std::move(file);
      flags = *kept;
      made = sys::linkat(place->dir(), place->name(), dir, staged.c_str());
    }
  }
  auto named = [&]() -> Status {
    if (!made) return at_destination(made.error());
    auto linked = sys::statx(dir, staged.c_str());
    if (!linked || !is_still(*linked, first)) {
      (void)sys::unlinkat(dir, staged.c_str());
      return changed;
    }
    if (direct) return success();
    auto status = publish(staging_.fd(), staged, destination_name, decision);
    return status ? status : Status(at_destination(status.error()));
  }();
  if (opened_up) (void)set_kept_flags(opened_up.get(), flags, 0);
  if (!named) return named.error();
  return true;
}

}  // namespace dfd
