#include "ops/acl_mode.h"

#include <linux/posix_acl_xattr.h>
#include <sys/stat.h>

#include <cstring>

namespace dfd {

namespace {

constexpr uint16_t kGroupObject = 0x04;  // ACL_GROUP_OBJ
constexpr uint16_t kMask = 0x10;         // ACL_MASK

}  // namespace

uint32_t mode_without_acl(uint32_t mode, std::string_view acl) {
  uint32_t none = mode & ~uint32_t{S_IRWXG};
  posix_acl_xattr_header header{};
  if (acl.size() < sizeof header) return none;
  std::memcpy(&header, acl.data(), sizeof header);
  if (header.a_version != POSIX_ACL_XATTR_VERSION) return none;
  acl.remove_prefix(sizeof header);
  uint32_t group = 0;
  bool has_mask = false;
  for (posix_acl_xattr_entry entry{}; acl.size() >= sizeof entry; acl.remove_prefix(sizeof entry)) {
    std::memcpy(&entry, acl.data(), sizeof entry);
    if (entry.e_tag == kGroupObject) group = entry.e_perm;
    if (entry.e_tag == kMask) has_mask = true;
  }
  return has_mask ? none | (mode & (group & 7) << 3) : mode;
}

}  // namespace dfd
