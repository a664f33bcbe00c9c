#include "ops/remove_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <set>

#include "ops/dirents.h"
#include "ops/recent_directories.h"
#include "sys/data.h"
#include "sys/directory.h"
#include "sys/open.h"
#include "sys/stat.h"

namespace dfd {

namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY;

// Descriptors held along the current path. Coming back to a directory above them costs a descent from the top, shared
// by this many.
constexpr size_t kOpenLevels = 8;

// Levels between two places from which the way down begins: from the top each time, it would be the square of the depth.
constexpr size_t kStride = 512;
using Clock = RecentDirectories::Clock;

// Subdirectories remembered per level before they are emptied: the bound on memory in a directory of a million
// directories.
constexpr size_t kPendingLimit = 1024;

// How often a directory that fills up again behind us is emptied anew, and how often names may turn from directory to
// file and back under our hands: somebody who works against us must not keep us busy for ever.
constexpr int kRefillLimit = 16;
constexpr int kSwapLimit = 1000;

struct Level {
  std::string name;
  sys::Identity identity;
  UniqueFd fd;                             // empty while the walk is far below
  std::vector<std::string> directories{};  // seen, still to be emptied
  std::set<std::string> stuck{};           // names that could not be removed: not tried again
  bool started = false;
  bool read_to_end = false;
  int refills = 0;
};

class Remover {
 public:
  Remover(const Place& place, RemoveOptions options, const Stop& stop, Job* progress)
      : place_(place), options_(options), stop_(stop), progress_(progress) {}

  RemoveReport run() {
    if (!options_.cross_mounts) {
      auto stx = sys::fstatx(place_.dir());
      if (!stx) {
        fail("", stx.error());
        return std::move(report_);
      }
      mount_ = sys::identity(*stx).mount;
    }
    if (place_.name() == std::string_view(".")) {
      contents_only_ = true;
      if (auto status = enter("."); !status) fail("", status.error());
    } else {
      remove_top();
    }
    while (!levels_.empty() && !finished_) step();
    return std::move(report_);
  }

 private:
  void remove_top() {
    auto stx = sys::statx(place_.dir(), place_.name());
    if (!stx) return fail("", stx.error());
    if (S_ISDIR(stx->stx_mode)) {
      if (auto status = enter(place_.name()); !status) fail("", status.error());
      return;
    }
    if (place_.must_be_directory()) return fail("", failure(Call::kUnlinkat, ENOTDIR, AT_REMOVEDIR));
    if (auto status = sys::unlinkat(place_.dir(), place_.name()); !status) return fail("", status.error());
    count();
  }

  // One step of the walk: read the current directory, go down, or remove it and go up.
  void step() {
    if (stop_.wanted()) return give_up(failure(Call::kNone, ECANCELED));
    Level& level = levels_.back();
    if (!level.directories.empty()) return go_down();
    if (!level.read_to_end) return read_level();
    leave();
  }

  // Opens a directory in the current one and makes it the current one.
  Status enter(std::string name) {
    Dirfd parent = place_.dir();
    if (!levels_.empty()) {
      auto opened = current();
      if (!opened) return opened.error();
      parent = *opened;
    }
    auto fd = sys::openat(parent, name.c_str(), kDirectory);
    if (is_out_of_descriptors(fd.err()) && milestone_ > 0 && reach_milestone(0)) {
      fd = sys::openat(parent, name.c_str(), kDirectory);
    }
    if (!fd) return fd.error();
    auto stx = sys::fstatx(fd->get());
    if (!stx) return stx.error();
    sys::Identity identity = sys::identity(*stx);
    if (!options_.cross_mounts && identity.mount != mount_) return failure(Call::kOpenat, EXDEV, kDirectory);
    if (options_.spared) {
      auto node = node_of(fd->get());
      if (!node) return node.error();
      if (*node == *options_.spared) return failure_because(Reason::kOverlap, Call::kOpenat, EBUSY, kDirectory);
    }
    levels_.push_back(Level{.name = std::move(name), .identity = identity, .fd = *std::move(fd)});
    if (levels_.size() > kOpenLevels) (void)levels_[levels_.size() - 1 - kOpenLevels].fd.close();
    return success();
  }

  void go_down() {
    std::string name = std::move(levels_.back().directories.back());
    levels_.back().directories.pop_back();
    auto status = enter(name);
    if (status || status.err() == ENOENT) return;
    // Not a directory any more, or a symlink instead: whatever it is now, the name is to go.
    if ((status.err() == ENOTDIR || status.err() == ELOOP) && swaps_++ < kSwapLimit) {
      if (auto fd = current(); fd) return unlink_entry(*fd, name.c_str());
    }
    stuck(name, status.error());
  }

  // Removes all but directories, and notes those.
  void read_level() {
    auto fd = current();
    if (!fd) return abandon(fd.error());
    Level& level = levels_.back();
    if (level.started) {
      // What was seen before is gone or stuck, so a new pass from the start sees only the rest.
      if (auto status = sys::lseek(*fd, 0, SEEK_SET); !status) return abandon(status.error());
    }
    level.started = true;
    while (level.directories.size() < kPendingLimit) {
      auto got = sys::getdents64(*fd, buffer_);
      // Of a directory that somebody has removed, that it is not there: whether it is, the rmdir of it tells. "." has none.
      const bool is_removed = got.err() == ENOENT && !(contents_only_ && levels_.size() == 1);
      if (!got && !is_removed) return abandon(got.error());
      if (is_removed || *got == 0) {
        level.read_to_end = true;
        return;
      }
      bool sound =
          for_each_dirent(std::span(buffer_).first(*got), [&](const Dirent& entry) { remove_entry(*fd, entry); });
      if (!sound) return abandon(failure(Call::kGetdents64, EIO));
      if (finished_) return;
    }
  }

  void remove_entry(Dirfd fd, const Dirent& entry) {
    if (finished_) return;
    if (stop_.wanted()) return give_up(failure(Call::kNone, ECANCELED));
    Level& level = levels_.back();
    if (!level.stuck.empty() && level.stuck.contains(std::string(entry.name))) return;
    if (entry.type == DT_DIR) {
      level.directories.emplace_back(entry.name);
      return;
    }
    unlink_entry(fd, entry.name.data());
  }

  // A directory that turns out to stand there (DT_UNKNOWN, or swapped in) is noted for later.
  void unlink_entry(Dirfd fd, const char* name) {
    auto status = sys::unlinkat(fd, name);
    if (status) {
      count();
    } else if (status.err() == EISDIR) {
      levels_.back().directories.emplace_back(name);
    } else if (status.err() != ENOENT) {
      stuck(name, status.error());
    }
  }

  // The current directory is empty, but for what is stuck in it.
  void leave() {
    Level done = std::move(levels_.back());
    levels_.pop_back();
    (void)done.fd.close();
    if (levels_.empty() && contents_only_) return;
    // What stuck has been reported; the directories above it stay for that reason alone.
    if (!done.stuck.empty()) return note_stuck(done.name);
    auto parent = levels_.empty() ? Result<Dirfd>(place_.dir()) : current();
    if (!parent) return abandon(parent.error());
    auto status = sys::unlinkat(*parent, done.name.c_str(), AT_REMOVEDIR);
    if (status) return count();
    if (status.err() == ENOENT) return;
    bool refilled = status.err() == ENOTEMPTY || status.err() == EEXIST;
    if (refilled && done.refills < kRefillLimit && enter(done.name)) {
      levels_.back().refills = done.refills + 1;
      return;
    }
    stuck(done.name, status.error());
  }

  // The descriptor of the current directory, opened again from the top where it had to be closed.
  Result<Dirfd> current() {
    if (!levels_.back().fd) {
      if (auto status = descend_again(); !status) return status.error();
    }
    return levels_.back().fd.get();
  }

  // The far part of the way in one resolution, the near part level by level, so that the next few steps up are open
  // already.
  Status descend_again() {
    size_t near = levels_.size() > kOpenLevels ? levels_.size() - kOpenLevels : 0;
    if (auto status = reach_milestone(near / kStride * kStride); !status) return status;
    UniqueFd far;
    if (near > milestone_) {
      auto fd = open_level(near);
      if (!fd) return fd.error();
      far = *std::move(fd);
    }
    Dirfd parent = far ? far.get() : from_milestone();
    for (size_t i = near; i < levels_.size(); i++) {
      auto fd = sys::openat(parent, levels_[i].name.c_str(), kDirectory);
      if (!fd) return fd.error();
      if (auto status = require_identity(fd->get(), levels_[i]); !status) return status;
      levels_[i].fd = *std::move(fd);
      parent = levels_[i].fd.get();
    }
    return success();
  }

  // Holds the directory of that many levels, if it is not the one held; of no level, none.
  Status reach_milestone(size_t level) {
    bool held = level == milestone_ && (level == 0 || (levels_[level - 1].identity == milestone_identity_ &&
                                                       Clock::now() - milestone_since_ <= RecentDirectories::kTrusted));
    if (held) return success();
    milestone_ = 0;
    (void)milestone_fd_.close();
    if (level == 0) return success();
    auto fd = open_level(level);
    if (!fd) return fd.error();
    milestone_fd_ = *std::move(fd);
    milestone_ = level;
    milestone_identity_ = levels_[level - 1].identity;
    milestone_since_ = Clock::now();
    return success();
  }

  Dirfd from_milestone() const { return milestone_ > 0 ? milestone_fd_.get() : place_.dir(); }

  // The directory of the first `count` levels, from the last milestone, in one resolution.
  Result<UniqueFd> open_level(size_t count) const {
    auto fd = resolve_directory(from_milestone(), path_between(milestone_, count), Policy{}, FinalLink::kKeep);
    if (!fd) return fd;
    if (auto status = require_identity(fd->get(), levels_[count - 1]); !status) return status.error();
    return fd;
  }

  static Status require_identity(Dirfd fd, const Level& level) {
    auto stx = sys::fstatx(fd);
    if (!stx) return stx.error();
    if (sys::identity(*stx) == level.identity) return success();
    return failure_because(Reason::kChanged, Call::kOpenat, ESTALE, kDirectory);
  }

  std::string path_between(size_t first, size_t end) const {
    std::string path;
    for (size_t i = first; i < end; i++) {
      if (i > first) path += '/';
      path += levels_[i].name;
    }
    return path;
  }

  // The current directory cannot be read or found again, and the walk goes on above it: somebody has removed it or moved it away, and should
  // it be there after all, the rmdir above finds it; or it stays.
  void abandon(const SysError& error) {
    if (levels_.empty()) return fail("", error);
    Level lost = std::move(levels_.back());
    levels_.pop_back();
    const bool is_gone = error.err == ENOENT && !(levels_.empty() && contents_only_);  // "." has no rmdir
    if (!is_gone) stuck(lost.name, error);
  }

  void stuck(const std::string& name, const SysError& error) {
    fail(path_of(name), error);
    note_stuck(name);
  }

  void note_stuck(const std::string& name) {
    if (!levels_.empty()) levels_.back().stuck.insert(name);
  }

  // The path below the place: levels_[0] is the place itself.
  std::string path_of(const std::string& name) const {
    if (levels_.empty()) return {};
    std::string path;
    for (size_t i = 1; i < levels_.size(); i++) path += levels_[i].name + '/';
    return path + name;
  }

  void fail(std::string path, const SysError& error) {
    report_.failed++;
    if (report_.failures.size() < kFailureLimit) report_.failures.push_back({std::move(path), error});
    if (!options_.keep_going) finished_ = true;
  }

  void give_up(const SysError& error) {
    fail("", error);
    finished_ = true;
  }

  void count() {
    report_.entries++;
    if (progress_) progress_->count_entry();
  }

  const Place& place_;
  RemoveOptions options_;
  const Stop& stop_;
  Job* progress_;
  RemoveReport report_;
  std::vector<Level> levels_;
  // A directory far above the current one that is held, and how many levels lead to it; 0: none.
  UniqueFd milestone_fd_;
  size_t milestone_ = 0;
  sys::Identity milestone_identity_{};
  Clock::time_point milestone_since_{};
  uint64_t mount_ = 0;
  int swaps_ = 0;
  bool contents_only_ = false;
  bool finished_ = false;
  alignas(8) std::array<std::byte, 32 * 1024> buffer_;
};

}  // namespace

RemoveReport remove_tree(const Place& place, RemoveOptions options, const Stop& stop, Job* progress) {
  return Remover(place, options, stop, progress).run();
}

}  // namespace dfd
