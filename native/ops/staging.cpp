#include "ops/staging.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "sys/attributes.h"
#include "sys/directory.h"
#include "sys/open.h"
#include "sys/random.h"
#include "sys/stat.h"
#include "sys/xattr.h"

namespace dfd {

namespace {

Result<std::string> random_name() {
  std::array<std::byte, 16> bits;
  if (auto status = sys::fill_random(bits); !status) return status.error();
  std::string name = ".dirfd-";
  for (std::byte byte : bits) {
    name += "0123456789abcdef"[std::to_integer<unsigned>(byte) >> 4];
    name += "0123456789abcdef"[std::to_integer<unsigned>(byte) & 15];
  }
  return name;
}

Status remove_acl(Dirfd directory, const char* attribute) {
  auto status = sys::fremovexattr(directory, attribute);
  if (status || status.err() == ENODATA || status.err() == EOPNOTSUPP) return success();
  return status;
}

}  // namespace

Status make_private(Dirfd directory, bool keep_group) {
  if (auto status = remove_acl(directory, "system.posix_acl_default"); !status) return status;
  if (auto status = remove_acl(directory, "system.posix_acl_access"); !status) return status;
  auto st = sys::fstat(directory);
  if (!st) return st.error();
  mode_t mode = 0700 | (keep_group ? st->st_mode & S_ISGID : 0);
  if ((st->st_mode & 07777) == mode) return success();
  return sys::fchmod(directory, mode);
}

Staging::~Staging() { (void)remove(); }

Status Staging::remove() {
  if (!made()) return success();
  (void)fd_.close();
  return sys::unlinkat(parent_, name_.c_str(), AT_REMOVEDIR);
}

Status Staging::make(Dirfd parent) {
  auto name = random_name();
  if (!name) return name.error();
  if (auto status = sys::mkdirat(parent, name->c_str(), 0700); !status) return status;
  auto fd = sys::openat(parent, name->c_str(), O_RDONLY | O_DIRECTORY);
  // Nobody else can make a directory that is ours; one of ours could still be moved here, but not with this name made a moment ago.
  auto st = fd ? sys::fstat(fd->get()) : Result<struct stat>(fd.error());
  if (!st) {
    (void)sys::unlinkat(parent, name->c_str(), AT_REMOVEDIR);
    return st.error();
  }
  if (st->st_uid != ::geteuid()) return failure_because(Reason::kChanged, Call::kOpenat, ESTALE);
  parent_ = parent;
  name_ = *std::move(name);
  fd_ = *std::move(fd);
  return make_private(fd_.get(), false);
}

}  // namespace dfd
