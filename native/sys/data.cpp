#include "sys/data.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "sys/numbers.h"
#include "sys/probe.h"
#include "sys/retry.h"

namespace dfd::sys {

namespace {

Result<size_t> counted(ssize_t result, Call call) {
  if (result >= 0) return static_cast<size_t>(result);
  return failure(call, errno);
}

Status answer(int result, Call call, int flags = 0) {
  if (result == 0) return success();
  return failure(call, errno, flags);
}

}  // namespace

Result<size_t> read(Dirfd fd, std::span<std::byte> into) {
  return counted(retry([&] { return ::read(fd, into.data(), into.size()); }), Call::kRead);
}

Result<size_t> write(Dirfd fd, std::span<const std::byte> from) {
  return counted(retry([&] { return ::write(fd, from.data(), from.size()); }), Call::kWrite);
}

Result<size_t> pread(Dirfd fd, std::span<std::byte> into, int64_t offset) {
  // A range that ends past the largest offset is EINVAL to the kernel, even where the file ends before.
  size_t length = offset < 0 ? into.size() : std::min(into.size(), static_cast<size_t>(INT64_MAX - offset));
  return counted(retry([&] { return ::pread(fd, into.data(), length, offset); }), Call::kPread);
}

Result<size_t> pwrite(Dirfd fd, std::span<const std::byte> from, int64_t offset) {
  return counted(retry([&] { return ::pwrite(fd, from.data(), from.size(), offset); }), Call::kPwrite);
}

Result<size_t> preadv(Dirfd fd, std::span<const iovec> into, int64_t offset) {
  return counted(retry([&] { return ::preadv2(fd, into.data(), static_cast<int>(into.size()), offset, 0); }),
                 Call::kPreadv);
}

Result<size_t> pwritev(Dirfd fd, std::span<const iovec> from, int64_t offset) {
  return counted(retry([&] { return ::pwritev2(fd, from.data(), static_cast<int>(from.size()), offset, 0); }),
                 Call::kPwritev);
}

Result<int64_t> lseek(Dirfd fd, int64_t offset, int whence) {
  off_t at = ::lseek(fd, offset, whence);
  if (at < 0) return failure(Call::kLseek, errno, whence);
  return at;
}

Status ftruncate(Dirfd fd, int64_t size) {
  return answer(retry([&] { return ::ftruncate(fd, size); }), Call::kFtruncate);
}

Status fallocate(Dirfd fd, int mode, int64_t offset, int64_t length) {
  return answer(retry([&] { return ::fallocate(fd, mode, offset, length); }), Call::kFallocate, mode);
}

Status set_direct(Dirfd fd, bool direct) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) return failure(Call::kFcntl, errno);
  return answer(::fcntl(fd, F_SETFL, direct ? flags | O_DIRECT : flags & ~O_DIRECT), Call::kFcntl, O_DIRECT);
}

// A failed fsync is never asked again: the kernel reports a write-back error once and then forgets it, so a second call
// would lie.
Status fsync(Dirfd fd) {
  return answer(retry([&] { return ::fsync(fd); }), Call::kFsync);
}
Status fdatasync(Dirfd fd) {
  return answer(retry([&] { return ::fdatasync(fd); }), Call::kFdatasync);
}
Status syncfs(Dirfd fd) {
  return answer(retry([&] { return ::syncfs(fd); }), Call::kSyncfs);
}

Status write_out(Dirfd fd) {
  constexpr unsigned kAll = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  auto status = answer(retry([&] { return ::sync_file_range(fd, 0, 0, kAll); }), Call::kSyncFileRange);
  bool lacks = status.err() == ENOSYS || status.err() == EINVAL || status.err() == ESPIPE;
  return lacks ? fdatasync(fd) : status;
}

void forget_pages(Dirfd fd) { (void)::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); }

std::optional<uint64_t> cached_bytes(Dirfd fd, uint64_t from, uint64_t length) {
  // <linux/mman.h> has them from 6.5 on.
  const struct { uint64_t offset, length; } range{from, length};
  struct {
    uint64_t cached, dirty, in_writeback, evicted, recently_evicted;  // pages
  } pages{};
  if (::syscall(kSysCachestat, fd, &range, &pages, 0) != 0) {
    return errno == EPERM ? std::optional(length) : std::nullopt;
  }
  return pages.cached * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

Result<size_t> copy_file_range(Dirfd in, int64_t in_offset, Dirfd out, int64_t out_offset, size_t length) {
  if (disabled(Feature::kCopyFileRange)) return failure(Call::kCopyFileRange, ENOSYS);
  off64_t from = in_offset;
  off64_t to = out_offset;
  ssize_t copied = retry([&] {
    return ::copy_file_range(in, in_offset < 0 ? nullptr : &from, out, out_offset < 0 ? nullptr : &to, length, 0);
  });
  if (copied < 0 && errno == ENOSYS) remember_refused(Feature::kCopyFileRange);
  return counted(copied, Call::kCopyFileRange);
}

Status ficlone(Dirfd source, Dirfd destination) {
  if (disabled(Feature::kFiclone)) return failure(Call::kFiclone, EOPNOTSUPP);
  return answer(retry([&] { return ::ioctl(destination, FICLONE, source); }), Call::kFiclone);
}

Status ficlonerange(Dirfd source, int64_t source_offset, int64_t length, Dirfd destination,
                    int64_t destination_offset) {
  if (disabled(Feature::kFiclone)) return failure(Call::kFiclonerange, EOPNOTSUPP);
  file_clone_range range{.src_fd = source,
                         .src_offset = static_cast<uint64_t>(source_offset),
                         .src_length = static_cast<uint64_t>(length),
                         .dest_offset = static_cast<uint64_t>(destination_offset)};
  return answer(retry([&] { return ::ioctl(destination, FICLONERANGE, &range); }), Call::kFiclonerange);
}

}  // namespace dfd::sys
