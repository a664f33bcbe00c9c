#include "ops/resolve.h"

#include <fcntl.h>
#include <limits.h>

#include "ops/component_walk.h"
#include "sys/open.h"
#include "sys/probe.h"
#include "sys/stat.h"

namespace dfd {

namespace {

// A rename or mount anywhere on the system may make openat2 answer EAGAIN for a path with ".."; under constant renames
// it never ends.
constexpr int kAgainLimit = 16;

uint64_t resolve_flags(Policy policy) {
  uint64_t flags = policy.scope == Scope::kInRoot ? RESOLVE_IN_ROOT : RESOLVE_BENEATH;
  if (policy.scope == Scope::kNoSymlinks) flags |= RESOLVE_NO_SYMLINKS;
  if (!policy.cross_mounts) flags |= RESOLVE_NO_XDEV;
  return flags;
}

Result<UniqueFd> via_openat2(Dirfd root, const NormalPath& path, int flags, Policy policy, FinalLink final_link) {
  if (path.must_be_directory) flags |= O_DIRECTORY;
  for (int attempt = 1;; attempt++) {
    auto fd = sys::openat2(root, path.text.c_str(), flags, resolve_flags(policy), final_link == FinalLink::kFollow);
    if (fd.err() == EAGAIN && attempt < kAgainLimit) continue;
    // EXDEV says "outside" and "another mount" alike; it is certain which only where mounts may be crossed.
    if (fd.err() == EXDEV && policy.cross_mounts) return failure_because(Reason::kEscape, Call::kOpenat2, EXDEV, flags);
    return fd;
  }
}

// True where openat2's answer is about the call, not about the path.
bool wants_component_walk(const SysError& error, const NormalPath& path, Policy policy) {
  switch (error.err) {
    case EAGAIN: return true;
    // "Outside" or "another mount"? The walk can tell.
    case EXDEV: return policy.scope == Scope::kBeneath && !policy.cross_mounts;
    case ENOSYS: sys::remember_refused(sys::Feature::kOpenat2); return true;
    case EPERM:
      // Old container runtimes answer EPERM for calls they do not know. A seccomp filter stays for good, so ask once
      // more in a way that cannot be about the path; either way the walk's own answer for this path is the true one.
      if (!sys::available(sys::Feature::kOpenat2)) sys::remember_refused(sys::Feature::kOpenat2);
      return true;
    case ENAMETOOLONG: return path.text.size() >= PATH_MAX;
    default: return false;
  }
}

// Long paths without symlinks go to openat2 in pieces; each piece starts from the directory that the last one ended in.
Result<UniqueFd> in_pieces(Dirfd root, const NormalPath& path, Policy policy, FinalLink final_link) {
  std::string_view rest = path.text;
  UniqueFd at;
  while (rest.size() >= PATH_MAX) {
    size_t cut = rest.rfind('/', PATH_MAX - 1);
    if (cut == rest.npos || cut == 0) return failure(Call::kOpenat2, ENAMETOOLONG, O_PATH);
    NormalPath piece{.text = std::string(rest.substr(0, cut)), .must_be_directory = true};
    // Following, so that a symlink is ELOOP, as it is on the way; kept, it would be ENOTDIR.
    auto next = via_openat2(at ? at.get() : root, piece, O_PATH, policy, FinalLink::kFollow);
    if (!next) return next;
    at = *std::move(next);
    rest.remove_prefix(cut + 1);
  }
  return via_openat2(at ? at.get() : root, NormalPath{std::string(rest), path.must_be_directory}, O_PATH, policy,
                     final_link);
}

Result<UniqueFd> open_path(Dirfd root, const NormalPath& path, Policy policy, FinalLink final_link) {
  bool long_and_plain = path.text.size() >= PATH_MAX && policy.scope == Scope::kNoSymlinks;
  auto fd =
      long_and_plain ? in_pieces(root, path, policy, final_link) : via_openat2(root, path, O_PATH, policy, final_link);
  if (fd || !wants_component_walk(fd.error(), path, policy)) return fd;
  auto found = walk_components(root, path, policy, final_link);
  if (!found) return found.error();
  return std::move(found->fd);
}

// A mount point as the last component: resolve_parent has not stepped onto it, the verb would.
Status refuse_mount_point(const Place& place) {
  auto parent = sys::fstatx(place.dir());
  if (!parent) return parent.error();
  auto entry = sys::statx(place.dir(), place.name());
  if (!entry) return success();  // nothing there to cross into; the verb itself will say what it thinks of that
  if (sys::identity(*entry).mount != sys::identity(*parent).mount) return failure(Call::kOpenat2, EXDEV, O_PATH);
  return success();
}

}  // namespace

Status require_directory_if_asked(const Place& place, Call call) {
  if (!place.must_be_directory()) return success();
  auto stx = sys::statx(place.dir(), place.name());
  if (!stx) return failure(call, stx.err());
  if (!S_ISDIR(stx->stx_mode)) return failure(call, ENOTDIR);
  return success();
}

Status refuse_directory_form(const Place& place, Call call) {
  if (!place.must_be_directory()) return success();
  auto stx = sys::statx(place.dir(), place.name());
  if (!stx) return failure(call, stx.err());  // ENOENT, as the kernel says for mknod("new/")
  return failure(call, EEXIST);
}

NormalPath normalize(std::string_view path) {
  NormalPath normal;
  normal.must_be_directory = path.ends_with('/') || path.ends_with("/.") || path == ".";
  for (size_t at = 0; at < path.size();) {
    size_t slash = std::min(path.find('/', at), path.size());
    std::string_view part = path.substr(at, slash - at);
    at = slash + 1;
    if (part.empty() || part == ".") continue;
    if (!normal.text.empty()) normal.text += '/';
    normal.text += part;
  }
  if (normal.text.empty()) normal.text.push_back('.');
  return normal;
}

Result<Place> resolve_parent(Dirfd root, std::string_view path, Policy policy) {
  NormalPath normal = normalize(path);
  size_t slash = normal.text.rfind('/');
  std::string name = normal.text.substr(slash == std::string::npos ? 0 : slash + 1);
  // TypeScript has refused "..", but bytes in memory shared with another thread may have changed since.
  if (name == "..") return failure_because(Reason::kEscape, Call::kOpenat, EXDEV, O_PATH);
  UniqueFd parent;
  if (slash != std::string::npos) {
    NormalPath above{.text = normal.text.substr(0, slash), .must_be_directory = true};
    auto fd = open_path(root, above, policy, FinalLink::kFollow);
    if (!fd) return fd.error();
    parent = *std::move(fd);
  }
  Place place = parent ? Place(std::move(parent), std::move(name), normal.must_be_directory)
                       : Place(root, std::move(name), normal.must_be_directory);
  if (!policy.cross_mounts) {
    if (auto status = refuse_mount_point(place); !status) return status.error();
  }
  return place;
}

Result<UniqueFd> resolve_path(Dirfd root, std::string_view path, Policy policy, FinalLink final_link) {
  return open_path(root, normalize(path), policy, final_link);
}

Result<UniqueFd> resolve_directory(Dirfd root, std::string_view path, Policy policy, FinalLink final_link) {
  NormalPath normal = normalize(path);
  normal.must_be_directory = true;
  constexpr int kFlags = O_RDONLY | O_DIRECTORY;
  if (normal.text == ".") return sys::openat(root, ".", kFlags);
  if (normal.text.size() < PATH_MAX) {
    auto fd = via_openat2(root, normal, kFlags, policy, final_link);
    if (fd || !wants_component_walk(fd.error(), normal, policy)) return fd;
  }
  auto handle = open_path(root, normal, policy, final_link);
  if (!handle) return handle;
  // "." of an O_PATH descriptor is that very directory: no name is resolved a second time.
  return sys::openat(handle->get(), ".", kFlags);
}

}  // namespace dfd
