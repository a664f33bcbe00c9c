// A large file's data on the ring, with completions that fail or come short at every place of a chain, and files that are not as long as they
// were said to be: the copy is whole in the end, because read and write carry on where the ring stops.
#include "engine/uring/data_ring.h"

#ifdef DIRFD_LIBURING

#include <cstdio>
#include <fstream>
#include <random>
#include <vector>

#include "check.h"
#include "engine/uring/availability.h"
#include "engine/uring/ring.h"
#include "ops/copy_data.h"
#include "sys/data.h"

using namespace dfd;

namespace {

constexpr size_t kSize = (5 << 20) + 4096 + 77;

std::string random_bytes(size_t size) {
  std::mt19937_64 dice(6);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(dice());
  return bytes;
}

struct TwoFiles {
  test::TemporaryDirectory directory;
  std::string content = random_bytes(kSize);
  CancelFlag never;
  Stop stop{never, never};

  TwoFiles() { std::ofstream(directory / "source", std::ios::binary) << content; }

  // copy_data by the ring, told that the file has `size` bytes; what then is in the destination.
  std::string copy(uint64_t size, BulkMove bulk_move = &move_on_ring) {
    UniqueFd source(::open((directory / "source").c_str(), O_RDONLY | O_CLOEXEC));
    UniqueFd destination(::open((directory / "copy").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    std::vector<std::byte> buffer(64 * 1024);
    Refusals refusals;
    Job job;
    Pace pace;
    DataTask task{.source = source.get(),
                  .destination = destination.get(),
                  .size = size,
                  .blocks = size / 512 + 1,
                  .source_dev = 1,
                  .destination_dev = 2,
                  .reflink = Choice::kNever,
                  .sparse = Choice::kNever,
                  .buffer = buffer,
                  .pace = pace,
                  .bulk_move = bulk_move};
    auto copied = copy_data(task, refusals, stop, job);
    CHECK(copied && *copied == job.bytes);
    CHECK((::fcntl(source.get(), F_GETFL) & O_DIRECT) == 0 && (::fcntl(destination.get(), F_GETFL) & O_DIRECT) == 0);
    std::ifstream file(directory / "copy", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

int at_completion, completions, injected;
uint8_t of_opcode;

int fail_one(uint8_t opcode, int result) {
  if (opcode != of_opcode || completions++ != at_completion) return result;
  return injected > 0 ? -injected : result / 2;  // 0: short
}

void copies_whole(TwoFiles& place) { CHECK(place.copy(kSize) == place.content); }

void carries_on_where_a_completion_fails(TwoFiles& place) {
  completion_fault = fail_one;
  for (uint8_t opcode : {IORING_OP_READ_FIXED, IORING_OP_WRITE_FIXED}) {
    for (int err : {0, EIO, EAGAIN, ECANCELED, ENOSPC}) {
      for (int at : {0, 9}) {
        of_opcode = opcode, injected = err, at_completion = at, completions = 0;
        CHECK(place.copy(kSize) == place.content);
      }
    }
  }
  completion_fault = nullptr;
}

void copies_what_is_there_of_a_file_that_was_longer(TwoFiles& place) {
  for (size_t said : {kSize + 1, kSize + 4096, 2 * kSize}) CHECK(place.copy(said) == place.content);
}

void goes_on_to_the_end_of_one_that_was_shorter(TwoFiles& place) {
  for (size_t said : {size_t{0}, size_t{1 << 20}, kSize - 1}) CHECK(place.copy(said) == place.content);
}

void leaves_what_is_cached_to_threads(TwoFiles& place) {
  UniqueFd source(::open((place.directory / "source").c_str(), O_RDONLY | O_CLOEXEC));
  UniqueFd destination(::open((place.directory / "copy").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  std::vector<char> read(kSize);
  CHECK(::pread(source.get(), read.data(), kSize, 0) == static_cast<ssize_t>(kSize));
  Job job;
  Moved moved = move_on_ring_where_cold({source.get(), destination.get(), 0, kSize}, place.stop, job);
  CHECK(moved.at == 0 && moved.written == 0 && job.bytes == 0);
  // Where the kernel does not tell, never; else whatever is not cached later.
  CHECK(moved.unsuited == !sys::cached_bytes(source.get(), 0, kSize));
}

void stops_when_it_is_told_to(TwoFiles& place) {
  CancelFlag wanted;
  wanted.cancel();
  UniqueFd source(::open((place.directory / "source").c_str(), O_RDONLY | O_CLOEXEC));
  UniqueFd destination(::open((place.directory / "copy").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  Job job;
  Moved moved = move_on_ring({source.get(), destination.get(), 0, kSize}, Stop(wanted, place.never), job);
  CHECK(moved.at == 0 && job.bytes == 0);
}

}  // namespace

int main() {
  if (!may_use_ring()) {
    std::puts("no io_uring here");
    return 0;
  }
  TwoFiles place;
  copies_whole(place);
  carries_on_where_a_completion_fails(place);
  copies_what_is_there_of_a_file_that_was_longer(place);
  goes_on_to_the_end_of_one_that_was_shorter(place);
  leaves_what_is_cached_to_threads(place);
  stops_when_it_is_told_to(place);
}

#else

int main() {}

#endif
