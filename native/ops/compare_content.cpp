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
Result<uint64_t> next_data(Dirfd fd, uint64_t from, uint64_t size) {
  auto data = sys::lseek(fd, static_cast<int64_t>(from), SEEK_DATA);
  if (data.err() == ENXIO) return size;
  if (data.err() == EINVAL) return from;  // a file system that knows no holes
  if (!data) return data.error();
  return std::clamp(static_cast<uint64_t>(*data), from, size);
}

// As next_data, for what is read in any case: an error that matters comes again with the read.
uint64_t next_data_to_read(Dirfd fd, uint64_t from, uint64_t size) {
  auto data = next_data(fd, from, size);
  return data ? *data : from;
}

// Where the data that begins at `from` ends.
Result<uint64_t> next_hole(Dirfd fd, uint64_t from, uint64_t size) {
  auto hole = sys::lseek(fd, static_cast<int64_t>(from), SEEK_HOLE);
  if (!hole && hole.err() != EINVAL) return hole.error();
  if (!hole || static_cast<uint64_t>(*hole) <= from) return size;
  return std::min(static_cast<uint64_t>(*hole), size);
}

struct Segment {
  uint64_t start;
  uint64_t end;
  bool operator==(const Segment&) const = default;
};

// The next segment of data at or after `from`, its ends rounded outwards and neighbours joined.
Result<Segment> next_segment(Dirfd fd, uint64_t from, uint64_t size) {
  auto start = next_data(fd, from, size);
  if (!start) return start.error();
  if (*start >= size) return Segment{size, size};
  uint64_t end = *start;
  for (uint64_t data = *start; data < size && data / kHoleStep <= (end + kHoleStep - 1) / kHoleStep;) {
    auto hole = next_hole(fd, data, size);
    if (!hole) return hole.error();
    end = *hole;
    if (end >= size) break;
    auto next = next_data(fd, end, size);
    if (!next) return next.error();
    data = *next;
  }
  uint64_t rounded = std::min((end + kHoleStep - 1) / kHoleStep * kHoleStep, size);
  return Segment{*start / kHoleStep * kHoleStep, rounded};
}

}  // namespace

Result<std::optional<uint64_t>> first_difference(Dirfd left, Dirfd right, uint64_t size, bool may_have_holes,
                                                 std::span<std::byte> buffer, const Stop& stop, Job& job) {
  auto first = buffer.first(buffer.size() / 2);
  auto second = buffer.subspan(first.size(), first.size());
  uint64_t at = 0;
  for (;;) {
    if (stop.wanted()) return failure(Call::kPread, ECANCELED);
    if (may_have_holes && at < size) {
      at = std::min(next_data_to_read(left, at, size), next_data_to_read(right, at, size));
    }
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

Result<bool> has_content(Dirfd fd, std::span<const std::byte> wanted, std::span<std::byte> buffer) {
  for (size_t at = 0;;) {
    auto got = read_all(fd, buffer, at);
    if (!got) return got.error();
    if (*got > wanted.size() - at || std::memcmp(buffer.data(), wanted.data() + at, *got) != 0) return false;
    at += *got;
    if (*got < buffer.size()) return at == wanted.size();
  }
}

Result<bool> same_holes(Dirfd left, Dirfd right, uint64_t size) {
  for (uint64_t at = 0; at < size;) {
    auto segment = next_segment(left, at, size);
    if (!segment) return segment.error().about(Subject::kPath);
    auto other = next_segment(right, at, size);
    if (!other) return other.error().about(Subject::kSecondPath);
    if (*segment != *other) return false;
    at = std::max(segment->end, at + 1);
  }
  return true;
}

}  // namespace dfd
