#include "ops/copy_fresh.h"

#include <cerrno>
#include <chrono>

namespace dfd {

namespace {

using Clock = std::chrono::steady_clock;

// Long beside the round trip that it saves, short beside a copy: no thread is without work for longer at its end.
constexpr auto kPatience = std::chrono::milliseconds(10);

bool is_foreign(const Ticket& ticket, uint64_t only_mount) {
  return only_mount != 0 && ticket.source != sys::Identity{} && ticket.source.mount != only_mount;
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
             std::vector<FreshDirectory>& waiting) {
  for (size_t i = 0; i < applied.indices.size(); i++) {
    std::string name(pair.name(applied.indices[i]));
    std::string below = parent.below.empty() ? name : parent.below + '/' + name;
    waiting.push_back({.path = parent.path.child(std::move(name)),
                       .below = std::move(below),
                       .ticket = applied.tickets[i],
                       .state = DestinationState::kFresh,
                       .origin = parent.origin});
  }
}

}  // namespace

Filled fill(const std::shared_ptr<CopyRun>& run, std::vector<FreshDirectory> waiting, uint64_t only_mount,
            bool umask_is_zero, const Stop& stop) {
  Filled filled;
  const Clock::time_point begun = Clock::now();
  while (!waiting.empty()) {
    FreshDirectory directory = std::move(waiting.back());
    waiting.pop_back();
    if (stop.wanted()) {
      filled.failed.push_back({std::move(directory), failure(Call::kOpenat, ECANCELED).about(Subject::kPath)});
      break;
    }
    auto pair = std::make_shared<CopyPair>(run, directory.path, directory.ticket, directory.state);
    Applied applied;
    const OpenHow how{.list_source = !is_foreign(directory.ticket, only_mount), .copy_now = true};
    auto status = pair->open(how, umask_is_zero, stop, applied);
    const bool eventful = !status || !applied.problems.empty();
    if (!status) {
      filled.failed.push_back({std::move(directory), status.error()});
    } else if (!pair->finished() || eventful) {
      filled.opened.push_back({std::move(directory), std::move(pair), std::move(applied)});
    } else {
      add(filled.counts, applied.counts);
      descend(*pair, applied, directory, waiting);
    }
    // What is wrong is told before anything else is begun, where it is the end of the copy.
    if ((eventful && !run->options.keep_going) || Clock::now() - begun >= kPatience) break;
  }
  filled.rest = std::move(waiting);
  return filled;
}

}  // namespace dfd
