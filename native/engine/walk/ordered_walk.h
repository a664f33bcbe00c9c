// Orders depth and sorted: one thread and a stack of directories, of which the top is being reported.
//
//   depth    a directory's listing is read as it is reported, so one of a million names needs no more memory than one of ten
//   sorted   a directory's names are read and sorted first; then a name stands for itself, and a directory once more for its name and
//            '/', which is where what is below it begins: `a`, `a.txt`, `a/b`, the order that sorting whole paths gives
//
// A directory high in the stack that has to give up its descriptor reads the rest of its names first: the position in a listing is lost
// with the descriptor.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "engine/walk/reporter.h"
#include "engine/walk/walk.h"

namespace dfd {

class OrderedWalk final : public Walk {
 public:
  OrderedWalk(SharedFd root, Policy policy, WalkOptions options, Sink sink)
      : Walk(std::move(root), policy, options, std::move(sink)), reporter_(*this), ahead_(ring_choice) {}
  ~OrderedWalk() override;

 private:
  // A directory that has been reported and is yet to be entered.
  struct Child {
    DirectoryRef node;
    StatRecord stat;
  };
  using Looked = std::optional<Result<struct statx>>;  // none: not wanted
  struct Frame {
    DirectoryRef node;
    StatRecord stat{};  // for the leave event
    SharedFd fd{};      // none: let go of; everything has been read then
    bool read = false;
    std::vector<std::byte> dirents{};
    std::vector<Dirent> names{};  // views into dirents
    size_t next = 0;
    std::deque<Looked> looked{};   // what a ring has told of names[next] and the ones behind it
    std::vector<Child> waiting{};  // sorted: reported, and their '/' not yet reached
  };

  Status begin(DirectoryRef root_node) override;
  void answered(std::span<const Candidate>) override {}

  void run() noexcept;
  void enter(const DirectoryRef& node, const StatRecord& stat);
  std::optional<Child> next_child(Frame& frame);
  std::optional<Child> report_next(Frame& frame);
  Seen report(Frame& frame, Dirfd fd, const Dirent& entry);
  void look_ahead(Frame& frame, Dirfd fd, StatRing& ring);
  bool may_enter(const Child& child);
  void leave(const Frame& frame);

  bool has_more(Frame& frame);
  bool read_some(Frame& frame);
  void read_rest(Frame& frame);
  void parse(Frame& frame);
  void shrink(Frame& frame);
  Result<SharedFd> descriptor_of(Frame& frame);
  void make_room();
  void shed_oldest();
  void fail(Frame& frame, const SysError& error);

  Reporter reporter_;
  StatAhead ahead_;
  WaitMeter meter_;
  std::deque<Frame> stack_;
  size_t first_open_ = 0;  // frames from here on have their descriptors
};

}  // namespace dfd
