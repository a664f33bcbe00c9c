// What a file's mode says without its ACL.
//
// Where an access ACL has a mask, the group bits of the mode are that mask: the most that any user or group named in the ACL may get (acl(5)). A
// copy without the ACL that took them for the bits of the owning group would give that group more than it had.
#pragma once

#include <cstdint>
#include <string_view>

namespace dfd {

// `acl` is the value of system.posix_acl_access. Never more than `mode`; no group bits at all where the ACL cannot be read.
uint32_t mode_without_acl(uint32_t mode, std::string_view acl);

}  // namespace dfd
