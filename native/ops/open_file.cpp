#include "ops/open_file.h"

#include <fcntl.h>

#include "ops/component_walk.h"
#include "sys/data.h"
#include "sys/open.h"
#include "sys/procfs.h"
#include "sys/stat.h"

namespace dfd {

namespace {

// How often a name may change between two of our calls before we say so instead of trying again.
constexpr int kSwapLimit = 16;

Status require_regular(const struct statx& stx, int flags) {
  if (S_ISREG(stx.stx_mode)) return success();
  if (S_ISDIR(stx.stx_mode)) return failure(Call::kOpenat, EISDIR, flags);
  if (S_ISLNK(stx.stx_mode)) return failure(Call::kOpenat, ELOOP, flags);
  return failure_because(Reason::kNotRegular, Call::kOpenat, ENXIO, flags);
}

// Without /proc: by name, O_NONBLOCK against a FIFO that slips in, and then proof that it is the file that was looked
// at.
Result<UniqueFd> open_via_name(Dirfd dir, const char* name, const struct statx& expected, int flags) {
  auto fd = sys::openat(dir, name, flags | O_NONBLOCK);
  if (!fd) return fd;
  auto stx = sys::fstatx(fd->get());
  if (!stx) return stx.error();
  if (sys::identity(*stx) != sys::identity(expected))
    return failure_because(Reason::kChanged, Call::kOpenat, ESTALE, flags);
  return fd;
}

// `handle` is the O_PATH descriptor that has been looked at; (dir, name) is where it was found.
Result<UniqueFd> open_seen(Dirfd handle, Dirfd dir, const char* name, const struct statx& stx, int flags) {
  if (sys::proc_self_fd() < 0) return open_via_name(dir, name, stx, flags);
  auto fd = sys::reopen(handle, flags);
  // /proc may show nothing of this process (hidepid, another pid namespace): then the name has to do.
  if (fd.err() == ENOENT) return open_via_name(dir, name, stx, flags);
  return fd;
}

Result<UniqueFd> open_existing(Dirfd dir, const char* name, int flags) {
  auto handle = sys::openat(dir, name, O_PATH);
  if (!handle) return handle;
  auto stx = sys::fstatx(handle->get());
  if (!stx) return stx.error();
  if (auto status = require_regular(*stx, flags); !status) return status.error();
  return open_seen(handle->get(), dir, name, *stx, flags);
}

Result<UniqueFd> open_following(Dirfd root, std::string_view path, Policy policy, int flags) {
  if (sys::proc_self_fd() < 0) {
    auto found = walk_components(root, normalize(path), policy, FinalLink::kFollow);
    if (!found) return found.error();
    auto stx = sys::fstatx(found->fd.get());
    if (!stx) return stx.error();
    if (auto status = require_regular(*stx, flags); !status) return status.error();
    return open_via_name(found->parent.get(), found->name.c_str(), *stx, flags);
  }
  auto handle = resolve_path(root, path, policy, FinalLink::kFollow);
  if (!handle) return handle;
  auto stx = sys::fstatx(handle->get());
  if (!stx) return stx.error();
  if (auto status = require_regular(*stx, flags); !status) return status.error();
  return sys::reopen(handle->get(), flags);
}

Result<UniqueFd> open_or_create(const Place& place, int flags, mode_t mode) {
  for (int attempt = 1;; attempt++) {
    if (flags & O_CREAT) {
      // O_EXCL makes creation safe against anything planted at the name; an existing file takes the other way.
      auto created = sys::openat(place.dir(), place.name(), flags | O_EXCL, mode);
      if (created || created.err() != EEXIST || (flags & O_EXCL)) return created;
    }
    auto opened = open_existing(place.dir(), place.name(), flags & ~(O_CREAT | O_EXCL));
    bool vanished = opened.err() == ENOENT && (flags & O_CREAT);
    bool swapped = !opened && opened.error().reason == Reason::kChanged;
    if ((!vanished && !swapped) || attempt == kSwapLimit) return opened;
  }
}

// "name/" is never a file; which errno says so best depends on what is there.
SysError refuse_directory(const Place& place, int flags) {
  auto asked = require_directory_if_asked(place, Call::kOpenat);
  if (!asked && !(asked.err() == ENOENT && (flags & O_CREAT))) return asked.error();
  return failure(Call::kOpenat, EISDIR, flags);
}

}  // namespace

Result<UniqueFd> open_inode(Dirfd dir, const char* name, int flags) {
  auto handle = sys::openat(dir, name, O_PATH);
  if (!handle) return handle;
  auto stx = sys::fstatx(handle->get());
  if (!stx) return stx.error();
  if (!S_ISREG(stx->stx_mode) && !S_ISDIR(stx->stx_mode)) {
    return failure_because(Reason::kUnsupported, Call::kOpenat, EOPNOTSUPP, flags);
  }
  return open_seen(handle->get(), dir, name, *stx, flags);
}

Result<UniqueFd> open_file(Dirfd root, std::string_view path, Policy policy, const OpenFile& how) {
  // Truncation waits until the file is known to be a regular one, and the one that was named.
  int flags = how.flags & ~O_TRUNC;
  Result<UniqueFd> fd = failure(Call::kNone, 0);
  if (how.final_link == FinalLink::kFollow) {
    fd = open_following(root, path, policy, flags & ~(O_CREAT | O_EXCL));
  } else {
    auto place = resolve_parent(root, path, policy);
    if (!place) return place.error();
    if (place->must_be_directory()) return refuse_directory(*place, flags);
    fd = open_or_create(*place, flags, how.mode);
  }
  if (fd && (how.flags & O_TRUNC)) {
    if (auto status = sys::ftruncate(fd->get(), 0); !status) return status.error();
  }
  return fd;
}

}  // namespace dfd
