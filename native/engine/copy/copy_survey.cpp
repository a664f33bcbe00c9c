#include "engine/copy/copy_survey.h"

#include <fcntl.h>

#include <algorithm>

#include "ops/descriptor_budget.h"
#include "ops/expected.h"
#include "sys/open.h"
#include "sys/thread.h"

namespace dfd {

namespace {

// Directories that are held for their children, where there are descriptors for them.
constexpr size_t kMostHeld = 1024;

// A tree of which most has changed is not worth looking at twice.
constexpr size_t kEnoughToTell = 512;

// Of paths and names of linked files together. Of a very deep tree every ancestor of a change is remembered by its whole path: the square of
// the depth. Beyond this, all is visited.
constexpr size_t kMostBytes = 64 * 1024 * 1024;

size_t held_limit(size_t threads) {
  size_t needed = kDescriptorsOfNode + kDescriptorsPerThread * threads;
  size_t limit = sys::fd_limit();
  return limit > needed ? std::min((limit - needed) / 2, kMostHeld) : 0;
}

std::string join(const std::string& path, const std::string& name) { return path.empty() ? name : path + '/' + name; }

std::string text_of(const std::shared_ptr<PathPiece>& at) { return at ? at->text() : std::string(); }

Result<UniqueFd> open_child(Dirfd parent, const std::string& name, const sys::Identity& expected, StatRecord& stat) {
  auto fd = sys::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY);
  if (!fd) return fd;
  auto stx = sys::fstatx(fd->get());
  if (!stx) return stx.error();
  if (sys::identity(*stx) != expected) return failure_because(Reason::kChanged, Call::kOpenat, ESTALE);
  stat = to_record(*stx);
  return fd;
}

Result<size_t> count_names(Dirfd directory) {
  size_t names = 0;
  auto status = for_each_name(directory, [&](const Dirent&) { names++; });
  if (!status) return status.error();
  return names;
}

}  // namespace

struct CopySurvey::Held {
  Held(std::atomic<size_t>& count, UniqueFd from, UniqueFd to)
      : source(std::move(from)), destination(std::move(to)), count_(count) {
    count_++;
  }
  ~Held() { count_--; }
  UniqueFd source;
  UniqueFd destination;

 private:
  std::atomic<size_t>& count_;
};

struct CopySurvey::Listing {
  std::shared_ptr<const Held> held;
  std::string names;  // each ended by NUL
  std::vector<uint32_t> starts;
  Tally tally;
  const char* name(size_t index) const { return names.data() + starts[index]; }
};

CopySurvey::CopySurvey(std::shared_ptr<CopyRun> run, SurveyScope scope, size_t threads)
    : run_(std::move(run)), scope_(scope), range_(size_t{2} * run_->options.range), held_limit_(held_limit(threads)) {
  tasks_.push_back({});
}

Status CopySurvey::work(const Stop& stop) {
  std::vector<Task> found;
  while (auto task = next(stop)) {
    run(*task, stop, found);
    task.reset();  // lets go of descriptors before the next wait
    done(std::exchange(found, {}));
  }
  if (stop.wanted()) return failure(Call::kNone, ECANCELED);
  return success();
}

std::optional<CopySurvey::Task> CopySurvey::next(const Stop& stop) {
  std::unique_lock lock(mutex_);
  if (stop.wanted()) stopped_ = true;
  // Whoever is at work may still find more to do.
  changed_.wait(lock, [this] { return finished_ || stopped_ || !tasks_.empty() || busy_ == 0; });
  if (stopped_) tasks_.clear();
  if (tasks_.empty()) return std::nullopt;
  Task task = std::move(tasks_.back());
  tasks_.pop_back();
  busy_++;
  return task;
}

void CopySurvey::done(std::vector<Task> found) {
  std::lock_guard lock(mutex_);
  if (!stopped_) {
    for (Task& task : found) tasks_.push_back(std::move(task));
  }
  busy_--;
  if (busy_ == 0 && (tasks_.empty() || stopped_) && !finished_) {
    finished_ = true;
    if (!stopped_) settle_links();
    changed_.notify_all();
  } else if (stopped_ || found.size() > 1) {  // a single task is for this thread itself
    changed_.notify_all();
  }
}

void CopySurvey::run(Task& task, const Stop& stop, std::vector<Task>& found) {
  if (task.listing) {
    range_task(task, stop, found);
  } else {
    open_task(task, stop, found);
  }
  if (stop.wanted()) stopped_ = true;
}

std::shared_ptr<const CopySurvey::Held> CopySurvey::open(const Task& task, StatRecord& source,
                                                         StatRecord& destination) {
  auto from = task.parent
                  ? open_child(task.parent->source.get(), task.at->path(), task.source, source)
                  : open_expected(run_->source, true, {.rest = text_of(task.at)}, task.source, Subject::kPath, source);
  if (!from) return nullptr;
  auto to = task.parent ? open_child(task.parent->destination.get(), task.at->path(), task.destination, destination)
                        : open_expected(run_->destination, run_->cross_destination_mounts, {.rest = text_of(task.at)},
                                        task.destination, Subject::kSecondPath, destination);
  if (!to) return nullptr;
  if (!task.at) destination_mount_ = destination.mount_id;  // by the first task of all, as root_mount_
  // Left to the copy, which refuses it by name.
  if (!run_->cross_destination_mounts && destination.mount_id != destination_mount_) return nullptr;
  return std::make_shared<Held>(held_, *std::move(from), *std::move(to));
}

void CopySurvey::open_task(Task& task, const Stop& stop, std::vector<Task>& found) {
  StatRecord source{};
  StatRecord destination{};
  auto held = open(task, source, destination);
  task.parent.reset();
  if (!held) return visit(text_of(task.at), true);
  if (!task.at) root_mount_ = source.mount_id;  // by the first task of all, before there is another thread

  Survey survey;
  EntrySurvey entries(held->source.get(), held->destination.get(), run_->options, stop, survey);
  entries.directory(source, destination);
  bool bare = scope_.one_file_system && source.mount_id != root_mount_;
  Tally alone;
  if (bare) return take_in(task.at, held, alone, survey, found);

  auto listing = std::make_shared<Listing>();
  listing->held = held;
  auto listed = for_each_name(held->source.get(), [&](const Dirent& entry) {
    listing->starts.push_back(static_cast<uint32_t>(listing->names.size()));
    listing->names.append(entry.name).push_back('\0');
  });
  if (!listed) return visit(text_of(task.at), true);
  size_t count = listing->starts.size();
  if (scope_.deletes) {
    // Where each name of the source is there, as many names mean the same names.
    auto present = count_names(held->destination.get());
    if (!present || *present != count) survey.differs = true;
  }
  size_t own = held_ <= held_limit_ ? std::min(count, range_) : count;
  for (size_t first = own; first < count; first += range_) {
    found.push_back({.at = task.at, .listing = listing, .first = first});
    listing->tally.parts++;
  }
  for (size_t i = 0; i < own && !stop.wanted(); i++) entries.entry(listing->name(i));
  take_in(task.at, held, listing->tally, survey, found);
}

void CopySurvey::range_task(Task& task, const Stop& stop, std::vector<Task>& found) {
  Listing& listing = *task.listing;
  Survey survey;
  EntrySurvey entries(listing.held->source.get(), listing.held->destination.get(), run_->options, stop, survey);
  size_t end = std::min(listing.starts.size(), task.first + range_);
  for (size_t i = task.first; i < end && !stop.wanted(); i++) entries.entry(listing.name(i));
  take_in(task.at, listing.held, listing.tally, survey, found);
}

// What has been seen of a directory, or of a range of it.
void CopySurvey::take_in(const std::shared_ptr<PathPiece>& at, const std::shared_ptr<const Held>& held, Tally& tally,
                         Survey& survey, std::vector<Task>& found) {
  bool keep = held_ <= held_limit_;
  for (CommonDirectory& child : survey.common) {
    found.push_back({.at = std::make_shared<PathPiece>(at, child.name),
                     .source = child.source,
                     .destination = child.destination,
                     .parent = keep ? held : nullptr});
  }
  if (survey.differs) visit(text_of(at), false);
  for (const std::string& name : survey.obscure) visit(join(text_of(at), name), true);

  std::lock_guard lock(mutex_);
  looked_++;
  differing_ += survey.differs;
  count(tally, survey);
  lacks_names_ |= survey.lacks_directory;
  if (looked_ >= kEnoughToTell && differing_ * 2 > looked_) everything_ = stopped_ = true;
  if (survey.linked.empty()) return;
  std::string path = text_of(at);
  remember(path.size() + survey.linked.size() * sizeof(Linked));
  uint32_t directory = static_cast<uint32_t>(linked_directories_.size());
  linked_directories_.push_back(std::move(path));
  for (const LinkedName& name : survey.linked) linked_.push_back({.name = name, .directory = directory});
}

// A directory counts as a whole: one that is to be visited is counted by the copy.
void CopySurvey::count(Tally& tally, const Survey& survey) {
  tally.differs |= survey.differs;
  tally.entries += survey.entries;
  tally.bytes += survey.bytes;
  if (--tally.parts > 0 || tally.differs || everything_) return;
  run_->job->count_entries(tally.entries);
  run_->job->count_unchanged(tally.bytes);
  counted_.entries += tally.entries;
  counted_.bytes += tally.bytes;
}

void CopySurvey::visit(const std::string& path, bool unknown) {
  std::lock_guard lock(mutex_);
  Visit& own = visits_[path];
  own.differs = true;
  own.unknown |= unknown;
  lacks_names_ |= unknown;
  remember(path.size());
  visit_above(path);
}

void CopySurvey::remember(size_t bytes) {
  remembered_ += bytes;
  if (remembered_ > kMostBytes) everything_ = stopped_ = true;
}

void CopySurvey::visit_above(const std::string& path) {
  for (size_t end = path.size(); end > 0 && !everything_;) {
    size_t slash = path.rfind('/', end - 1);
    end = slash == std::string::npos ? 0 : slash;
    // Where one is marked, so are those above it.
    if (!visits_.try_emplace(path.substr(0, end)).second) return;
    remember(end);
  }
}

// The names of a file that has several are either all as they should be, or all the copy's business: the first that it meets is the one it
// makes the others links to. A file is its business where
//   - one of its names lies in a directory in which something differs,
//   - its names go by more than one file at the destination, or one file there goes by the names of several here,
//   - names are missing that may turn up in directories which the destination has yet to get, or which could not be looked at.
void CopySurvey::settle_links() {
  auto by_destination = [](const Linked& a, const Linked& b) { return a.name.destination < b.name.destination; };
  std::sort(linked_.begin(), linked_.end(), by_destination);
  std::vector<FileKey> mixed;
  for (size_t i = 1; i < linked_.size(); i++) {
    const LinkedName& a = linked_[i - 1].name;
    const LinkedName& b = linked_[i].name;
    if (a.destination != b.destination || a.source == b.source) continue;
    mixed.push_back(a.source);
    mixed.push_back(b.source);
  }
  std::sort(mixed.begin(), mixed.end());

  std::vector<bool> differs(linked_directories_.size());
  for (size_t i = 0; i < differs.size(); i++) {
    auto visit = visits_.find(linked_directories_[i]);
    differs[i] = visit != visits_.end() && visit->second.differs;
  }
  std::sort(linked_.begin(), linked_.end(),
            [](const Linked& a, const Linked& b) { return a.name.source < b.name.source; });
  std::vector<std::pair<Names, Names>> alone;
  for (auto first = linked_.begin(); first != linked_.end();) {
    auto last =
        std::find_if(first, linked_.end(), [&](const Linked& at) { return at.name.source != first->name.source; });
    bool touched = std::binary_search(mixed.begin(), mixed.end(), first->name.source) ||
                   (lacks_names_ && static_cast<size_t>(last - first) < first->name.links) ||
                   std::any_of(first, last, [&](const Linked& at) {
                     return differs[at.directory] || at.name.destination != first->name.destination;
                   });
    if (!touched) alone.emplace_back(first, last);
    for (; first != last; ++first) {
      if (!touched) continue;
      const std::string& path = linked_directories_[first->directory];
      visits_.try_emplace(path);
      visit_above(path);
    }
  }
  count_alone(alone);
  linked_ = {};
  linked_directories_ = {};
}

// Files of which all names are as they should be: the copy counts those that it meets in a directory it visits for something else.
void CopySurvey::count_alone(std::span<const std::pair<Names, Names>> files) {
  if (everything_) return;
  for (const auto& [first, last] : files) {
    bool is_met =
        std::any_of(first, last, [&](const Linked& at) { return visits_.contains(linked_directories_[at.directory]); });
    if (is_met) continue;
    run_->job->count_unchanged(first->name.bytes);
    counted_.bytes += first->name.bytes;
  }
}

std::optional<std::string> CopySurvey::take() {
  std::lock_guard lock(mutex_);
  if (everything_) {
    // All of it is to be counted by the copy.
    run_->job->entries.fetch_sub(counted_.entries);
    run_->job->unchanged_bytes.fetch_sub(counted_.bytes);
    counted_ = {};
    return std::nullopt;
  }
  std::string packed;
  for (const auto& [path, visit] : visits_)
    packed.append(visit.unknown ? "u" : visit.differs ? "v" : "b").append(path).push_back('\0');
  visits_ = {};
  return packed;
}

}  // namespace dfd
