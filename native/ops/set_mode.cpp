#include "ops/set_mode.h"

#include <fcntl.h>

#include "ops/open_file.h"
#include "sys/attributes.h"
#include "sys/open.h"
#include "sys/procfs.h"
#include "sys/stat.h"

namespace dfd {

namespace {

Status via_path_descriptor(Dirfd dir, const char* name, mode_t mode) {
  auto handle = sys::openat(dir, name, O_PATH);
  if (!handle) return handle.error();
  auto stx = sys::fstatx(handle->get());
  if (!stx) return stx.error();
  if (S_ISLNK(stx->stx_mode)) return failure(Call::kFchmodat2, EOPNOTSUPP, static_cast<int>(mode));
  if (sys::proc_self_fd() >= 0) return sys::chmod_via_proc(handle->get(), mode);
  auto file = open_inode(dir, name, O_RDONLY);
  if (!file) return file.error();
  return sys::fchmod(file->get(), mode);
}

}  // namespace

Status set_mode(Dirfd dir, const char* name, mode_t mode) {
  auto status = sys::fchmodat2(dir, name, mode);
  if (status.err() != ENOSYS) return status;
  return via_path_descriptor(dir, name, mode);
}

Status set_mode_in_private(Dirfd dir, const char* name, mode_t mode) {
  auto status = set_mode(dir, name, mode);
  if (status || status.error().reason != Reason::kUnsupported) return status;
  auto stx = sys::statx(dir, name);
  if (!stx) return stx.error();
  if (S_ISLNK(stx->stx_mode)) return status;
  return sys::fchmodat_following(dir, name, mode);
}

}  // namespace dfd
