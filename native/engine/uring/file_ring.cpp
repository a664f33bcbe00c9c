#ifdef DIRFD_LIBURING

#include "engine/uring/file_ring.h"

#include "engine/uring/ring.h"
#include "sys/open.h"
#include "sys/probe.h"
#include "sys/stat.h"

namespace dfd {

namespace {

// A read and a stat for each.
constexpr unsigned kDepth = 2 * kMostAhead;

// Waits in a kernel thread from the start: tried at once, FUSE's reads would hold up the thread that submits them, and with it all others.
constexpr unsigned kInAnotherThread = IOSQE_ASYNC;

class FileRing final : public ManyFiles {
 public:
  explicit FileRing(std::unique_ptr<Ring> ring) : ring_(std::move(ring)) {}

  void read(Dirfd directory, std::span<EarlyFile> files) override {
    files_ = files;
    for (uint32_t i = 0; i < files.size() && works_; i++) {
      io_uring_sqe* open = ring_->next();
      ::io_uring_prep_openat2(open, directory, files[i].name, &how_);
      ask(open, kOpen, i, kInAnotherThread);
    }
    wait();
    for (uint32_t i = 0; i < files.size() && works_; i++) {
      // Of a FIFO that has come in the file's place a ring would wait for content, whatever O_NONBLOCK says, and take it.
      if (!files[i].fd || !sys::is_regular(files[i].fd.get())) continue;
      io_uring_sqe* read = ring_->next();
      ::io_uring_prep_read(read, files[i].fd.get(), files[i].room.data(), static_cast<unsigned>(files[i].room.size()),
                           0);
      // A hard link: that fewer bytes come than there is room for is no failure here.
      ask(read, kRead, i, kInAnotherThread | IOSQE_IO_HARDLINK);
      io_uring_sqe* stat = ring_->next();
      ::io_uring_prep_statx(stat, files[i].fd.get(), "", AT_EMPTY_PATH | AT_STATX_SYNC_AS_STAT, STATX_BASIC_STATS,
                            &files[i].after);
      ask(stat, kStat, i, kInAnotherThread);
    }
    wait();
    for (uint32_t i = 0; i < files.size(); i++) {
      if ((done_[i] & kAll) != kAll) files[i].fd = UniqueFd();
      done_[i] = 0;
    }
  }

  void close(std::span<EarlyFile> files) override {
    files_ = files;
    for (uint32_t i = 0; i < files.size() && works_; i++) {
      if (!files[i].fd) continue;
      io_uring_sqe* close = ring_->next();
      ::io_uring_prep_close(close, files[i].fd.get());
      ask(close, kClose, i, kInAnotherThread);
    }
    wait();
    // What is left is closed as any descriptor is.
    for (EarlyFile& file : files) file = {};
  }

 private:
  enum Part : uint32_t { kOpen, kRead, kStat, kClose };
  static constexpr unsigned kPartBits = 2;
  static constexpr uint8_t kAll = 1 << kOpen | 1 << kRead | 1 << kStat;

  void ask(io_uring_sqe* request, Part part, uint32_t index, unsigned flags) {
    ::io_uring_sqe_set_flags(request, flags);
    ring_->add(request, index << kPartBits | part);
  }

  // Without calling anything off: a descriptor that was opened must not be lost.
  void wait() {
    works_ = ring_->finish([this](uint32_t tag, int result) {
      completed(static_cast<Part>(tag & ((1 << kPartBits) - 1)), tag >> kPartBits, result);
    }) && works_;
  }

  void completed(Part part, uint32_t index, int result) {
    EarlyFile& file = files_[index];
    switch (part) {
      case kOpen:
        if (result >= 0) file.fd = UniqueFd(result);
        break;
      case kRead:
        if (result >= 0) file.content = file.room.first(static_cast<size_t>(result));
        break;
      case kStat: break;
      case kClose:
        // Gone, whatever a server has answered: its number may be another file's by now.
        file.fd.forget();
        return;
    }
    if (result >= 0) done_[index] |= static_cast<uint8_t>(1 << part);
  }

  // As ops/open_regular, and no further than its one name by any other way either.
  open_how how_{.flags = static_cast<uint64_t>(O_RDONLY | O_NONBLOCK | sys::kOneName),
                .mode = 0,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
  std::unique_ptr<Ring> ring_;
  bool works_ = true;
  std::span<EarlyFile> files_;
  std::array<uint8_t, kMostAhead> done_{};
};

}  // namespace

std::unique_ptr<ManyFiles> open_file_ring() {
  if (sys::disabled(sys::Feature::kOpenat2)) return nullptr;
  auto ring = Ring::open(kDepth);
  if (!ring) return nullptr;
  return std::make_unique<FileRing>(*std::move(ring));
}

}  // namespace dfd

#endif
