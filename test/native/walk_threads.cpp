// The walk's threads under every order, number of threads and shortage, with a consumer on another thread as JavaScript is one:
// deliveries go into a queue, are acknowledged later, questions are answered later still. Under TSan this is what shows that no
// state is shared unguarded; plain, that nothing is lost, doubled, or delivered after the last.

#include <sched.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <fstream>
#include <random>

#include "check.h"
#include "engine/walk/walk.h"

using namespace dfd;

namespace {

std::mt19937 dice(20);  // seeded: a failure can be run again

// The event loop's part: takes deliveries from any thread, hands them to one.
class Mailbox {
 public:
  Sink sink() {
    return [this](Delivery delivery) {
      std::lock_guard lock(mutex_);
      letters_.push_back(std::move(delivery));
      arrived_.notify_one();
    };
  }
  Delivery next() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return !letters_.empty(); });
    Delivery letter = std::move(letters_.front());
    letters_.pop_front();
    return letter;
  }
  bool empty() {
    std::lock_guard lock(mutex_);
    return letters_.empty();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Delivery> letters_;
};

std::vector<EntryRecord> records_of(const PackedBatch& batch) {
  if (!batch.bytes) return {};
  BatchHeader header;
  std::memcpy(&header, batch.bytes.get(), sizeof header);
  std::vector<EntryRecord> records(header.entries);
  std::memcpy(records.data(), batch.bytes.get() + sizeof header, header.entries * sizeof(EntryRecord));
  return records;
}

struct Seen {
  size_t entries = 0, errors = 0;
};

// Consumes until the last delivery. `decide` answers questions: 1 enters.
template <class Decide>
Seen consume(Walk& walk, Mailbox& mailbox, Decide&& decide) {
  Seen seen;
  for (;;) {
    Delivery delivery = mailbox.next();
    std::vector<EntryRecord> records = records_of(delivery.batch);
    for (const EntryRecord& record : records) (record.event == Event::kError ? seen.errors : seen.entries)++;
    if (dice() % 4 == 0) ::sched_yield();
    walk.acknowledge(delivery.batch.size);
    if (delivery.question != 0) {
      std::vector<std::byte> decisions(records.size());
      for (std::byte& decision : decisions) decision = decide();
      walk.answer(delivery.question, decisions);
    }
    if (delivery.last) break;
  }
  walk.join();
  CHECK(mailbox.empty());
  return seen;
}

constexpr auto enter_all = [] { return std::byte{1}; };

// 4 levels, 4 directories and 5 files in each, and one wide directory for the pieces that are shared out.
size_t plant(const std::filesystem::path& directory, int levels) {
  size_t count = 0;
  for (int i = 0; i < 5; i++, count++) std::ofstream(directory / ("file" + std::to_string(i))) << i;
  for (int i = 0; levels > 0 && i < 4; i++, count++) {
    std::filesystem::path child = directory / ("dir" + std::to_string(i));
    std::filesystem::create_directory(child);
    count += plant(child, levels - 1);
  }
  return count;
}

struct Tree {
  test::TemporaryDirectory place;
  size_t entries;

  Tree() : entries(plant(place / "", 3)) {
    std::filesystem::create_directory(place / "wide");
    for (int i = 0; i < 2000; i++) std::ofstream(place / ("wide/" + std::to_string(i)));
    entries += 2001;
  }
  std::unique_ptr<Walk> walk(WalkOptions options, Mailbox& mailbox) const {
    return Walk::start(share(place.open()), Policy{}, options, mailbox.sink()).value();
  }
};

WalkOptions random_options() {
  return WalkOptions{
      .order = static_cast<Order>(dice() % 4),
      .engine = static_cast<Engine>(dice() % 3),
      .ask = dice() % 3 == 0,
      .threads = 1 + dice() % 8,
      .running_threads = 1 + dice() % 4,
      .open_directories = 1 + dice() % 20,
      .batch_entries = 1 + dice() % 50,
      .batch_bytes = 256U << (dice() % 8),
      .outstanding_bytes = 1U << (dice() % 16),
  };
}

void reports_every_entry_once_whatever_the_shortage(const Tree& tree) {
  for (int round = 0; round < 60; round++) {
    Mailbox mailbox;
    auto walk = tree.walk(random_options(), mailbox);
    Seen seen = consume(*walk, mailbox, enter_all);
    CHECK(seen.entries == tree.entries && seen.errors == 0);
  }
}

void enters_only_what_the_answers_allow(const Tree& tree) {
  for (int round = 0; round < 20; round++) {
    Mailbox mailbox;
    WalkOptions options = random_options();
    options.ask = true;
    auto walk = tree.walk(options, mailbox);
    Seen seen = consume(*walk, mailbox, [] { return static_cast<std::byte>(dice() % 2); });
    CHECK(seen.entries >= 10 && seen.entries <= tree.entries);
  }
}

void stops_when_cancelled_at_any_time(const Tree& tree) {
  for (int round = 0; round < 100; round++) {
    Mailbox mailbox;
    auto walk = tree.walk(random_options(), mailbox);
    Thread canceller = Thread::start([&walk, yields = dice() % 300] {
                         for (unsigned i = 0; i < yields; i++) ::sched_yield();
                         walk->cancel();
                         walk->cancel();
                       }).value();
    consume(*walk, mailbox, enter_all);
    canceller.join();
  }
}

void can_be_dropped_with_deliveries_unread(const Tree& tree) {
  for (int round = 0; round < 100; round++) {
    Mailbox mailbox;
    auto walk = tree.walk(random_options(), mailbox);
    for (unsigned i = dice() % 100; i > 0; i--) ::sched_yield();
    walk.reset();
  }
}

void goes_on_over_a_tree_that_changes(const Tree& tree) {
  std::atomic<bool> stop = false;
  Thread changer = Thread::start([&] {
                     std::string here = tree.place / "dir0", there = tree.place / "dir1/moved";
                     while (!stop) {
                       CHECK(::rename(here.c_str(), there.c_str()) == 0);
                       CHECK(::rename(there.c_str(), here.c_str()) == 0);
                     }
                   }).value();
  for (int round = 0; round < 40; round++) {
    Mailbox mailbox;
    auto walk = tree.walk(random_options(), mailbox);
    Seen seen = consume(*walk, mailbox, enter_all);
    CHECK(seen.entries >= tree.entries / 2);  // the wide directory and dir2, dir3 stand still
  }
  stop = true;
}

}  // namespace

int main() {
  Tree tree;
  reports_every_entry_once_whatever_the_shortage(tree);
  enters_only_what_the_answers_allow(tree);
  stops_when_cancelled_at_any_time(tree);
  can_be_dropped_with_deliveries_unread(tree);
  goes_on_over_a_tree_that_changes(tree);
}
