#include "engine/walk/walk.h"

#include <algorithm>

#include "engine/walk/ordered_walk.h"
#include "engine/walk/parallel_walk.h"
#include "sys/stat.h"

namespace dfd {

namespace {

bool is_parallel(Order order) { return order == Order::kAny || order == Order::kBreadth; }

WalkOptions fitted(WalkOptions options) {
  options.open_directories = std::max<size_t>(options.open_directories, kDescriptorsPerThread);
  size_t most = options.order == Order::kAny ? options.open_directories / kDescriptorsPerThread : 1;
  options.threads = std::clamp<size_t>(options.threads, 1, most);
  options.running_threads = std::clamp<size_t>(options.running_threads, 1, options.threads);
  options.batch_entries = std::clamp<size_t>(options.batch_entries, 1, 1 << 16);
  // Every directory must reach JavaScript if it is to be decided there.
  if (options.ask) options.kinds |= kind_bit(S_IFDIR);
  return options;
}

OpenDirectories::Rules rules_for(const WalkOptions& options, Policy policy) {
  return {
      .budget = options.open_directories - options.threads * kDescriptorsPerThread,
      .hold = options.order == Order::kBreadth ? OpenDirectories::Hold::kOldest : OpenDirectories::Hold::kNewest,
      .cross_mounts = policy.cross_mounts && !options.one_file_system,
      .link_scope = policy.scope == Scope::kInRoot ? Scope::kInRoot : Scope::kBeneath,
  };
}

}  // namespace

WalkShared::WalkShared(SharedFd root_fd, Policy policy, WalkOptions wanted, Sink to)
    : root(std::move(root_fd)),
      options(fitted(wanted)),
      link_policy{.scope = rules_for(options, policy).link_scope, .cross_mounts = policy.cross_mounts},
      sink(std::move(to)),
      ring_choice(options.engine, root->get()),
      directories(root, rules_for(options, policy)),
      flow(options.outstanding_bytes) {}

Result<std::unique_ptr<Walk>> Walk::start(SharedFd root, Policy policy, WalkOptions options, Sink sink) {
  auto stx = sys::fstatx(root->get());
  if (!stx) return stx.error();
  DirectoryRef node(new DirectoryNode);
  node->identity = sys::identity(*stx);
  if (!policy.cross_mounts) options.one_file_system = true;
  std::unique_ptr<Walk> walk;
  if (is_parallel(options.order)) {
    walk = std::make_unique<ParallelWalk>(std::move(root), policy, options, std::move(sink));
  } else {
    walk = std::make_unique<OrderedWalk>(std::move(root), policy, options, std::move(sink));
  }
  walk->root_mount = node->identity.mount;
  if (auto status = walk->begin(std::move(node)); !status) return status.error();
  return walk;
}

// The derived class has cancelled and joined: its threads run its own methods.
Walk::~Walk() = default;

void Walk::cancel() {
  stopping.cancel();
  flow.close();
  // The lock makes sure that a thread which has just found no reason to stop is asleep by now, and wakes.
  std::lock_guard lock(mutex_);
  wake_.notify_all();
}

void Walk::join() {
  // Over again, because a thread that is being joined may start another before it ends.
  for (;;) {
    std::vector<Thread> threads;
    {
      std::lock_guard lock(mutex_);
      threads.swap(threads_);
    }
    if (threads.empty()) return;
    for (Thread& thread : threads) thread.join();
  }
}

Status Walk::start_thread(std::function<void()> body) {
  auto thread = Thread::start(std::move(body));
  if (!thread) return thread.error();
  threads_.push_back(*std::move(thread));
  count(counters.threads);
  return success();
}

uint64_t Walk::ask(std::vector<Candidate> candidates) {
  if (candidates.empty()) return 0;
  std::lock_guard lock(mutex_);
  uint64_t question = ++last_question_;
  questions_.emplace(question, std::move(candidates));
  return question;
}

void Walk::answer(uint64_t question, std::span<const std::byte> decisions) {
  std::vector<DirectoryRef> skipped;
  {
    std::lock_guard lock(mutex_);
    auto found = questions_.extract(question);
    if (found.empty()) return;
    for (Candidate& candidate : found.mapped()) {
      bool enter = candidate.record < decisions.size() && decisions[candidate.record] != std::byte{0};
      candidate.node->decision.store(enter ? Entering::kEnter : Entering::kSkip, std::memory_order_relaxed);
      if (!enter) skipped.push_back(candidate.node);
    }
    answered(found.mapped());
    wake_.notify_all();
  }
  for (const DirectoryRef& node : skipped) directories.release(node->parent);
}

WalkStatistics Walk::statistics() const {
  auto read = [](const std::atomic<uint64_t>& counter) { return counter.load(std::memory_order_relaxed); };
  return {
      .entries = read(counters.entries),
      .directories = read(counters.directories),
      .errors = read(counters.errors),
      .vanished = read(counters.vanished),
      .reopened = directories.reopened(),
      .threads = read(counters.threads),
  };
}

}  // namespace dfd
