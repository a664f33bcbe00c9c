#include "engine/walk/ordered_walk.h"

#include <algorithm>

#include "sys/directory.h"

namespace dfd {

namespace {

constexpr size_t kChunk = 32 * 1024;
constexpr size_t kDirentHead = 19;  // of struct linux_dirent64, before the name

// Whether all below `directory` comes before `name`, which is greater: bytes of paths, so '/' against what follows in the name.
bool comes_before(std::string_view directory, std::string_view name) {
  return !name.starts_with(directory) || name[directory.size()] > '/';
}

}  // namespace

OrderedWalk::~OrderedWalk() {
  cancel();
  join();
}

Status OrderedWalk::begin(DirectoryRef root_node) {
  std::lock_guard lock(mutex_);
  return start_thread([this, root_node = std::move(root_node)] {
    enter(root_node, StatRecord{});
    run();
  });
}

void OrderedWalk::run() noexcept {
  while (!stack_.empty() && !stopping.cancelled()) {
    reporter_.flush_if_awaited();
    Frame& frame = stack_.back();
    if (auto child = next_child(frame)) {
      shrink(frame);
      enter(child->node, child->stat);
    } else if (!stopping.cancelled()) {
      leave(frame);
      directories.release(frame.node);
      stack_.pop_back();
      first_open_ = std::min(first_open_, stack_.size());
    }
  }
  if (!stopping.cancelled()) reporter_.flush();
  sink(Delivery{.last = true});
}

void OrderedWalk::enter(const DirectoryRef& node, const StatRecord& stat) {
  make_room();
  auto fd = directories.open(node);
  if (is_out_of_descriptors(fd.err())) {
    while (first_open_ < stack_.size()) shed_oldest();
    fd = directories.open(node);
  }
  if (node->parent) directories.release(node->parent);
  Frame& frame = stack_.emplace_back(Frame{.node = node, .stat = stat});
  if (!fd) return fail(frame, fd.error());
  frame.fd = *std::move(fd);
  count(counters.directories);
  reporter_.enter(node);
  if (options.ignore_files) reporter_.report_ignore_file(frame.fd->get());
  if (options.order != Order::kSorted) return;
  read_rest(frame);
  std::sort(frame.names.begin(), frame.names.end(), [](const Dirent& a, const Dirent& b) { return a.name < b.name; });
}

std::optional<OrderedWalk::Child> OrderedWalk::next_child(Frame& frame) {
  while (!stopping.cancelled()) {
    bool more = has_more(frame);
    bool descend = !frame.waiting.empty() &&
                   (!more || comes_before(frame.waiting.back().node->name, frame.names[frame.next].name));
    if (!more && !descend) return {};
    std::optional<Child> child;
    if (descend) {
      child = std::move(frame.waiting.back());
      frame.waiting.pop_back();
    } else {
      child = report_next(frame);
      if (child && options.order == Order::kSorted) {
        // Whatever waits here already has this name as a longer neighbour, so the last one in is the first to be entered.
        frame.waiting.push_back(*std::exchange(child, {}));
      }
    }
    if (child && may_enter(*child)) return child;
  }
  return {};
}

std::optional<OrderedWalk::Child> OrderedWalk::report_next(Frame& frame) {
  auto fd = descriptor_of(frame);
  if (!fd) {
    fail(frame, fd.error());
    return {};
  }
  reporter_.enter(frame.node);
  const Dirent& entry = frame.names[frame.next];
  Seen seen = report(frame, (*fd)->get(), entry);
  frame.next++;
  if (seen.enter) return Child{.node = std::move(seen.enter), .stat = reporter_.last_stat()};
  if (seen.directory && options.leave) reporter_.report_leave(entry.name, reporter_.last_stat());
  return {};
}

// The next entry, by what a ring has told of it where one is in use.
Seen OrderedWalk::report(Frame& frame, Dirfd fd, const Dirent& entry) {
  if (ring_choice.is_open()) {
    if (auto reading = meter_.read()) ring_choice.learn(*reading);
  }
  if (frame.looked.empty()) {
    StatRing* ring = ahead_.ring(frame.names.size() - frame.next);
    if (!ring) return reporter_.report(fd, entry);
    look_ahead(frame, fd, *ring);
    if (frame.looked.empty()) return {};  // cancelled
  }
  Looked looked = std::move(frame.looked.front());
  frame.looked.pop_front();
  return looked ? reporter_.report(entry, *std::move(looked)) : Seen{};
}

// As many as make a wait worth its while; not more, for what lies in between may take long, and the answers grow old.
void OrderedWalk::look_ahead(Frame& frame, Dirfd fd, StatRing& ring) {
  constexpr size_t kMost = 64;
  auto names = std::span<const Dirent>(frame.names).subspan(frame.next);
  names = names.first(std::min(names.size(), kMost));
  std::vector<Dirent> wanted;
  std::copy_if(names.begin(), names.end(), std::back_inserter(wanted),
               [&](const Dirent& entry) { return reporter_.wants(entry); });
  std::vector<Result<struct statx>> answers;
  ring.stat(fd, wanted, kMost, stopping,
            [&](const Dirent&, const Result<struct statx>& stx) { answers.push_back(stx); });
  if (answers.size() < wanted.size()) return;
  auto answer = answers.begin();
  for (const Dirent& entry : names) frame.looked.push_back(reporter_.wants(entry) ? Looked(*answer++) : Looked());
}

// Where JavaScript decides, the question goes out now and the walk waits for the answer: what comes next depends on it.
bool OrderedWalk::may_enter(const Child& child) {
  if (!options.ask) return true;
  auto decision = [&] { return child.node->decision.load(std::memory_order_relaxed); };
  if (decision() == Entering::kNone) reporter_.flush();
  {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return decision() != Entering::kNone || stopping.cancelled(); });
  }
  if (decision() == Entering::kEnter) return true;
  if (options.leave && !stopping.cancelled()) {
    reporter_.enter(child.node->parent);
    reporter_.report_leave(child.node->name, child.stat);
  }
  return false;
}

void OrderedWalk::leave(const Frame& frame) {
  bool reported = options.kinds & kind_bit(S_IFDIR);
  if (!options.leave || !frame.node->parent || !reported) return;
  reporter_.enter(frame.node->parent);
  reporter_.report_leave(frame.node->name, frame.stat);
}

bool OrderedWalk::has_more(Frame& frame) {
  while (frame.next == frame.names.size()) {
    if (frame.read || !read_some(frame)) return false;
  }
  return true;
}

// The next piece of the listing in place of the last one.
bool OrderedWalk::read_some(Frame& frame) {
  frame.names.clear();
  frame.next = 0;
  frame.dirents.resize(kChunk);
  auto got = sys::getdents64(frame.fd->get(), frame.dirents);
  frame.read = !got || *got == 0;
  frame.dirents.resize(got ? *got : 0);
  if (!got) fail(frame, got.error());
  parse(frame);
  return !frame.read;
}

// Everything that is left, behind what is there.
void OrderedWalk::read_rest(Frame& frame) {
  shrink(frame);
  while (!frame.read && !stopping.cancelled()) {
    size_t have = frame.dirents.size();
    frame.dirents.resize(have + kChunk);
    auto got = sys::getdents64(frame.fd->get(), std::span(frame.dirents).subspan(have));
    frame.dirents.resize(have + (got ? *got : 0));
    frame.read = !got || *got == 0;
    if (!got) fail(frame, got.error());
  }
  parse(frame);
}

void OrderedWalk::parse(Frame& frame) {
  frame.names.clear();
  frame.next = 0;
  bool sound = for_each_dirent(frame.dirents, [&](const Dirent& entry) { frame.names.push_back(entry); });
  if (sound) return;
  reporter_.enter(frame.node);
  reporter_.report_failure(failure(Call::kGetdents64, EIO));
  frame.read = true;
}

// A directory under which the walk goes down keeps only the names it has yet to report.
void OrderedWalk::shrink(Frame& frame) {
  if (options.order == Order::kSorted) return;
  std::vector<std::byte> rest;
  if (frame.next < frame.names.size()) {
    auto* begin = reinterpret_cast<const std::byte*>(frame.names[frame.next].name.data()) - kDirentHead;
    rest.assign(begin, static_cast<const std::byte*>(frame.dirents.data() + frame.dirents.size()));
  }
  frame.dirents = std::move(rest);
  frame.names = {};
  parse(frame);
}

Result<SharedFd> OrderedWalk::descriptor_of(Frame& frame) {
  if (frame.fd) return frame.fd;
  auto fd = directories.descriptor_of(frame.node);
  if (!fd) return fd.error();
  frame.fd = *fd;
  first_open_ = stack_.size() - 1;  // only the top is ever asked, and all below it have been shed
  return fd;
}

void OrderedWalk::make_room() {
  size_t most = options.open_directories - kDescriptorsPerThread;
  while (first_open_ < stack_.size() && stack_.size() - first_open_ >= most) shed_oldest();
}

void OrderedWalk::shed_oldest() {
  Frame& frame = stack_[first_open_++];
  if (!frame.fd) return;
  if (!frame.read) read_rest(frame);
  frame.fd.reset();
  directories.let_go(frame.node);
}

void OrderedWalk::fail(Frame& frame, const SysError& error) {
  if (error.err == ENOENT && error.reason == Reason::kErrno) {
    count(counters.vanished);  // removed, before it was opened or while it was read: getdents64(2)
  } else {
    reporter_.enter(frame.node);
    reporter_.report_failure(error);
  }
  frame.read = true;
  frame.dirents.clear();
  frame.names.clear();
  frame.looked.clear();
  frame.next = 0;
}

}  // namespace dfd
