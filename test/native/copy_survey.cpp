// CopySurvey: several threads on one stack of tasks find every directory in which something differs, and no other, whatever the number of
// threads; they end when they are told to. TSan looks on.

#include "engine/copy/copy_survey.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include "check.h"
#include "copy_run.h"
#include "engine/thread.h"

using namespace dfd;

namespace {

namespace fs = std::filesystem;

constexpr int kDirectories = 24, kFiles = 12;
constexpr int kWide = 2100;  // some tasks of one directory

std::mt19937 dice(22);  // seeded: a failure can be run again

std::string directory_name(int i) { return "dir" + std::to_string(i % 7) + "/dir" + std::to_string(i); }

struct Trees {
  test::TemporaryDirectory place;
  fs::path source = fs::path(place / "source"), destination = fs::path(place / "destination");

  Trees() {
    for (int i = 0; i < kDirectories; i++) {
      fs::path directory = source / directory_name(i);
      fs::create_directories(directory);
      for (int file = 0; file < kFiles; file++) std::ofstream(directory / ("file" + std::to_string(file))) << i;
      // One file by a name in every directory: what is known of it comes together at the end only.
      if (i > 0) fs::create_hard_link(source / directory_name(0) / "file0", directory / "linked");
    }
    fs::create_directories(source / "wide");
    for (int file = 0; file < kWide; file++) std::ofstream(source / "wide" / std::to_string(file)) << 'x';
    std::string command = "cp -a '" + source.string() + "' '" + destination.string() + "'";
    CHECK(std::system(command.c_str()) == 0);
  }
};

Status survey(CopySurvey& survey, size_t threads, const Stop& stop) {
  std::vector<Thread> others;
  for (size_t i = 1; i < threads; i++) {
    others.push_back(Thread::start([&] { (void)survey.work(stop); }).value());
  }
  return survey.work(stop);
}

// Paths in which something differs; those that only lead there are left out.
std::set<std::string> differing(const std::string& packed) {
  std::set<std::string> paths;
  for (size_t at = 0; at < packed.size();) {
    size_t end = packed.find('\0', at);
    if (packed[at] != 'b') paths.insert(packed.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return paths;
}

void finds_nothing_in_equal_trees(const Trees& trees) {
  for (size_t threads : {1, 8}) {
    auto run = test::copy_run(trees.source, trees.destination);
    CancelFlag never;
    CopySurvey look(run, {.deletes = true}, threads);
    CHECK(survey(look, threads, Stop(run->job->cancel, never)).ok());
    CHECK(look.take() == std::optional<std::string>(""));
    CHECK(run->job->entries > kDirectories * kFiles + kWide);
  }
}

void stops_when_cancelled_at_any_time(const Trees& trees) {
  for (int round = 0; round < 15; round++) {
    auto run = test::copy_run(trees.source, trees.destination);
    CancelFlag pool;
    CopySurvey look(run, {}, 4);
    Thread canceller = Thread::start([&run, yields = dice() % 200] {
                         for (unsigned i = 0; i < yields; i++) ::sched_yield();
                         run->job->cancel.cancel();
                       }).value();
    Status ended = survey(look, 4, Stop(run->job->cancel, pool));
    CHECK(ended.ok() || ended.err() == ECANCELED);
  }
}

void finds_each_change_and_nothing_else(const Trees& trees) {
  std::set<std::string> changed;
  for (int i : {3, 17, 22}) {
    std::ofstream(trees.destination / directory_name(i) / "file1") << "changed, and longer";
    changed.insert(directory_name(i));
  }
  // In the last range of a wide directory, or any other: the order of names is the file system's.
  std::ofstream(trees.destination / "wide" / "2099") << "changed, and longer";
  changed.insert("wide");
  for (size_t threads : {1, 8}) {
    auto run = test::copy_run(trees.source, trees.destination);
    CancelFlag never;
    CopySurvey look(run, {.deletes = true}, threads);
    CHECK(survey(look, threads, Stop(run->job->cancel, never)).ok());
    auto packed = look.take();
    CHECK(packed && differing(*packed) == changed);
  }
}

}  // namespace

int main() {
  Trees trees;
  finds_nothing_in_equal_trees(trees);
  stops_when_cancelled_at_any_time(trees);
  finds_each_change_and_nothing_else(trees);
}
