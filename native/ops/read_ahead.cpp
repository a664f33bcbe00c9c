#include "ops/read_ahead.h"

#include <algorithm>

#include "sys/page_buffer.h"

namespace dfd {

namespace {

// Four requests and more, of a server that takes 0.2 ms for one. On a local disk and from a cache a small file takes a tenth of it.
constexpr auto kSlowFile = std::chrono::milliseconds(1);
// What was read is no older than this at its turn: its attributes are read only then, and are to belong to it. Long beside 16 round trips to a server.
constexpr auto kFresh = std::chrono::milliseconds(250);

std::span<std::byte> thread_room() {
  thread_local const sys::PageBuffer room(kBytesAhead);
  return room.span();
}

}  // namespace

ReadAhead::~ReadAhead() {
  if (turn_began_ != Clock::time_point{} && Clock::now() - turn_began_ >= kSlowFile) run_.ahead.is_slow = true;
  let_go();
}

const EarlyFile* ReadAhead::at(size_t index) {
  if (count_ > 0 && Clock::now() - read_at_ > kFresh) {
    let_go();
    looked_at_ = index;
  }
  if (index >= looked_at_ && is_worth_it(index)) read(index);
  while (next_ < count_ && indices_[next_] < index) next_++;
  if (next_ == count_ || indices_[next_] != index || !files_[next_].fd) return nullptr;
  return &files_[next_];
}

// Whether answers take their time is told by the time of files that are copied in the ordinary way. Once they do, they do for the rest of the copy.
bool ReadAhead::is_worth_it(size_t index) {
  if (run_.ahead.always) return true;
  const Clock::time_point began = std::exchange(turn_began_, {});
  if (began != Clock::time_point{} && Clock::now() - began >= kSlowFile) run_.ahead.is_slow = true;
  if (run_.ahead.is_slow) return true;
  if (candidate_at_(index).name) turn_began_ = Clock::now();
  return false;
}

void ReadAhead::read(size_t from) {
  let_go();
  std::span<std::byte> room = thread_room();
  size_t at = from;
  for (; at < end_ && count_ < kMostAhead; at++) {
    const Candidate candidate = candidate_at_(at);
    if (!candidate.name) continue;
    const size_t needs = candidate.size + 1;
    if (needs > room.size()) break;
    files_[count_] = {.name = candidate.name, .room = room.first(needs)};
    indices_[count_++] = at;
    room = room.subspan(needs);
  }
  looked_at_ = std::max(at, from + 1);
  if (count_ < 2) {  // as fast by itself
    count_ = 0;
    return;
  }
  if (!many_) many_ = run_.ahead.open();
  if (!many_) {
    count_ = 0;
    looked_at_ = end_;
    return;
  }
  read_at_ = Clock::now();
  many_->read(source_, std::span(files_).first(count_));
}

void ReadAhead::let_go() {
  if (many_ && count_ > 0) many_->close(std::span(files_).first(count_));
  count_ = next_ = 0;
}

}  // namespace dfd
