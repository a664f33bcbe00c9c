// Finds, in a tree that was copied before, the directories in which a copy would have something to do: so a second run over an unchanged
// tree costs one crossing into JavaScript, and one over a tree with few changes costs what those few cost.
//
//   work()      called once by each of several pool threads. Tasks (a directory on both sides, or a range of a wide one) lie on one stack:
//               the newest first, so that few directories wait. All return when the stack is empty and nobody is at work.
//   take()      afterwards: which directories to visit, from the root down to every place where something differs
//
//      work()  pop ──▶ open both, compare, list ──▶ push subdirectories and ranges ──▶ pop …
//      the last one out: names of one file that go by several names are held against each other, over the whole tree
//
// Subdirectories are opened from the descriptors of their parents, as long as those are few; beyond, by their paths from the roots.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ops/copy_options.h"
#include "ops/survey_entry.h"

namespace dfd {

struct SurveyScope {
  bool deletes = false;          // a name that only the destination has is a difference
  bool one_file_system = false;  // mount points are compared, and not entered
};

class CopySurvey {
 public:
  CopySurvey(std::shared_ptr<CopyRun> run, SurveyScope scope, size_t threads);

  // Until the whole tree has been looked at. ECANCELED where somebody wants it to stop.
  Status work(const Stop& stop);

  // Paths, each after a byte that says how much of it is known ('v': visit; 'b': only for what lies below; 'u': nothing below it has been looked at) and before a NUL.
  // None: everything is to be visited.
  std::optional<std::string> take();

 private:
  // Both sides of a directory, open as long as a child or a range of entries may need them.
  struct Held;
  struct Listing;
  // What the parts of a directory have in them, together.
  struct Tally {
    size_t parts = 1;  // that have not been looked at
    bool differs = false;
    uint64_t entries = 0;
    uint64_t bytes = 0;
  };
  struct Task {
    std::shared_ptr<PathPiece> at{};  // a piece a level; null: the root
    sys::Identity source{};
    sys::Identity destination{};
    std::shared_ptr<const Held> parent{};  // null: to be opened by path
    std::shared_ptr<Listing> listing{};    // of a wide directory that is open: its entries from `first` on
    size_t first = 0;
  };
  struct Visit {
    bool differs = false;  // something in it; otherwise only below
    bool unknown = false;
  };
  struct Linked {
    LinkedName name;
    uint32_t directory;  // in linked_directories_
  };

  using Names = std::vector<Linked>::const_iterator;

  std::optional<Task> next(const Stop& stop);
  void done(std::vector<Task> found);
  void run(Task& task, const Stop& stop, std::vector<Task>& found);
  std::shared_ptr<const Held> open(const Task& task, StatRecord& source, StatRecord& destination);
  void open_task(Task& task, const Stop& stop, std::vector<Task>& found);
  void range_task(Task& task, const Stop& stop, std::vector<Task>& found);
  void take_in(const std::shared_ptr<PathPiece>& at, const std::shared_ptr<const Held>& held, Tally& tally,
               Survey& survey, std::vector<Task>& found);
  void count(Tally& tally, const Survey& survey);
  void visit(const std::string& path, bool unknown);
  void visit_above(const std::string& path);
  void remember(size_t bytes);
  void settle_links();
  void count_alone(std::span<const std::pair<Names, Names>> files);

  const std::shared_ptr<CopyRun> run_;
  const SurveyScope scope_;
  const size_t range_;  // entries of one task: a wide directory is spread over all threads
  const size_t held_limit_;
  std::atomic<size_t> held_ = 0;
  std::atomic<bool> stopped_ = false;  // cancelled, or not worth going on with
  uint64_t root_mount_ = 0;
  uint64_t destination_mount_ = 0;

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::vector<Task> tasks_;
  size_t busy_ = 0;
  bool finished_ = false;
  bool everything_ = false;
  size_t looked_ = 0;
  Tally counted_;  // in the job's progress
  size_t differing_ = 0;
  std::unordered_map<std::string, Visit> visits_;
  size_t remembered_ = 0;     // bytes
  bool lacks_names_ = false;  // there are directories whose names have not been seen
  std::vector<std::string> linked_directories_;
  std::vector<Linked> linked_;
};

}  // namespace dfd
