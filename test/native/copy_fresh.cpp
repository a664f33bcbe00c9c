// Filling: several threads fill one list of directories and those that they make in them; every name of a file with several becomes a name of one
// copy, or is handed back to wait for it; what is given is done once, and not before all below it is. TSan looks on.

#include "ops/copy_fresh.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <set>

#include "check.h"
#include "copy_run.h"
#include "engine/thread.h"

using namespace dfd;

namespace {

namespace fs = std::filesystem;

constexpr uint32_t kGiven = 12;
constexpr int kBelow = 10, kFiles = 5;
constexpr size_t kLarge = 1 << 20;  // long enough in the copying for other threads to come to its other names

struct Trees {
  test::TemporaryDirectory place;
  fs::path source = fs::path(place / "source"), destination = fs::path(place / "destination");

  Trees() {
    for (uint32_t given = 0; given < kGiven; given++) {
      fs::create_directories(destination / std::to_string(given));
      ::chmod((destination / std::to_string(given)).c_str(), 0700);
      for (int below = 0; below < kBelow; below++) {
        fs::path directory = source / std::to_string(given) / std::to_string(below) / "deep";
        fs::create_directories(directory);
        for (int file = 0; file < kFiles; file++) std::ofstream(directory / std::to_string(file)) << given << below;
        for (const char* shared : {"small", "large"}) {
          fs::path first = source / "0" / "0" / "deep" / shared;
          if (directory != first.parent_path()) {
            fs::create_hard_link(first, directory / shared);
          } else {
            std::ofstream(first) << std::string(shared[0] == 's' ? 10 : kLarge, 'x');
          }
        }
      }
    }
  }
};

void fills(size_t threads) {
  Trees trees;
  auto run = test::copy_run(trees.source, trees.destination);
  Filling filling(run, 0);
  std::vector<FreshDirectory> given;
  for (uint32_t i = 0; i < kGiven; i++) given.push_back({.path = {.rest = std::to_string(i)}, .origin = i});
  filling.give(std::move(given));

  std::mutex mutex;  // stands for TypeScript's thread
  std::set<uint32_t> done;
  std::vector<std::string> left;  // to wait for another name
  CancelFlag never;
  auto work = [&] {
    for (bool more = true; more;) {
      Filled filled = filling.work(true, Stop(run->job->cancel, never));
      std::lock_guard lock(mutex);
      filling.hand_over(filled);
      CHECK(filled.failed.empty());
      for (const Filled::Opened& opened : filled.opened) {
        CHECK(opened.applied.problems.empty());
        CHECK(!done.contains(opened.directory.origin));
        for (size_t i = 0; i < opened.applied.indices.size(); i++) {
          CHECK(opened.applied.outcomes[i] == Outcome::kUndecided);
          left.push_back(opened.directory.path.text() + '/' +
                         std::string(opened.pair->name(opened.applied.indices[i])));
        }
      }
      for (uint32_t origin : filled.done) CHECK(done.insert(origin).second);
      more = filled.waiting > 0 || done.size() < kGiven;
    }
  };
  std::vector<Thread> others;
  for (size_t i = 1; i < threads; i++) others.push_back(Thread::start(work).value());
  work();
  for (Thread& thread : others) thread.join();

  if (threads == 1) CHECK(left.empty());
  std::map<std::string, std::set<ino_t>> copies;
  for (const auto& entry : fs::recursive_directory_iterator(trees.source)) {
    const fs::path path = entry.path().lexically_relative(trees.source);
    struct stat stat {};
    const bool there = ::lstat((trees.destination / path).c_str(), &stat) == 0;
    CHECK(there != (std::count(left.begin(), left.end(), path.string()) == 1));
    if (!there || !entry.is_regular_file()) continue;
    CHECK(static_cast<uintmax_t>(stat.st_size) == fs::file_size(entry.path()));
    if (entry.hard_link_count() > 1) copies[path.filename()].insert(stat.st_ino);
  }
  CHECK(copies["small"].size() == 1 && copies["large"].size() == 1);
}

}  // namespace

int main() {
  for (size_t threads : {1, 4, 8}) fills(threads);
}
