#include "ops/expected.h"

#include <fcntl.h>

#include <memory>

#include "ops/batch.h"
#include "ops/copy_entry.h"
#include "sys/open.h"
#include "sys/page_buffer.h"

namespace dfd {

namespace {

// What the descriptor leads to, held against what was expected.
Status prove(Dirfd fd, const sys::Identity& expected, StatRecord& stat) {
  auto stx = sys::fstatx(fd);
  if (!stx) return stx.error();
  bool known = expected != sys::Identity{};
  if (known && sys::identity(*stx) != expected) return failure_because(Reason::kChanged, Call::kOpenat, ESTALE);
  stat = to_record(*stx);
  return success();
}

// From its parent, which is held for those that lie beside it. An empty answer is no answer: the path from the root will give one.
RecentDirectories::Held open_below_recent(Dirfd root, const TreePath& path, const sys::Identity& expected,
                                          StatRecord& stat, RecentDirectories& recent) {
  TreePath above = path.parent();
  RecentDirectories::Held parent = recent.find(above);
  if (!parent.fd) {
    auto opened = resolve_tree_path(root, above, Policy{});
    if (!opened) return {};
    parent = {.fd = share(*std::move(opened)), .resolved = RecentDirectories::Clock::now()};
    recent.keep(std::move(above), parent);
  }
  auto fd = sys::openat(parent.fd->get(), path.name(), O_RDONLY | O_DIRECTORY);
  if (!fd || !prove(fd->get(), expected, stat)) return {};
  return {.fd = share(*std::move(fd)), .resolved = parent.resolved};
}

}  // namespace

Result<UniqueFd> open_expected(const SharedFd& root, bool cross_mounts, const TreePath& path,
                               const sys::Identity& expected, Subject subject, StatRecord& stat) {
  if (!root) return failure(Call::kOpenat, EBADF).about(subject);  // the run has ended
  auto fd = resolve_tree_path(root->get(), path, Policy{.cross_mounts = cross_mounts});
  if (!fd) {
    // A directory was there when it was listed: whatever stands in the way now has come since.
    bool known = expected != sys::Identity{};
    bool swapped = known && (fd.err() == ENOTDIR || fd.err() == ELOOP);
    SysError error = swapped ? failure_because(Reason::kChanged, Call::kOpenat, ESTALE) : fd.error();
    return error.about(subject);
  }
  if (auto status = prove(fd->get(), expected, stat); !status) return status.error().about(subject);
  return fd;
}

Result<SharedFd> open_expected(const SharedFd& root, bool cross_mounts, const TreePath& path,
                               const sys::Identity& expected, Subject subject, StatRecord& stat,
                               RecentDirectories& recent) {
  const bool deep = root && cross_mounts && path.is_deep() && expected != sys::Identity{} && recent.holds_any();
  RecentDirectories::Held held;
  if (deep) held = open_below_recent(root->get(), path, expected, stat, recent);
  if (!held.fd) {
    auto fd = open_expected(root, cross_mounts, path, expected, subject, stat);
    if (is_out_of_descriptors(fd.err())) {
      recent.clear();
      fd = open_expected(root, cross_mounts, path, expected, subject, stat);
    }
    if (!fd) return fd.error();
    held = {.fd = share(*std::move(fd)), .resolved = RecentDirectories::Clock::now()};
  }
  if (deep) recent.keep(path, held);
  return held.fd;
}

std::span<std::byte> thread_buffer() {
  thread_local const sys::PageBuffer buffer(kCopyBuffer);
  return buffer.span();
}

}  // namespace dfd
