// A whole walk on the ring, in two orders, once for each completion and each answer that may come in its place.
#include "engine/walk/walk.h"

#ifdef DIRFD_LIBURING

#include <condition_variable>
#include <deque>
#include <mutex>

#include "completions.h"
#include "engine/uring/availability.h"

using namespace dfd;
using namespace dfd::test;

namespace {

void walk(const Trees& trees, Order order) {
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<Delivery> letters;
  const WalkOptions options{.order = order, .engine = Engine::kRing, .threads = 1, .running_threads = 1};
  auto walk = Walk::start(share(trees.open(trees.source)), Policy{}, options, [&](Delivery delivery) {
                std::lock_guard lock(mutex);
                letters.push_back(std::move(delivery));
                arrived.notify_one();
              }).value();
  Seen seen;
  for (bool last = false; !last;) {
    std::unique_lock lock(mutex);
    arrived.wait(lock, [&] { return !letters.empty(); });
    Delivery delivery = std::move(letters.front());
    letters.pop_front();
    lock.unlock();
    walk->acknowledge(delivery.batch.size);
    take_in(delivery.batch, seen);
    last = delivery.last;
  }
  walk->join();
  judge(seen, trees.truth);
  CHECK(walk->statistics().vanished == (fault.at >= 0 && fault.answer == -ENOENT ? 1 : 0));
}

}  // namespace

int main() {
  if (!may_use_ring()) {
    std::puts("no io_uring here");
    return 0;
  }
  completion_fault = answer;
  Trees trees;
  for (Order order : {Order::kAny, Order::kSorted}) sweep([&] { walk(trees, order); });
}

#else

int main() {}

#endif
