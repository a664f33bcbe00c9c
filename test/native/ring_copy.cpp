// A whole copy on the ring, with long stretches of files or with small files that are read ahead, and the lists in which a sync looks for what to
// delete: once for each completion and each answer that may come in its place.
#include "ops/copy_fresh.h"

#ifdef DIRFD_LIBURING

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "completions.h"
#include "engine/copy/stat_together.h"
#include "engine/uring/availability.h"
#include "engine/uring/data_ring.h"
#include "engine/uring/file_ring.h"

using namespace dfd;
using namespace dfd::test;

namespace {

// The kernel has read and written all the same, so that the content shows nothing: but the block may not be taken for copied.
Moved move_watched(const Stretch& stretch, const Stop& stop, Job& job) {
  const Moved moved = move_on_ring(stretch, stop, job);
  const bool is_whole = moved.at + 4096 > stretch.to;
  if (moves_data(fault.opcode)) CHECK(is_whole != has_struck);
  return moved;
}

bool lists_too = true;
constexpr int kSmallFiles = 8;  // of Trees

std::shared_ptr<CopyRun> run_over(const Trees& trees) {
  auto run = std::make_shared<CopyRun>();
  run->source = share(trees.open(trees.source));
  run->destination = share(trees.open(trees.destination));
  run->job = std::make_shared<Job>();
  run->options.reflink = Choice::kNever;
  run->options.access_times = true;  // so that names are stat'ed before they are copied
  run->options.keep_going = true;
  run->bulk_move = &move_watched;
  if (is_only_ahead) {
    run->bulk_move = nullptr;
    run->ahead.open = &open_file_ring;
    run->ahead.always = true;
  }
  if (lists_too) run->stat_source = run->stat_destination = &stat_together;
  return run;
}

// Both lists of a pair of directories, in which a sync with delete looks for what it is to do: what failed is in them, or a copy of it would be deleted.
void list_both(const Trees& trees) {
  auto run = run_over(trees);
  CancelFlag never;
  CopyPair pair(run, TreePath{}, Ticket{}, DestinationState::kExisting);
  Applied applied;
  CHECK(pair.open({.list_destination = true}, false, Stop(run->job->cancel, never), applied).ok());
  Paths names;
  for (const fs::directory_entry& entry : fs::directory_iterator(trees.source)) names.insert(entry.path().filename());
  Seen source, destination;
  take_in(pair.pack_source(), source);
  take_in(pair.take_destination(), destination);
  destination.whole.merge(destination.told);
  const size_t gone = fault.at >= 0 && fault.answer == -ENOENT ? 1 : 0;
  CHECK(source.whole.size() + destination.whole.size() + gone == 2 * names.size());
  for (const Paths& listed : {source.whole, destination.whole})
    CHECK(std::includes(names.begin(), names.end(), listed.begin(), listed.end()));
}

std::string content(const fs::path& path) {
  std::string bytes(fs::file_size(path), '\0');
  std::ifstream(path, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

bool is_equal(const fs::path& one, const fs::path& other) {
  const fs::file_status here = fs::symlink_status(one), there = fs::symlink_status(other);
  if (here.type() != there.type() || here.permissions() != there.permissions()) return false;
  if (here.type() == fs::file_type::symlink) return fs::read_symlink(one) == fs::read_symlink(other);
  return here.type() == fs::file_type::directory || content(one) == content(other);
}

// As TypeScript drives it: what native code leaves open is gone on with, what failed is told.
void copy(const Trees& trees) {
  fs::remove_all(trees.destination);
  fs::create_directory(trees.destination);
  ::chmod(trees.destination.c_str(), 0700);
  auto run = run_over(trees);
  CancelFlag never;
  const Stop stop(run->job->cancel, never);
  Filling filling(run, 0);
  Seen seen;
  uint32_t origins = 0;
  filling.give({{.origin = origins++}});
  for (bool more = true; more;) {
    Filled filled = filling.work(false, stop);
    filling.hand_over(filled);
    for (const Filled::Failed& failed : filled.failed) seen.told.insert(failed.directory.path.text());
    std::vector<FreshDirectory> given;
    for (Filled::Opened& opened : filled.opened) {
      const TreePath above = opened.directory.path.ended();
      for (const CopyProblem& problem : opened.applied.problems)
        seen.told.insert(above.child(std::string(opened.pair->name(problem.entry))).text());
      for (size_t i = 0; i < opened.applied.indices.size(); i++) {
        CHECK(opened.applied.outcomes[i] == Outcome::kDone);
        given.push_back({.path = above.child(std::string(opened.pair->name(opened.applied.indices[i]))),
                         .ticket = opened.applied.tickets[i],
                         .origin = origins++});
      }
    }
    more = filled.waiting > 0 || !given.empty();
    filling.give(std::move(given));
  }
  for (const auto& entry : fs::recursive_directory_iterator(trees.destination)) {
    const std::string path = Trees::relative(entry, trees.destination);
    CHECK(is_equal(trees.source / path, entry));
    seen.whole.insert(path);
  }
  judge(seen, trees.truth);
}

// Enough for some rings, as what one had locked is given back a while after its end, and not for their buffers: these cannot be registered, and
// requests name ordinary ones.
void let_little_memory_be_locked() {
  const rlimit little{.rlim_cur = 500 << 10, .rlim_max = 500 << 10};
  CHECK(::setrlimit(RLIMIT_MEMLOCK, &little) == 0);
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> nothing{};
  CHECK(::syscall(SYS_capset, &header, nothing.data()) == 0);
}

}  // namespace

int main() {
  if (!may_use_ring()) {
    std::puts("no io_uring here");
    return 0;
  }
  completion_fault = answer;
  // Some hundred copies: in memory where there is some.
  if (::access("/dev/shm", W_OK) == 0) ::setenv("TMPDIR", "/dev/shm", 1);
  Trees trees;
  sweep([&] { copy(trees); });
  copy(trees);
  sweep([&] { list_both(trees); });
  is_only_ahead = true;
  lists_too = false;
  sweep([&] { copy(trees); });
  copy(trees);
  CHECK(completions[IORING_OP_OPENAT2] == kSmallFiles && completions[IORING_OP_CLOSE] == kSmallFiles);
  is_only_ahead = false;
  let_little_memory_be_locked();
  sweep([&] {
    copy(trees);
    CHECK(completions[IORING_OP_READ_FIXED] == 0);
  });
}

#else

int main() {}

#endif
