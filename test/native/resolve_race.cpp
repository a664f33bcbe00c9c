// Both resolvers against a directory that another thread exchanges for a symlink as fast as it can:
//
//   root/a/secret   what the caller means          root/trap → ../outside
//   outside/secret  what must never be reached     the flipper: renameat2(RENAME_EXCHANGE) of a and trap, without pause
//
// A red control follows the path with openat(2) alone and must reach the outside, or the harness proves nothing.

#include <fcntl.h>

#include <atomic>
#include <fstream>

#include "check.h"
#include "engine/thread.h"
#include "ops/component_walk.h"
#include "ops/resolve.h"
#include "sys/directory.h"
#include "sys/stat.h"

using namespace dfd;

namespace {

constexpr int kRounds = 4000;

struct Trap {
  test::TemporaryDirectory place;
  UniqueFd root;
  uint64_t outside = 0;
  std::atomic<bool> stop = false;

  Trap() {
    for (const char* name : {"root", "root/a", "outside"}) std::filesystem::create_directory(place / name);
    for (const char* name : {"root/a/secret", "outside/secret"}) std::ofstream(place / name) << name;
    std::filesystem::create_symlink("../outside", place / "root/trap");
    root = sys::open_root((place / "root").c_str(), O_DIRECTORY | O_RDONLY).value();
    outside = inode(place / "outside/secret");
  }

  static uint64_t inode(const std::string& path) {
    struct stat stat {};
    CHECK(::stat(path.c_str(), &stat) == 0);
    return stat.st_ino;
  }

  void flip() const {
    while (!stop) CHECK(sys::renameat2(root.get(), "a", root.get(), "trap", RENAME_EXCHANGE).ok());
  }

  bool leads_outside(Dirfd fd) const { return sys::fstatx(fd)->stx_ino == outside; }
};

struct Tally {
  int inside = 0, outside = 0, refused = 0;
};

template <class Attempt>
Tally race(Attempt&& attempt) {
  Trap trap;
  Thread flipper = Thread::start([&] { trap.flip(); }).value();
  Tally tally;
  for (int round = 0; round < kRounds; round++) {
    UniqueFd fd = attempt(trap.root.get());
    (!fd ? tally.refused : trap.leads_outside(fd.get()) ? tally.outside : tally.inside)++;
  }
  trap.stop = true;
  flipper.join();
  return tally;
}

UniqueFd or_none(Result<UniqueFd> result) { return result ? *std::move(result) : UniqueFd(); }

UniqueFd by_walk(Dirfd root, Scope scope) {
  auto found = walk_components(root, normalize("a/secret"), {.scope = scope}, FinalLink::kKeep);
  return found ? std::move(found->fd) : UniqueFd();
}

// Races until the attempt has got inside at least once: a machine under load may show only one of the two states for long.
template <class Attempt>
void never_leads_outside(Attempt&& attempt) {
  Tally tally;
  for (int patience = 20; patience > 0 && tally.inside == 0; patience--) {
    tally = race(attempt);
    CHECK(tally.outside == 0);
  }
  CHECK(tally.inside > 0);
}

}  // namespace

int main() {
  Tally control;
  for (int patience = 20; patience > 0 && control.outside == 0; patience--) {
    control = race([](Dirfd root) { return UniqueFd(::openat(root, "a/secret", O_PATH | O_CLOEXEC)); });
  }
  CHECK(control.outside > 0);

  for (Scope scope : {Scope::kNoSymlinks, Scope::kBeneath, Scope::kInRoot}) {
    never_leads_outside(
        [scope](Dirfd root) { return or_none(resolve_path(root, "a/secret", {.scope = scope}, FinalLink::kKeep)); });
    never_leads_outside([scope](Dirfd root) { return by_walk(root, scope); });
  }
}
