#ifdef DIRFD_LIBURING

#include "engine/uring/stat_ring.h"

#include <algorithm>
#include <array>

#include "engine/uring/ring.h"
#include "sys/stat.h"

namespace dfd {

namespace {

class RingOfStats final : public StatRing {
 public:
  explicit RingOfStats(std::unique_ptr<Ring> ring) : ring_(std::move(ring)) {}

  void stat(Dirfd dir, std::span<const Dirent> entries, unsigned window, const CancelFlag& stop,
            const Visit& visit) override {
    window = std::clamp(window, 1U, kMostInFlight);
    size_t asked = 0;
    size_t reported = 0;
    while (reported < entries.size() && !stop.cancelled()) {
      if (!works_) {
        // In flight is nothing any more: what was, is answered or asked again.
        visit(entries[reported], sys::statx(dir, entries[reported].name.data()));
        reported++;
        continue;
      }
      while (asked < entries.size() && asked - reported < window) ask(dir, entries[asked].name.data(), asked), asked++;
      // A wake-up for each answer would cost as much as a call for each.
      const unsigned batch = std::max(ring_->in_flight() / 4, 1U);
      if (!slot(reported).answered) works_ = ring_->submit_and_wait(batch).ok();
      if (!works_) (void)ring_->drain();
      ring_->reap([this](uint32_t tag, int result) { slots_[tag].result = result, slots_[tag].answered = true; });
      for (; works_ && reported < asked && slot(reported).answered && !stop.cancelled(); reported++) {
        visit(entries[reported], answer_of(slot(reported), dir, entries[reported].name.data()));
      }
    }
    works_ = ring_->drain() && works_;
  }

 private:
  struct Slot {
    struct statx stx;
    int result = 0;
    bool answered = false;
  };
  Slot& slot(size_t index) { return slots_[index % kMostInFlight]; }

  void ask(Dirfd dir, const char* name, size_t index) {
    Slot& at = slot(index);
    at.answered = false;
    io_uring_sqe* request = ring_->next();
    ::io_uring_prep_statx(request, dir, name, sys::kStatFlags, sys::kStatMask, &at.stx);
    ring_->add(request, static_cast<uint32_t>(index % kMostInFlight));
  }

  static Result<struct statx> answer_of(const Slot& slot, Dirfd dir, const char* name) {
    if (slot.result == 0) return slot.stx;
    if (is_for_a_thread(slot.result)) return sys::statx(dir, name);
    return failure(Call::kStatx, -slot.result, sys::kStatFlags);
  }

  std::unique_ptr<Ring> ring_;
  bool works_ = true;
  std::array<Slot, kMostInFlight> slots_;
};

}  // namespace

Result<std::unique_ptr<StatRing>> StatRing::open() {
  auto ring = Ring::open(kMostInFlight);
  if (!ring) return ring.error();
  return std::unique_ptr<StatRing>(std::make_unique<RingOfStats>(*std::move(ring)));
}

}  // namespace dfd

#endif
