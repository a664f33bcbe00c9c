#include "ops/copy_fresh.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iterator>

namespace dfd {

namespace {

using Clock = std::chrono::steady_clock;

// Long beside the round trip that it saves, short enough for progress, and for other work of the copy to come in between.
constexpr auto kPatience = std::chrono::milliseconds(10);

bool is_foreign(const Ticket& ticket, uint64_t only_mount) {
  return only_mount != 0 && ticket.source.mount != only_mount;
}

void add(CopyCounts& sum, const CopyCounts& counts) {
  sum.files += counts.files;
  sum.symlinks += counts.symlinks;
  sum.directories += counts.directories;
  sum.specials += counts.specials;
  sum.links += counts.links;
  sum.updated += counts.updated;
  sum.retries += counts.retries;
}

// The directories that were made in one that is done: all that an uneventful directory has to be gone on with.
std::vector<FreshDirectory> made_in(const FreshDirectory& parent, const CopyPair& pair, const Applied& applied) {
  std::vector<FreshDirectory> made;
  if (applied.indices.empty()) return made;
  made.reserve(applied.indices.size());
  const TreePath above = parent.path.ended();
  for (size_t i = 0; i < applied.indices.size(); i++) {
    made.push_back({.path = above.child(std::string(pair.name(applied.indices[i]))),
                    .ticket = applied.tickets[i],
                    .origin = parent.origin});
  }
  return made;
}

}  // namespace

void Filling::give(std::vector<FreshDirectory> directories) {
  std::lock_guard lock(mutex_);
  for (FreshDirectory& directory : directories) {
    unfinished_[directory.origin]++;
    waiting_.push_back(std::move(directory));
  }
}

// Depth first, so that little waits. Where paths are long, a directory's own directories come one right after the other: from a parent that was
// opened just before they are found by one name (ops/recent_directories.h), later only by the whole path.
std::optional<FreshDirectory> Filling::take() {
  std::lock_guard lock(mutex_);
  if (waiting_.empty()) return std::nullopt;
  const bool deep = waiting_.back().path.is_deep();
  FreshDirectory directory = std::move(deep ? waiting_.front() : waiting_.back());
  if (deep) {
    waiting_.pop_front();
  } else {
    waiting_.pop_back();
  }
  return directory;
}

void Filling::end(const FreshDirectory& directory, std::vector<FreshDirectory> made, Filled& filled) {
  std::lock_guard lock(mutex_);
  settle(directory.origin, made.size(), filled);
  std::move(made.begin(), made.end(), std::back_inserter(waiting_));
}

// One directory less, and those that were made in it more.
void Filling::settle(uint32_t origin, size_t made, Filled& filled) {
  auto known = unfinished_.find(origin);
  known->second += made;
  if (--known->second > 0) return;
  unfinished_.erase(known);
  filled.done.push_back(origin);
}

Filled Filling::work(bool umask_is_zero, const Stop& stop) {
  Filled filled;
  const Clock::time_point begun = Clock::now();
  while (auto directory = take()) {
    if (stop.wanted()) {
      filled.failed.push_back({*std::move(directory), failure(Call::kOpenat, ECANCELED).about(Subject::kPath)});
      break;
    }
    auto pair = std::make_shared<CopyPair>(run_, directory->path, directory->ticket, directory->state);
    Applied applied;
    const OpenHow how{.list_source = !is_foreign(directory->ticket, only_mount_), .copy_now = true};
    auto status = pair->open(how, umask_is_zero, stop, applied);
    const bool eventful = applied.has_files || !applied.problems.empty();
    const bool is_failure = !status || std::any_of(applied.problems.begin(), applied.problems.end(),
                                                   [](const CopyProblem& it) { return it.aspect == Aspect::kEntry; });
    if (!status) {
      filled.failed.push_back({*std::move(directory), status.error()});
    } else if (!pair->finished() || eventful) {
      filled.opened.push_back({*std::move(directory), std::move(pair), std::move(applied)});
    } else {
      add(filled.counts, applied.counts);
      end(*directory, made_in(*directory, *pair, applied), filled);
    }
    // What could not be copied is told before anything else is begun, where it is the end of the copy.
    if ((is_failure && !run_->options.keep_going) || Clock::now() - begun >= kPatience) break;
  }
  return filled;
}

void Filling::hand_over(Filled& filled) {
  std::lock_guard lock(mutex_);
  for (const auto& opened : filled.opened) settle(opened.directory.origin, 0, filled);
  for (const auto& failed : filled.failed) settle(failed.directory.origin, 0, filled);
  filled.waiting = waiting_.size();
}

}  // namespace dfd
