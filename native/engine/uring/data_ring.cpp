#ifdef DIRFD_LIBURING

#include "engine/uring/data_ring.h"

#include <algorithm>
#include <array>

#include "engine/uring/ring.h"
#include "sys/data.h"
#include "sys/huge_pages.h"

namespace dfd {

namespace {

constexpr unsigned kDepth = 8;
constexpr size_t kBlock = 512 * 1024;

// A stretch of which more than the fourth part is cached is none to read from the disk.
constexpr uint64_t kPartCached = 4;

// As the strictest devices want offsets, lengths and memory to be aligned.
constexpr size_t kAlignment = 4096;

class DataRing {
 public:
  DataRing(const Stretch& stretch, Ring& ring, std::byte* buffers) : stretch_(stretch), ring_(ring), buffers_(buffers) {
    std::array<iovec, kDepth> vectors;
    for (unsigned i = 0; i < kDepth; i++) vectors[i] = {.iov_base = buffer(i), .iov_len = kBlock};
    fixed_ = ring_.register_buffers(vectors.data(), kDepth);
  }

  // How far it has come: everything before it is copied.
  uint64_t run(const Stop& stop, Job& job) {
    const uint64_t blocks = (stretch_.to - stretch_.from + kBlock - 1) / kBlock;
    uint64_t copied = 0;
    uint64_t begun = 0;
    bool sound = true;
    while (sound && copied < blocks && !stop.wanted()) {
      while (begun < blocks && begun - copied < kDepth) begin(begun++);
      sound = ring_.submit_and_wait(1).ok();
      ring_.reap([this](uint32_t tag, int result) { completed(tag, result); });
      for (; copied < begun && slot(copied).pending == 0; copied++) {
        sound = sound && slot(copied).sound;
        if (!sound) break;
        job.count_bytes(length(copied));
      }
    }
    (void)ring_.drain();
    return offset(copied);
  }

 private:
  struct Slot {
    unsigned pending = 0;  // requests of its chain
    bool sound = true;
    int length = 0;
  };
  enum Part : uint32_t { kRead, kWrite };

  Slot& slot(uint64_t block) { return slots_[block % kDepth]; }
  std::byte* buffer(uint64_t block) { return buffers_ + block % kDepth * kBlock; }
  uint64_t offset(uint64_t block) const { return std::min(stretch_.from + block * kBlock, stretch_.to); }
  uint64_t length(uint64_t block) const { return offset(block + 1) - offset(block); }

  void begin(uint64_t block) {
    const auto index = static_cast<unsigned>(block % kDepth);
    const auto bytes = static_cast<unsigned>(length(block));
    slot(block) = {.pending = 2, .sound = true, .length = static_cast<int>(bytes)};
    io_uring_sqe* read = ring_.next();
    io_uring_sqe* write = ring_.next();
    if (fixed_) {
      ::io_uring_prep_read_fixed(read, stretch_.source, buffer(block), bytes, offset(block), static_cast<int>(index));
      ::io_uring_prep_write_fixed(write, stretch_.destination, buffer(block), bytes, offset(block),
                                  static_cast<int>(index));
    } else {
      ::io_uring_prep_read(read, stretch_.source, buffer(block), bytes, offset(block));
      ::io_uring_prep_write(write, stretch_.destination, buffer(block), bytes, offset(block));
    }
    ::io_uring_sqe_set_flags(read, IOSQE_IO_LINK);
    ring_.add(read, index << 1 | kRead);
    ring_.add(write, index << 1 | kWrite);
  }

  void completed(uint32_t tag, int result) {
    Slot& at = slots_[tag >> 1];
    at.pending--;
    at.sound = at.sound && result == at.length;
  }

  const Stretch& stretch_;
  Ring& ring_;
  std::byte* buffers_;
  bool fixed_ = false;
  std::array<Slot, kDepth> slots_;
};

// O_DIRECT on a descriptor, as long as this lives.
class Direct {
 public:
  explicit Direct(Dirfd fd) : fd_(fd), set_(sys::set_direct(fd, true).ok()) {}
  ~Direct() {
    if (set_) (void)sys::set_direct(fd_, false);
  }
  Direct(const Direct&) = delete;
  Direct& operator=(const Direct&) = delete;
  explicit operator bool() const { return set_; }

 private:
  Dirfd fd_;
  bool set_;
};

}  // namespace

Moved move_on_ring(const Stretch& stretch, const Stop& stop, Job& job) {
  const Moved nothing{.at = stretch.from, .written = stretch.from};
  const Moved never{.at = stretch.from, .written = stretch.from, .unsuited = true};
  Stretch aligned = stretch;
  aligned.to -= aligned.to % kAlignment;
  if (aligned.from % kAlignment != 0 || aligned.from >= aligned.to) return nothing;
  const sys::HugePages buffers(kDepth * kBlock);
  if (!buffers) return nothing;
  auto ring = Ring::open(2 * kDepth);
  if (!ring) return ring.err() == ENOMEM ? nothing : never;  // locked memory is given back a while after a ring's end
  Direct source(stretch.source);
  Direct destination(stretch.destination);
  if (!source || !destination) return never;
  // Blocks that make the file longer are written one after the other; into room that is there they are written side by side. Where the room
  // is lacking, write(2) fails at the same place.
  const auto from = static_cast<int64_t>(aligned.from);
  if (sys::fallocate(stretch.destination, 0, from, static_cast<int64_t>(aligned.to) - from).err() == ENOSPC)
    return nothing;
  const uint64_t at = DataRing(aligned, **ring, buffers.begin()).run(stop, job);
  return {.at = at, .written = aligned.to, .unsuited = at == stretch.from && !stop.wanted()};
}

Moved move_on_ring_where_cold(const Stretch& stretch, const Stop& stop, Job& job) {
  const uint64_t length = stretch.to - stretch.from;
  const auto cached = sys::cached_bytes(stretch.source, stretch.from, length);
  if (!cached) return {.at = stretch.from, .written = stretch.from, .unsuited = true};
  if (*cached > length / kPartCached) return {.at = stretch.from, .written = stretch.from};
  return move_on_ring(stretch, stop, job);
}

}  // namespace dfd

#endif
