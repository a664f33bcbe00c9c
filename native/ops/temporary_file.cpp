#include "ops/temporary_file.h"

#include <fcntl.h>
#include <stdio.h>

#include <array>

#include "sys/directory.h"
#include "sys/open.h"
#include "sys/probe.h"
#include "sys/procfs.h"
#include "sys/random.h"

namespace dfd {

namespace {

Result<TemporaryFile> open_named(const SharedFd& directory, mode_t mode) {
  auto name = random_name();
  if (!name) return name.error();
  auto fd = sys::openat(directory->get(), name->c_str(), O_RDWR | O_CREAT | O_EXCL, mode);
  if (!fd) return fd.error();
  auto stx = sys::fstatx(fd->get());
  if (!stx) {
    (void)sys::unlinkat(directory->get(), name->c_str());
    return stx.error();
  }
  auto named = std::make_shared<TemporaryName>(directory, *std::move(name), sys::identity(*stx));
  return TemporaryFile{.fd = *std::move(fd), .name = std::move(named)};
}

Status require_identity(const Place& place, const sys::Identity& identity) {
  auto stx = sys::statx(place.dir(), place.name());
  if (!stx) return stx.error();
  if (sys::identity(*stx) == identity) return success();
  return failure_because(Reason::kChanged, Call::kRenameat2, ESTALE);
}

}  // namespace

Result<UniqueFd> open_nameless(Dirfd directory, mode_t mode) {
  // Without /proc only the privileged, before Linux 6.10, could give the file a name (linkat(2), AT_EMPTY_PATH).
  if (sys::disabled(sys::Feature::kTmpfile) || sys::proc_self_fd() < 0)
    return failure(Call::kOpenat, EOPNOTSUPP, O_TMPFILE);
  return sys::openat(directory, ".", O_TMPFILE | O_RDWR, mode);
}

// EOPNOTSUPP is the file system's answer. EISDIR and ENOENT are those of kernels and file systems that do not know the
// flag at all (open(2)); of a directory that was removed, ENOENT comes again when the name is created.
bool lacks_nameless_files(int err) { return err == EOPNOTSUPP || err == EISDIR || err == ENOENT; }

Result<TemporaryFile> open_temporary(const SharedFd& directory, mode_t mode) {
  auto fd = open_nameless(directory->get(), mode);
  if (fd) return TemporaryFile{.fd = *std::move(fd), .name = nullptr};
  if (!lacks_nameless_files(fd.err())) return fd.error();
  return open_named(directory, mode);
}

Status link_file_into(Dirfd file, const Place& place, bool replace) {
  if (!replace) return sys::link_fd(file, place.dir(), place.name());
  auto draft = random_name();
  if (!draft) return draft.error();
  if (auto status = sys::link_fd(file, place.dir(), draft->c_str()); !status) return status;
  auto status = sys::renameat2(place.dir(), draft->c_str(), place.dir(), place.name(), 0);
  // rename(2) of two links to one file does nothing, and keeps both: the draft is then still there, and has to go too.
  (void)sys::unlinkat(place.dir(), draft->c_str());
  return status;
}

TemporaryName::~TemporaryName() {
  if (name_.empty()) return;
  Place place(directory_->get(), name_, false);
  if (require_identity(place, identity_)) (void)sys::unlinkat(place.dir(), place.name());
}

Status TemporaryName::link_into(Dirfd file, const Place& place, bool replace) {
  std::lock_guard lock(mutex_);
  if (name_.empty()) return link_file_into(file, place, replace);
  auto status = rename_to(place, replace);
  if (!status) return status;
  name_.clear();
  return require_identity(place, identity_);
}

Status TemporaryName::move_to(const Place& place, bool replace) {
  std::lock_guard lock(mutex_);
  if (name_.empty()) return failure(Call::kRenameat2, ENOENT);
  auto status = rename_to(place, replace);
  if (status) name_.clear();
  return status;
}

Status TemporaryName::rename_to(const Place& place, bool replace) {
  Place draft(directory_->get(), name_, false);
  if (auto status = require_identity(draft, identity_); !status) return status;
  auto status = sys::renameat2(draft.dir(), draft.name(), place.dir(), place.name(), replace ? 0 : RENAME_NOREPLACE);
  if (status.err() == EINVAL && !replace) {
    // A file system without RENAME_NOREPLACE: a link refuses to replace, too.
    status = sys::linkat(draft.dir(), draft.name(), place.dir(), place.name());
    if (status) (void)sys::unlinkat(draft.dir(), draft.name());
  }
  return status;
}

Result<std::string> random_name(std::string_view prefix) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<std::byte, 16> bits;
  if (auto status = sys::fill_random(bits); !status) return status.error();
  std::string name(prefix);
  for (std::byte byte : bits) {
    name += kDigits[std::to_integer<unsigned>(byte) >> 4];
    name += kDigits[std::to_integer<unsigned>(byte) & 15];
  }
  return name;
}

}  // namespace dfd
