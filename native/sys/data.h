// A file's bytes: reading, writing, holes, copying inside the kernel, and making them durable.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <optional>
#include <span>

#include "sys/fd.h"

namespace dfd::sys {

// All may answer with fewer bytes than asked for; 0 from a read is the end. ops/data loops where a caller wants all.
Result<size_t> read(Dirfd fd, std::span<std::byte> into);
Result<size_t> write(Dirfd fd, std::span<const std::byte> from);
Result<size_t> pread(Dirfd fd, std::span<std::byte> into, int64_t offset);
Result<size_t> pwrite(Dirfd fd, std::span<const std::byte> from, int64_t offset);
// offset -1: at the file's own position (preadv2(2)).
Result<size_t> preadv(Dirfd fd, std::span<const iovec> into, int64_t offset);
Result<size_t> pwritev(Dirfd fd, std::span<const iovec> from, int64_t offset);

// lseek(2); whence is SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA or SEEK_HOLE. ENXIO: no data at or after the offset.
Result<int64_t> lseek(Dirfd fd, int64_t offset, int whence);

Status ftruncate(Dirfd fd, int64_t size);
Status fallocate(Dirfd fd, int mode, int64_t offset, int64_t length);

// O_DIRECT of the open file description, so of every descriptor that shares it. EINVAL: the file system has no such thing.
Status set_direct(Dirfd fd, bool direct);

Status fsync(Dirfd fd);
Status fdatasync(Dirfd fd);
Status syncfs(Dirfd fd);

// Writes the file's pages out and waits for them (sync_file_range(2)), without the metadata that fdatasync(2) writes too and that costs a
// commit of the journal. Where a file system lacks it, fdatasync. Not durability: only a reason for the pages to be clean.
Status write_out(Dirfd fd);
// Forgets what is cached of the file and clean (posix_fadvise(2)); advice, which fails in silence.
void forget_pages(Dirfd fd);

// How many bytes of the range, which is not empty, are in the page cache (cachestat(2)). Nothing: the kernel does not tell (before 6.5). Of
// a file that is neither ours nor may be written by us it does not either (EPERM): that one is taken for cached.
std::optional<uint64_t> cached_bytes(Dirfd fd, uint64_t from, uint64_t length);

// copy_file_range(2); offsets -1 stand for the files' own positions. 0 at the end of the source.
Result<size_t> copy_file_range(Dirfd in, int64_t in_offset, Dirfd out, int64_t out_offset, size_t length);

// FICLONE and FICLONERANGE (ioctl_ficlonerange(2)): share the extents. EXDEV, EOPNOTSUPP, ENOTTY, EINVAL: not this pair
// of files.
Status ficlone(Dirfd source, Dirfd destination);
Status ficlonerange(Dirfd source, int64_t source_offset, int64_t length, Dirfd destination, int64_t destination_offset);

}  // namespace dfd::sys
