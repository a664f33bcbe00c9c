#include "ops/expected.h"

#include <fcntl.h>

#include <memory>

#include "ops/batch.h"
#include "ops/copy_entry.h"
#include "ops/resolve.h"
#include "sys/open.h"

namespace dfd {

Result<UniqueFd> open_expected(const SharedFd& root, bool cross_mounts, const std::string& path,
                               const sys::Identity& expected, Subject subject, StatRecord& stat) {
  if (!root) return failure(Call::kOpenat, EBADF).about(subject);  // the run has ended
  Policy policy{.cross_mounts = cross_mounts};
  auto fd = resolve_directory(root->get(), path.empty() ? "." : path, policy, FinalLink::kKeep);
  bool known = expected != sys::Identity{};
  if (!fd) {
    // A directory was there when it was listed: whatever stands in the way now has come since.
    bool swapped = known && (fd.err() == ENOTDIR || fd.err() == ELOOP);
    SysError error = swapped ? failure_because(Reason::kChanged, Call::kOpenat, ESTALE) : fd.error();
    return error.about(subject);
  }
  auto stx = sys::fstatx(fd->get());
  if (!stx) return stx.error().about(subject);
  if (known && sys::identity(*stx) != expected) {
    return failure_because(Reason::kChanged, Call::kOpenat, ESTALE).about(subject);
  }
  stat = to_record(*stx);
  return fd;
}

namespace {

// From its parent, if that is held: an empty answer is no answer, and the path from the root will give one.
Result<UniqueFd> open_below_recent(const std::string& path, const sys::Identity& expected, StatRecord& stat,
                                   RecentDirectories& recent) {
  size_t slash = path.rfind('/');
  auto parent = recent.find(std::string_view(path).substr(0, slash));
  if (!parent) return UniqueFd();
  auto fd = sys::openat(parent->get(), path.c_str() + slash + 1, O_RDONLY | O_DIRECTORY);
  if (fd.err() == EMFILE || fd.err() == ENFILE) recent.clear();
  if (!fd) return UniqueFd();
  auto stx = sys::fstatx(fd->get());
  if (!stx || sys::identity(*stx) != expected) return UniqueFd();
  stat = to_record(*stx);
  return fd;
}

}  // namespace

Result<SharedFd> open_expected(const SharedFd& root, bool cross_mounts, const std::string& path,
                               const sys::Identity& expected, Subject subject, StatRecord& stat,
                               RecentDirectories& recent) {
  bool deep = root && cross_mounts && RecentDirectories::is_deep(path) && expected != sys::Identity{};
  auto fd = deep ? open_below_recent(path, expected, stat, recent) : Result<UniqueFd>(UniqueFd());
  if (!*fd) fd = open_expected(root, cross_mounts, path, expected, subject, stat);
  if (!fd) return fd.error();
  SharedFd shared = share(*std::move(fd));
  if (deep) recent.keep(path, shared);
  return shared;
}

std::span<std::byte> thread_buffer() {
  thread_local std::unique_ptr<std::byte[]> buffer = std::make_unique_for_overwrite<std::byte[]>(kCopyBuffer);
  return {buffer.get(), kCopyBuffer};
}

}  // namespace dfd
