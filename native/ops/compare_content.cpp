#include "ops/compare_content.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "sys/data.h"

namespace dfd {

namespace {

constexpr uint64_t kHoleStep = 64 * 1024;

// Fills the span, as far as the file goes.
Result<size_t> read_all(Dirfd fd, std::span<std::byte> into, uint64_t offset) {
  size_t have = 0;
  while (have < into.size()) {
    auto got = sys::pread(fd, into.subspan(have), static_cast<int64_t>(offset + have));
    if (!got) return got;
    if (*got == 0) break;
    have += *got;
  }
  return have;
}

// Where data begins at or after `from`; the end where there is none. Never before `from`, whatever the file system says.
uint64_t next_data(Dirfd fd, uint64_t from, uint64_t size) {
  auto data = sys::lseek(fd, static_cast<int64_t>(from), SEEK_DATA);
  if (!data) return data.err() == ENXIO ? size : from;
  return std::clamp(static_cast<uint64_t>(*data), from, size);
}

// Where the data that begins at `from` ends.
uint64_t next_hole(Dirfd fd, uint64_t from, uint64_t size) {
  auto hole = sys::lseek(fd, static_cast<int64_t>(from), SEEK_HOLE);
  if (!hole || static_cast<uint64_t>(*hole) <= from) return size;
  return std::min(static_cast<uint64_t>(*hole), size);
}

struct Segment {
  uint64_t start;
  uint64_t end;
  bool operator==(const Segment&) const = default;
};

// The next segment of data at or after `from`, its ends rounded outwards and neighbours joined.
Segment next_segment(Dirfd fd, uint64_t from, uint64_t size) {
  uint64_t start = next_data(fd, from, size);
  if (start >= size) return {size, size};
  uint64_t end = start;
  for (uint64_t data = start; data < size && data / kHoleStep <= (end + kHoleStep - 1) / kHoleStep;) {
    end = next_hole(fd, data, size);
    if (end >= size) break;
    data = next_data(fd, end, size);
  }
  uint64_t rounded = std::min((end + kHoleStep - 1) / kHoleStep * kHoleStep, size);
  return {start / kHoleStep * kHoleStep, rounded};
}

}  // namespace

Result<std::optional<uint64_t>> first_difference(Dirfd left, Dirfd right, uint64_t size, bool may_have_holes,
                                                 std::span<std::byte> buffer, const Stop& stop, Job& job) {
  auto first = buffer.first(buffer.size() / 2);
  auto second = buffer.subspan(first.size(), first.size());
  uint64_t at = 0;
  for (;;) {
    if (stop.wanted()) return failure(Call::kPread, ECANCELED);
    if (may_have_holes && at < size) at = std::min(next_data(left, at, size), next_data(right, at, size));
    auto got = read_all(left, first, at);
    if (!got) return got.error().about(Subject::kPath);
    auto other = read_all(right, second, at);
    if (!other) return other.error().about(Subject::kSecondPath);
    size_t common = std::min(*got, *other);
    if (std::memcmp(first.data(), second.data(), common) != 0) {
      auto differs = std::mismatch(first.begin(), first.begin() + static_cast<ptrdiff_t>(common), second.begin());
      return std::optional(at + static_cast<uint64_t>(differs.first - first.begin()));
    }
    if (*got != *other) return std::optional(at + common);
    job.count_bytes(common);
    if (*got < first.size()) return std::optional<uint64_t>();
    at += *got;
  }
}

Result<bool> same_holes(Dirfd left, Dirfd right, uint64_t size) {
  for (uint64_t at = 0; at < size;) {
    Segment segment = next_segment(left, at, size);
    if (segment != next_segment(right, at, size)) return false;
    at = std::max(segment.end, at + 1);
  }
  return true;
}

}  // namespace dfd
