// The kernel calls that dirfd makes, by number and by name. An error carries the number; the addon hands the table of
// names to TypeScript once, when it loads, so no error text is built in C++.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace dfd {

enum class Call : uint8_t {
  kNone,
  kOpenat,
  kOpenat2,
  kClose,
  kStatx,
  kGetdents64,
  kMkdirat,
  kUnlinkat,
  kRenameat2,
  kLinkat,
  kSymlinkat,
  kReadlinkat,
  kMknodat,
  kFchmod,
  kFchmodat2,
  kFchownat,
  kUtimensat,
  kFaccessat2,
  kGetxattr,
  kSetxattr,
  kListxattr,
  kRemovexattr,
  kRead,
  kWrite,
  kPread,
  kPwrite,
  kPreadv,
  kPwritev,
  kLseek,
  kFtruncate,
  kFallocate,
  kFsync,
  kFdatasync,
  kSyncfs,
  kCopyFileRange,
  kFiclone,
  kFiclonerange,
  kFstatfs,
  kGetflags,
  kSetflags,
  kFsgetxattr,
  kFssetxattr,
  kFcntl,
  kUnshare,
  kFchdir,
  kGetrandom,
  kThreadCreate,
  kIoUringSetup,
  kIoUringEnter,
  kSyncFileRange,
  kFlock,
  kCount,
};

inline constexpr std::array<std::string_view, static_cast<size_t>(Call::kCount)> kCallNames = {
    "",           "openat",         "openat2",        "close",          "statx",
    "getdents64", "mkdirat",        "unlinkat",       "renameat2",      "linkat",
    "symlinkat",  "readlinkat",     "mknodat",        "fchmod",         "fchmodat2",
    "fchownat",   "utimensat",      "faccessat2",     "getxattr",       "setxattr",
    "listxattr",  "removexattr",    "read",           "write",          "pread",
    "pwrite",     "preadv",         "pwritev",        "lseek",          "ftruncate",
    "fallocate",  "fsync",          "fdatasync",      "syncfs",         "copy_file_range",
    "ficlone",    "ficlonerange",   "fstatfs",        "getflags",       "setflags",
    "fsgetxattr", "fssetxattr",     "fcntl",          "unshare",        "fchdir",
    "getrandom",  "pthread_create", "io_uring_setup", "io_uring_enter", "sync_file_range",
    "flock",
};

}  // namespace dfd
