#include "ops/copy_fresh.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <deque>
#include <iterator>

namespace dfd {

namespace {

using Clock = std::chrono::steady_clock;

// Long beside the round trip that it saves, short beside a copy: no thread is without work for longer at its end.
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
void descend(const CopyPair& pair, const Applied& applied, const FreshDirectory& parent,
             std::deque<FreshDirectory>& waiting) {
  const TreePath above = parent.path.ended();
  for (size_t i = 0; i < applied.indices.size(); i++) {
    std::string name(pair.name(applied.indices[i]));
    std::string below = parent.below.empty() ? name : parent.below + '/' + name;
    waiting.push_back({.path = above.child(std::move(name)),
                       .below = std::move(below),
                       .ticket = applied.tickets[i],
                       .state = DestinationState::kFresh,
                       .origin = parent.origin});
  }
}

// Depth first, so that little waits. Where paths are long, a directory's own directories come one right after the other: from a parent that was
// opened just before they are found by one name (ops/recent_directories.h), later only by the whole path.
FreshDirectory next(std::deque<FreshDirectory>& waiting) {
  const bool deep = waiting.back().path.is_deep();
  FreshDirectory directory = std::move(deep ? waiting.front() : waiting.back());
  if (deep) {
    waiting.pop_front();
  } else {
    waiting.pop_back();
  }
  return directory;
}

}  // namespace

Filled fill(const std::shared_ptr<CopyRun>& run, std::vector<FreshDirectory> given, uint64_t only_mount,
            bool umask_is_zero, const Stop& stop) {
  Filled filled;
  std::deque<FreshDirectory> waiting(std::make_move_iterator(given.begin()), std::make_move_iterator(given.end()));
  const Clock::time_point begun = Clock::now();
  while (!waiting.empty()) {
    FreshDirectory directory = next(waiting);
    if (stop.wanted()) {
      filled.failed.push_back({std::move(directory), failure(Call::kOpenat, ECANCELED).about(Subject::kPath)});
      break;
    }
    auto pair = std::make_shared<CopyPair>(run, directory.path, directory.ticket, directory.state);
    Applied applied;
    const OpenHow how{.list_source = !is_foreign(directory.ticket, only_mount), .copy_now = true};
    auto status = pair->open(how, umask_is_zero, stop, applied);
    const bool eventful = !applied.problems.empty();
    const bool is_failure = !status || std::any_of(applied.problems.begin(), applied.problems.end(),
                                                   [](const CopyProblem& it) { return it.aspect == Aspect::kEntry; });
    if (!status) {
      filled.failed.push_back({std::move(directory), status.error()});
    } else if (!pair->finished() || eventful) {
      filled.opened.push_back({std::move(directory), std::move(pair), std::move(applied)});
    } else {
      add(filled.counts, applied.counts);
      descend(*pair, applied, directory, waiting);
    }
    // What could not be copied is told before anything else is begun, where it is the end of the copy.
    if ((is_failure && !run->options.keep_going) || Clock::now() - begun >= kPatience) break;
  }
  filled.rest.assign(std::make_move_iterator(waiting.begin()), std::make_move_iterator(waiting.end()));
  return filled;
}

}  // namespace dfd
