// DirectorySyncs: whoever asks has an fsync that began after the question, however many share it. TSan looks on.

#include "engine/directory_syncs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <vector>

#include "check.h"
#include "engine/first_visits.h"
#include "engine/thread.h"

using namespace dfd;

namespace {

UniqueFd made_directory() {
  std::string path = std::string(::getenv("TMPDIR") ? ::getenv("TMPDIR") : "/tmp") + "/dirfd-syncs-XXXXXX";
  CHECK(::mkdtemp(path.data()) != nullptr);
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  CHECK(static_cast<bool>(fd));
  CHECK(::rmdir(path.c_str()) == 0);  // its descriptor is all that is needed
  return fd;
}

void many_threads_sync_two_directories() {
  constexpr int kThreads = 8, kTurns = 300;
  UniqueFd first = made_directory();
  UniqueFd second = made_directory();
  DirectorySyncs syncs;
  std::atomic<int> done = 0;
  {
    std::vector<Thread> threads;
    for (int i = 0; i < kThreads; i++) {
      threads.push_back(Thread::start([&, i] {
                          for (int turn = 0; turn < kTurns; turn++) {
                            CHECK(syncs.sync((turn + i) % 3 ? first.get() : second.get()).ok());
                            done++;
                          }
                        }).value());
    }
  }
  CHECK(done == kThreads * kTurns);
}

// fsync(2) refuses an O_PATH descriptor, which stands here for a disk that fails.
void a_failure_is_told_and_the_next_round_is_a_new_one() {
  UniqueFd directory = made_directory();
  UniqueFd unreadable(::openat(directory.get(), ".", O_PATH | O_CLOEXEC));
  DirectorySyncs syncs;
  CHECK(syncs.sync(unreadable.get()).err() == EBADF);
  CHECK(syncs.sync(directory.get()).ok());
  CHECK(syncs.sync(-1).err() == EBADF);
}

void a_first_visit_comes_once() {
  UniqueFd first = made_directory();
  UniqueFd second = made_directory();
  FirstVisits visits;
  CHECK(visits.is_first(first.get()));
  CHECK(visits.is_first(second.get()));
  CHECK(!visits.is_first(first.get()));
  CHECK(!visits.is_first(-1));
}

}  // namespace

int main() {
  many_threads_sync_two_directories();
  a_failure_is_told_and_the_next_round_is_a_new_one();
  a_first_visit_comes_once();
}
