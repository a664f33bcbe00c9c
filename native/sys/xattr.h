// Extended attributes: by descriptor, or by one name that is not followed. Values and lists grow until they fit,
// because another process may lengthen them between the size query and the read.
#pragma once

#include <span>
#include <string>

#include "sys/fd.h"

namespace dfd::sys {

Result<std::string> fgetxattr(Dirfd fd, const char* attribute);
Status fsetxattr(Dirfd fd, const char* attribute, std::string_view value, int flags = 0);
Status fremovexattr(Dirfd fd, const char* attribute);
// The names, each ended by NUL; empty where there are none. On a file system without xattrs: EOPNOTSUPP.
Result<std::string> flistxattr(Dirfd fd);

// The same for a name in a directory: the *xattrat calls (Linux 6.13), else the l*xattr calls on
// /proc/self/fd/<dir>/<name>.
Result<std::string> getxattrat(Dirfd dir, const char* name, const char* attribute);
Status setxattrat(Dirfd dir, const char* name, const char* attribute, std::string_view value, int flags = 0);
Status removexattrat(Dirfd dir, const char* name, const char* attribute);
Result<std::string> listxattrat(Dirfd dir, const char* name);

}  // namespace dfd::sys
