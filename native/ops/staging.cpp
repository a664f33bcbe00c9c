#include "ops/staging.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "ops/expected.h"
#include "ops/remove_tree.h"
#include "sys/attributes.h"
#include "sys/directory.h"
#include "sys/lock.h"
#include "sys/open.h"
#include "sys/random.h"
#include "sys/stat.h"
#include "sys/xattr.h"

namespace dfd {

namespace {

constexpr std::string_view kPrefix = ".dirfd-";
constexpr size_t kDigits = 32;

// How often a directory that was just made may be taken for an abandoned one by somebody else's copy.
constexpr int kMakeLimit = 4;

// What copies name things in there.
bool is_staged_name(std::string_view name) {
  return name == "tree" || name.find_first_not_of("0123456789") == std::string_view::npos;
}

// The mode that they are made with, and what a directory hands down to those made in it.
bool has_private_mode(const struct stat& st) { return (st.st_mode & 07777 & ~S_ISGID) == 0700; }

Result<std::string> random_name() {
  std::array<std::byte, 16> bits;
  if (auto status = sys::fill_random(bits); !status) return status.error();
  std::string name(kPrefix);
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

bool is_staging_name(std::string_view name) {
  if (name.size() != kPrefix.size() + kDigits || !name.starts_with(kPrefix)) return false;
  return name.substr(kPrefix.size()).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Staging::~Staging() { (void)remove(); }

// One that is not empty, because what is in it is to be gone on with, stays.
Status Staging::remove() {
  if (!made()) return success();
  // Unlocked last: until it has lost its name nobody may take it for abandoned.
  auto status = sys::unlinkat(parent_, name_.c_str(), AT_REMOVEDIR);
  (void)fd_.close();
  return status;
}

Status Staging::make(Dirfd parent) {
  for (int attempt = 1;; attempt++) {
    auto name = random_name();
    if (!name) return name.error();
    if (auto status = sys::mkdirat(parent, name->c_str(), 0700); !status) return status;
    auto fd = sys::openat(parent, name->c_str(), O_RDONLY | O_DIRECTORY);
    // Between the two calls it looks abandoned: whoever has just removed it, or is about to, gets it.
    bool lost = fd ? sys::try_flock(fd->get()).err() == EWOULDBLOCK : fd.err() == ENOENT;
    auto st = fd ? sys::fstat(fd->get()) : Result<struct stat>(fd.error());
    lost = lost || (st && st->st_nlink == 0);
    if (lost && attempt < kMakeLimit) continue;
    if (!st) {
      (void)sys::unlinkat(parent, name->c_str(), AT_REMOVEDIR);
      return st.error();
    }
    // Nobody else can make a directory that is ours; one of ours could still be moved here, but not with this name made a moment ago.
    if (lost || st->st_uid != ::geteuid()) return failure_because(Reason::kChanged, Call::kOpenat, ESTALE);
    return take(parent, *std::move(name), *std::move(fd));
  }
}

Status Staging::make_or_adopt(Dirfd parent, std::string name) {
  auto made = sys::mkdirat(parent, name.c_str(), 0700);
  if (!made && made.err() != EEXIST) return made;
  auto fd = sys::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY);
  if (!fd) return fd.error();
  // Without a lock two copies could write to one file.
  if (auto status = sys::try_flock(fd->get()); !status) return status;
  auto st = sys::fstat(fd->get());
  if (!st) return st.error();
  bool ours = st->st_uid == ::geteuid() && st->st_nlink > 0 && (made || has_private_mode(*st));
  if (!ours) return failure_because(Reason::kChanged, Call::kOpenat, ESTALE);
  return take(parent, std::move(name), *std::move(fd));
}

Status Staging::take(Dirfd parent, std::string name, UniqueFd fd) {
  parent_ = parent;
  name_ = std::move(name);
  fd_ = std::move(fd);
  return make_private(fd_.get(), false);
}

Result<bool> remove_abandoned(Dirfd parent, const char* name, std::optional<Node> spared, const Stop& stop) {
  if (!is_staging_name(name)) return false;
  auto fd = sys::openat(parent, name, O_RDONLY | O_DIRECTORY);
  if (!fd || !sys::try_flock(fd->get())) return false;
  auto st = sys::fstat(fd->get());
  if (!st || st->st_uid != ::geteuid() || !has_private_mode(*st)) return false;
  bool ours = true;
  auto listed = for_each_name(fd->get(), [&](const Dirent& entry) { ours = ours && is_staged_name(entry.name); });
  if (!listed || !ours) return false;
  // Through the descriptor that was looked at: whatever takes the name meanwhile is not emptied, and what is not empty is not removed.
  Place inside(fd->get(), ".", false);
  RemoveReport report = remove_tree(inside, {.cross_mounts = false, .keep_going = true, .spared = spared}, stop);
  if (!report.failures.empty()) return report.failures.front().error;
  if (auto status = sys::unlinkat(parent, name, AT_REMOVEDIR); !status && status.err() != ENOENT) return status.error();
  return true;
}

}  // namespace dfd
