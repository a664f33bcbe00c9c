// Files that are read ahead of their turn: never a FIFO that has come in the place of one, nor content that has grown old.
#include "ops/read_ahead.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <thread>
#include <vector>

#include "check.h"
#include "engine/uring/availability.h"
#include "engine/uring/file_ring.h"

using namespace dfd;

namespace {

constexpr size_t kFiles = 6;
const char* const kNames[kFiles] = {"0", "1", "2", "3", "4", "5"};

struct Place {
  test::TemporaryDirectory directory;
  UniqueFd fd = directory.open();
  CopyRun run;

  Place() {
    for (const char* name : kNames) std::ofstream(directory / name) << "content";
    run.ahead.open = &open_file_ring;
    run.ahead.always = true;
  }
  static ReadAhead::Candidate candidate(size_t index) { return {.name = kNames[index], .size = 7}; }
};

void leaves_a_fifo_alone() {
  Place place;
  const std::string path = place.directory / "2";
  CHECK(::unlink(path.c_str()) == 0 && ::mkfifo(path.c_str(), 0600) == 0);
  const UniqueFd both(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  for (bool holds_something : {false, true}) {
    if (holds_something) CHECK(::write(both.get(), "secret", 6) == 6);
    ReadAhead ahead(place.run, place.fd.get(), kFiles, &Place::candidate);
    for (size_t i = 0; i < kFiles; i++) {
      const EarlyFile* early = ahead.at(i);
      CHECK((early == nullptr) == (i == 2));
      if (early) CHECK(early->content.size() == 7 && early->after.stx_size == 7);
    }
  }
  char kept[10];
  CHECK(::read(both.get(), kept, sizeof kept) == 6);
}

void reads_anew_what_has_waited_for_its_turn() {
  Place place;
  ReadAhead ahead(place.run, place.fd.get(), kFiles, &Place::candidate);
  CHECK(ahead.at(0) && ahead.at(1));
  for (const char* name : kNames) std::ofstream(place.directory / name) << "another content";
  const EarlyFile* old = ahead.at(2);
  CHECK(old && old->content.size() == 7);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const EarlyFile* anew = ahead.at(3);
  CHECK(anew && anew->after.stx_size == 15 && anew->content.size() == 8);  // a byte more than it was said to have
}

}  // namespace

int main() {
  if (!may_use_ring()) {
    std::puts("no io_uring here");
    return 0;
  }
  leaves_a_fifo_alone();
  reads_anew_what_has_waited_for_its_turn();
}
