// The walk of components against openat2(2) itself: over a tree with links of every kind, and one link whose target is drawn too, both
// lead to the same inode or to the same errno.

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "input.h"
#include "ops/component_walk.h"
#include "ops/resolve.h"
#include "sys/open.h"
#include "sys/stat.h"

namespace {

using namespace dfd;

constexpr int kAgainLimit = 1000;
constexpr int kAskAgain = 20;

class Tree {
 public:
  Tree() {
    const char* base = std::getenv("TMPDIR");
    path_ = std::string(base != nullptr ? base : "/tmp") + "/dirfd-fuzz-XXXXXX";
    REQUIRE(::mkdtemp(path_.data()) != nullptr);
    std::filesystem::create_directories(path_ + "/root/a/b/c");
    std::filesystem::create_directories(path_ + "/outside/a");
    root_ = *sys::open_root((path_ + "/root").c_str(), O_DIRECTORY | O_RDONLY);
    REQUIRE(::mkfifoat(root_.get(), "fifo", 0600) == 0);
    REQUIRE(::mknodat(root_.get(), "f", S_IFREG | 0600, 0) == 0);
    REQUIRE(::mknodat(root_.get(), "a/f", S_IFREG | 0600, 0) == 0);
    for (auto [name, target] : {std::pair{"d", "a/b"},
                                {"u", "a/.."},
                                {"x", "../outside"},
                                {"s", "/a"},
                                {"l", "m"},
                                {"m", "l"},
                                {"e", "f"},
                                {"n", "none"},
                                {"a/r", "../d/c"},
                                {"a/up", "../.."},
                                {"t", "a/b/"},
                                {"g", "f/"}}) {
      REQUIRE(::symlinkat(target, root_.get(), name) == 0);
    }
  }
  ~Tree() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  Dirfd root() const { return root_.get(); }

  // The link "v" leads to `target` from now on; false where no link can.
  bool set_link(const std::string& target) const {
    (void)::unlinkat(root_.get(), "v", 0);
    return ::symlinkat(target.c_str(), root_.get(), "v") == 0;
  }

 private:
  std::string path_;
  UniqueFd root_;
};

// Bytes as components that the tree knows, more often than as themselves.
std::string path_from(std::string_view bytes) {
  static constexpr const char* kParts[] = {"a",  "b", "c", "f", "d", "u",  "x", "s",    "l", "e",    "n",   "r",
                                           "up", "t", "g", "v", ".", "..", "",  "fifo", "m", "none", "...", "/"};
  std::string path;
  for (char byte : bytes) {
    auto value = static_cast<unsigned char>(byte);
    if (value >= 0xf0) {
      path += static_cast<char>(value & 0x0f ? value : 'q');
      continue;
    }
    path += kParts[value % std::size(kParts)];
    if (value & 0x80) path += '/';
    path += '/';
    if (value & 0x40) path.pop_back();
  }
  return path;
}

// What lib/dirfd/path.ts refuses before any native call.
bool is_refused(const std::string& path) {
  if (path.empty() || path.front() == '/') return true;
  return ("/" + path + "/").find("/../") != std::string::npos;
}

struct Answer {
  int err = 0;
  uint64_t ino = 0;
  bool operator==(const Answer&) const = default;
};

Answer answer(const Result<UniqueFd>& fd, Dirfd opened) {
  if (!fd) return {.err = fd.error().err};
  return {.ino = sys::fstatx(opened)->stx_ino};
}

Answer by_openat2(Dirfd root, const NormalPath& path, Policy policy, FinalLink final_link) {
  uint64_t flags = policy.scope == Scope::kInRoot ? RESOLVE_IN_ROOT : RESOLVE_BENEATH;
  if (policy.scope == Scope::kNoSymlinks) flags |= RESOLVE_NO_SYMLINKS;
  int how = O_PATH | (path.must_be_directory ? O_DIRECTORY : 0);
  for (int attempt = 0;; attempt++) {
    auto fd = sys::openat2(root, path.text.c_str(), how, flags, final_link == FinalLink::kFollow);
    // A rename anywhere on the machine, while ".." was looked up: that is no answer (openat2(2)).
    if (fd.err() == EAGAIN && attempt < kAgainLimit) continue;
    return answer(fd, fd ? fd->get() : -1);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static Tree tree;
  fuzz::Input input(bytes, size);
  uint8_t how = input.byte();
  Policy policy{.scope = static_cast<Scope>(how % 3)};
  FinalLink final_link = how & 0x80 ? FinalLink::kFollow : FinalLink::kKeep;
  std::string target = path_from(input.text());
  // Beyond that, and beyond NAME_MAX, each has limits of its own: the walk never hands the kernel a whole path.
  if (target.size() >= 256 || target.empty() || !tree.set_link(target)) return 0;
  std::string path = path_from(input.take(64));
  if (is_refused(path)) return 0;
  NormalPath normal = normalize(path);
  auto found = walk_components(tree.root(), normal, policy, final_link);
  Answer walked = found ? Answer{.ino = sys::fstatx(found->fd.get())->stx_ino} : Answer{.err = found.error().err};
  Answer kernel = by_openat2(tree.root(), normal, policy, final_link);
  // Where the kernel begins a lookup anew, because something was renamed meanwhile, it goes on counting links: ELOOP below forty. It does so
  // every time before it says EXDEV, too.
  for (int again = 0; kernel != walked && again < kAskAgain; again++) {
    kernel = by_openat2(tree.root(), normal, policy, final_link);
  }
  bool both_refuse = kernel.err == ELOOP && walked.err == EXDEV;
  if (kernel == walked || kernel.err == EAGAIN || both_refuse) return 0;
  std::fprintf(stderr, "'%s' with v → '%s', scope %d, final %d: openat2 says %d (%lu), the walk %d (%lu)\n",
               path.c_str(), target.c_str(), static_cast<int>(policy.scope), static_cast<int>(final_link), kernel.err,
               kernel.ino, walked.err, walked.ino);
  REQUIRE(kernel == walked);
  return 0;
}
