#include "ops/expected.h"

#include <fcntl.h>

#include <memory>

#include "ops/batch.h"
#include "ops/copy_entry.h"
#include "ops/resolve.h"

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

std::span<std::byte> thread_buffer() {
  thread_local std::unique_ptr<std::byte[]> buffer = std::make_unique_for_overwrite<std::byte[]>(kCopyBuffer);
  return {buffer.get(), kCopyBuffer};
}

}  // namespace dfd
