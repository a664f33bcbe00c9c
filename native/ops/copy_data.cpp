#include "ops/copy_data.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "sys/data.h"

namespace dfd {

namespace {

// One copy_file_range call: long enough to cost nothing, short enough to stop within a moment.
constexpr uint64_t kRange = 16 << 20;

// What `sparse: always` looks for: runs of zero bytes of this size, aligned.
constexpr size_t kZeroBlock = 4096;

bool is_pair_refusal(int err) { return err == EXDEV || err == EOPNOTSUPP || err == ENOTTY || err == ENOSYS; }

bool is_zero(std::span<const std::byte> bytes) {
  return bytes.empty() ||
         (bytes[0] == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

class DataCopy {
 public:
  DataCopy(const DataTask& task, Refusals& refusals, const Stop& stop, Job& job)
      : task_(task), refusals_(refusals), stop_(stop), job_(job) {}

  Result<uint64_t> run() {
    auto cloned = try_clone();
    if (!cloned) return cloned.error();
    if (*cloned) return uint64_t{0};
    bool seek = task_.sparse != Choice::kNever && may_have_holes(task_.size, task_.blocks);
    at_ = end_ = task_.start;
    Status status = seek ? copy_segments() : copy_range(task_.start, task_.size);
    if (!status) return status.error();
    // Past the stat'ed size: usually one read that answers 0.
    if (at_ >= task_.size) {
      if (auto rest = copy_by_hand(at_, UINT64_MAX); !rest) return rest.error();
    }
    // A trailing hole; or a file that has shrunk below what was prepared for it.
    if (end_ != at_) {
      if (auto set = sys::ftruncate(task_.destination, static_cast<int64_t>(at_)); !set) return set.error();
    }
    return copied_;
  }

 private:
  // Shares the extents, holes and all. False: not this pair of files, or nobody asked.
  Result<bool> try_clone() {
    if (task_.start > 0 && task_.reflink != Choice::kAlways) return false;
    // Holes asked for by name are made by hand: a clone has the source's.
    if (task_.reflink == Choice::kNever || (task_.reflink == Choice::kAuto && task_.sparse != Choice::kAuto))
      return false;
    constexpr auto kWay = Refusals::Way::kFiclone;
    if (task_.reflink == Choice::kAuto && refusals_.refused(kWay, task_.source_dev, task_.destination_dev))
      return false;
    auto status = sys::ficlone(task_.source, task_.destination);
    if (status) {
      job_.count_bytes(task_.size);
      return true;
    }
    if (task_.reflink == Choice::kAlways) return status.error();
    if (is_pair_refusal(status.err())) refusals_.remember(kWay, task_.source_dev, task_.destination_dev);
    // EINVAL, EPERM, ETXTBSY and the like are about this file; one that cannot be written at all fails again below.
    return false;
  }

  // Data segments only. A file system that lies about its holes is held to progress: each answer must lie beyond the last.
  Status copy_segments() {
    uint64_t at = task_.start;
    while (at < task_.size) {
      auto data = sys::lseek(task_.source, static_cast<int64_t>(at), SEEK_DATA);
      if (!data) {
        if (data.err() == ENXIO) break;  // nothing but a hole to the end
        return copy_range(at, task_.size);
      }
      uint64_t start = static_cast<uint64_t>(*data);
      if (start < at || start >= task_.size) break;
      auto hole = sys::lseek(task_.source, *data, SEEK_HOLE);
      uint64_t end = hole && static_cast<uint64_t>(*hole) > start ? static_cast<uint64_t>(*hole) : task_.size;
      end = std::min(end, task_.size);
      if (auto status = copy_range(start, end); !status) return status;
      if (at_ < end) return success();  // the file has shrunk
      at = end;
    }
    at_ = std::max(at_, task_.size);  // the trailing hole
    return success();
  }

  Status copy_range(uint64_t from, uint64_t to) {
    at_ = from;
    move_in_bulk(to);
    if (at_ == to) return success();
    // copy_file_range(2) shares extents by itself where the file system can, which `reflink: never` forbids.
    bool in_kernel = task_.sparse == Choice::kAuto && task_.reflink != Choice::kNever;
    if (in_kernel && to - from > task_.buffer.size()) {
      auto done = copy_in_kernel(to);
      if (!done || *done) return done ? success() : Status(done.error());
    }
    return copy_by_hand(at_, to);
  }

  // From at_ on, as far as it goes.
  void move_in_bulk(uint64_t to) {
    constexpr auto kWay = Refusals::Way::kBulkMove;
    if (!task_.bulk_move || to - at_ < kLongStretch || task_.sparse == Choice::kAlways) return;
    if (refusals_.refused(kWay, task_.source_dev, task_.destination_dev)) return;
    const uint64_t from = at_;
    const Moved moved = task_.bulk_move({task_.source, task_.destination, from, to}, stop_, job_);
    if (moved.unsuited) refusals_.remember(kWay, task_.source_dev, task_.destination_dev);
    at_ = moved.at;
    end_ = std::max(end_, moved.written);
    copied_ += moved.at - from;
  }

  // From at_ on. False: this pair of file systems cannot, or the file is not what it seems; the rest is copied by hand.
  Result<bool> copy_in_kernel(uint64_t to) {
    constexpr auto kWay = Refusals::Way::kCopyFileRange;
    if (refusals_.refused(kWay, task_.source_dev, task_.destination_dev)) return false;
    while (at_ < to) {
      auto offset = static_cast<int64_t>(at_);
      uint64_t length = std::min(to - at_, task_.pace.chunk(kRange));
      if (stop_.wanted() || !task_.pace.take(length, stop_)) return failure(Call::kCopyFileRange, ECANCELED);
      auto got = sys::copy_file_range(task_.source, offset, task_.destination, offset, length);
      if (!got) {
        if (is_pair_refusal(got.err())) refusals_.remember(kWay, task_.source_dev, task_.destination_dev);
        // EINVAL, EIO and the like: read and write will do it, or tell better which side failed.
        return false;
      }
      if (*got == 0) return false;  // the end, or a pseudo file that only read(2) can read
      end_ = std::max(end_, at_ + *got);
      advance(*got);
    }
    return true;
  }

  Status copy_by_hand(uint64_t from, uint64_t to) {
    at_ = from;
    while (at_ < to) {
      if (stop_.wanted()) return failure(Call::kRead, ECANCELED);
      auto chunk = task_.buffer.first(std::min<uint64_t>(task_.pace.chunk(task_.buffer.size()), to - at_));
      auto got = sys::pread(task_.source, chunk, static_cast<int64_t>(at_));
      if (!got) return got.error();
      if (*got == 0) return success();
      if (!task_.pace.take(*got, stop_)) return failure(Call::kRead, ECANCELED);
      auto bytes = std::span<const std::byte>(chunk).first(*got);
      Status written = task_.sparse == Choice::kAlways ? write_sparse(bytes) : write_all(task_.destination, bytes, at_);
      if (!written) return written;
      if (task_.sparse != Choice::kAlways) end_ = std::max(end_, at_ + *got);
      advance(*got);
    }
    return success();
  }

  // Leaves out aligned blocks of zeros.
  Status write_sparse(std::span<const std::byte> bytes) {
    uint64_t at = at_;
    while (!bytes.empty()) {
      size_t length = std::min<size_t>(bytes.size(), kZeroBlock - at % kZeroBlock);
      if (!is_zero(bytes.first(length))) {
        if (auto status = write_all(task_.destination, bytes.first(length), at); !status) return status;
        end_ = at + length;
      }
      at += length;
      bytes = bytes.subspan(length);
    }
    return success();
  }

  void advance(uint64_t amount) {
    at_ += amount;
    copied_ += amount;
    job_.count_bytes(amount);
  }

  const DataTask& task_;
  Refusals& refusals_;
  const Stop& stop_;
  Job& job_;
  uint64_t at_ = 0;      // how far the source has been read, holes included
  uint64_t end_ = 0;     // how far the destination has been written
  uint64_t copied_ = 0;  // bytes moved
};

}  // namespace

Result<uint64_t> copy_data(const DataTask& task, Refusals& refusals, const Stop& stop, Job& job) {
  return DataCopy(task, refusals, stop, job).run();
}

Status write_all(Dirfd fd, std::span<const std::byte> bytes, uint64_t offset) {
  while (!bytes.empty()) {
    auto wrote = sys::pwrite(fd, bytes, static_cast<int64_t>(offset));
    if (!wrote) return wrote.error();
    // No byte and no error: asking for ever would hang.
    if (*wrote == 0) return failure_because(Reason::kShortWrite, Call::kPwrite, EIO);
    bytes = bytes.subspan(*wrote);
    offset += *wrote;
  }
  return success();
}

}  // namespace dfd
