#include "engine/walk/reporter.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>

#include "ops/open_file.h"
#include "ops/read_file.h"

namespace dfd {

namespace {

constexpr auto kPatience = std::chrono::milliseconds(2);
constexpr size_t kIgnoreFileLimit = 1 << 20;  // a .gitignore beyond 1 MiB is no list of patterns

constexpr const char* kIgnoreFile = ".gitignore";

Result<std::string> read_ignore_file(Dirfd directory) {
  auto file = open_file(directory, kIgnoreFile, Policy{}, OpenFile{.flags = O_RDONLY});
  if (!file) return file.error();
  return read_file(file->get(), kIgnoreFileLimit);
}

// There is none, or none that git would read: a symlink, a directory, a FIFO.
bool means_no_ignore_file(const SysError& error) {
  return error.err == ENOENT || error.err == ELOOP || error.err == EISDIR || error.reason == Reason::kNotRegular;
}

bool has_type(const Dirent& entry) { return entry.type != DT_UNKNOWN; }

}  // namespace

void Reporter::enter(const DirectoryRef& directory) {
  if (directory_ == directory) return;
  // Deep trees: the path of a child is the path of the directory before it and one name, not a climb to the root.
  if (directory_ && directory->parent == directory_) {
    append_component(path_, directory->name);
  } else {
    path_ = path_of(*directory);
  }
  directory_ = directory;
  builder_.enter(path_, directory->depth + 1);
}

bool Reporter::wants(const Dirent& entry) const {
  bool wanted = !has_type(entry) || (walk_.options.kinds & kind_bit(DTTOIF(entry.type)));
  return wanted || entry.type == DT_DIR || (entry.type == DT_LNK && walk_.options.follow);
}

Seen Reporter::report(Dirfd fd, const Dirent& entry) {
  if (!wants(entry)) return {};
  return report(entry, sys::statx(fd, entry.name.data()));
}

Seen Reporter::report(const Dirent& entry, Result<struct statx> stx) {
  bool through_link = false;
  if (walk_.options.follow && stx && S_ISLNK(stx->stx_mode)) stx = look_through(entry, *stx, through_link);
  if (!stx) {
    if (stx.err() == ENOENT) {
      count(walk_.counters.vanished);
    } else {
      builder_.add_error(entry.name, stx.error());
      count(walk_.counters.errors);
      flush_if_full();
    }
    return {};
  }
  bool reported = walk_.options.kinds & kind_bit(stx->stx_mode);
  if (reported) builder_.add(entry.name, *stx);
  Seen seen;
  if (S_ISDIR(stx->stx_mode)) {
    seen = {.directory = reported, .enter = enterable(entry, *stx, through_link)};
    if (walk_.options.leave) last_stat_ = to_record(*stx);
    if (seen.enter && walk_.options.ask) candidates_.push_back({builder_.entries() - 1, seen.enter});
  }
  flush_if_full();
  return seen;
}

Result<struct statx> Reporter::look_through(const Dirent& entry, const struct statx& link, bool& through_link) {
  // A link that dangles, leads out of the root, runs in circles or may not be followed is reported as what it is: a link.
  auto target = follow(entry.name.data());
  if (is_out_of_descriptors(target.err())) {
    walk_.directories.let_go_of_all();
    target = follow(entry.name.data());
    // Nothing was learnt of the link, so it cannot be told what it is.
    if (is_out_of_descriptors(target.err())) return target;
  }
  if (!target || (S_ISDIR(target->stx_mode) && is_ancestor(sys::identity(*target)))) return link;
  through_link = true;
  return target;
}

// From the root, because a link may lead up and aside, as long as it stays beneath the root.
Result<struct statx> Reporter::follow(const char* name) {
  std::string path = path_;
  append_component(path, name);
  auto target = resolve_path(walk_.root->get(), path, walk_.link_policy, FinalLink::kFollow);
  if (!target) return target.error();
  return sys::fstatx(target->get());
}

DirectoryRef Reporter::enterable(const Dirent& entry, const struct statx& stx, bool through_link) {
  if (directory_->depth + 1 >= walk_.options.max_depth) return {};
  sys::Identity identity = sys::identity(stx);
  if (walk_.options.one_file_system && identity.mount != walk_.root_mount) return {};
  // Behind a followed link a directory may hold itself without any further link.
  if (walk_.options.follow && is_ancestor(identity)) return {};
  DirectoryRef child(new DirectoryNode);
  child->parent = directory_;
  child->name = entry.name;
  child->identity = identity;
  child->depth = directory_->depth + 1;
  child->through_link = through_link;
  directory_->wanted.fetch_add(1, std::memory_order_relaxed);
  return child;
}

bool Reporter::is_ancestor(const sys::Identity& identity) const {
  for (const DirectoryNode* at = &*directory_;; at = &*at->parent) {
    if (at->identity == identity) return true;
    if (!at->parent) return false;
  }
}

void Reporter::report_failure(const SysError& error) {
  builder_.add_error("", error);
  count(walk_.counters.errors);
  flush_if_full();
}

void Reporter::report_ignore_file(Dirfd fd) {
  auto text = read_ignore_file(fd);
  if (is_out_of_descriptors(text.err())) {
    walk_.directories.let_go_of_all();
    text = read_ignore_file(fd);
  }
  if (text) {
    if (!text->empty()) builder_.add_ignore_file(*text);
  } else if (!means_no_ignore_file(text.error())) {
    builder_.add_error(kIgnoreFile, text.error());
    count(walk_.counters.errors);
  }
}

void Reporter::report_leave(std::string_view child, const StatRecord& stat) {
  builder_.add_leave(child, stat);
  flush_if_full();
}

void Reporter::flush_if_full() {
  if (builder_.entries() >= limit_ || builder_.bytes() >= walk_.options.batch_bytes) flush();
}

void Reporter::flush_if_awaited() {
  if (builder_.empty() || std::chrono::steady_clock::now() - flushed_at_ < kPatience) return;
  if (walk_.flow.is_starved()) flush();
}

void Reporter::flush() {
  if (builder_.empty()) return;
  limit_ = std::min(limit_ * 4, walk_.options.batch_entries);
  // Once a batch: threads that count in one place at every entry wait for its cache line most of the time that they need themselves.
  count(walk_.counters.entries, builder_.entries() - builder_.special());
  Delivery delivery{.batch = builder_.take()};
  std::vector<Candidate> candidates = std::exchange(candidates_, {});
  const Flow::Taken taken = walk_.flow.take(delivery.batch.size);
  if (taken == Flow::Taken::kClosed) return;
  held_up_ |= taken == Flow::Taken::kLater;
  delivery.question = walk_.ask(std::move(candidates));
  walk_.sink(std::move(delivery));
  flushed_at_ = std::chrono::steady_clock::now();
}

}  // namespace dfd
