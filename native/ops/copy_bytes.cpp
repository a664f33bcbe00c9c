#include "ops/copy_bytes.h"

#include <unistd.h>

#include <algorithm>

#include "sys/data.h"
#include "sys/page_buffer.h"

namespace dfd {

namespace {

constexpr size_t kBuffer = 256 * 1024;

// EXDEV: two file systems, before 5.19 or of two types. Nothing of this is about the bytes themselves.
bool refused(int err) { return err == ENOSYS || err == EXDEV || err == EOPNOTSUPP; }

Result<size_t> read_at(Dirfd fd, std::span<std::byte> into, int64_t offset) {
  return offset < 0 ? sys::read(fd, into) : sys::pread(fd, into, offset);
}

Result<size_t> write_at(Dirfd fd, std::span<const std::byte> from, int64_t offset) {
  return offset < 0 ? sys::write(fd, from) : sys::pwrite(fd, from, offset);
}

}  // namespace

Result<size_t> copy_bytes(Dirfd in, int64_t in_offset, Dirfd out, int64_t out_offset, size_t length) {
  auto copied = sys::copy_file_range(in, in_offset, out, out_offset, length);
  if (!refused(copied.err())) return copied;
  const sys::PageBuffer buffer(std::min(length, kBuffer));
  auto got = read_at(in, buffer.span(), in_offset);
  if (!got) return got;
  auto put = write_at(out, buffer.span().first(*got), out_offset);
  size_t written = put ? *put : 0;
  // What was read and not written is read again: the source's own position must not run ahead.
  if (written < *got && in_offset < 0) {
    auto back = sys::lseek(in, static_cast<int64_t>(written) - static_cast<int64_t>(*got), SEEK_CUR);
    if (!back) return back.error();
  }
  return put;
}

}  // namespace dfd
