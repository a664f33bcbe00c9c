// Calls that read a directory or change its entries. Each takes one name; none follows it.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>

#include "sys/fd.h"

namespace dfd::sys {

// getdents64(2): bytes filled, 0 at the end. Parse with ops/dirents.
Result<size_t> getdents64(Dirfd dir, std::span<std::byte> buffer);

Status mkdirat(Dirfd dir, const char* name, mode_t mode);
Status mknodat(Dirfd dir, const char* name, mode_t mode, dev_t device);
Status symlinkat(const char* target, Dirfd dir, const char* name);

// The target's bytes, however long: PATH_MAX bounds only what the kernel follows, and st_size may lie (procfs says 0).
Result<std::string> readlinkat(Dirfd dir, const char* name);

Status unlinkat(Dirfd dir, const char* name, int flags = 0);

// linkat(2) without AT_SYMLINK_FOLLOW: a hard link to a symlink is a link to the symlink.
Status linkat(Dirfd old_dir, const char* old_name, Dirfd new_dir, const char* new_name);

// Gives a name to an open file, O_TMPFILE ones included: AT_EMPTY_PATH where the kernel lets this process
// (CAP_DAC_READ_SEARCH, or the same credentials since 6.10), else through /proc/self/fd, which open(2) documents for
// exactly this.
Status link_fd(Dirfd file, Dirfd new_dir, const char* new_name);

// renameat2(2); flags are 0, RENAME_NOREPLACE or RENAME_EXCHANGE.
Status renameat2(Dirfd old_dir, const char* old_name, Dirfd new_dir, const char* new_name, unsigned flags);

}  // namespace dfd::sys
