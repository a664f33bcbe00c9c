// Defects planted on purpose, built as all of native/ is: each sanitizer must report its own, or its silence about the rest means nothing.
//
//   canary overflow|freed|undefined      under -DDIRFD_ASAN=ON
//   canary race                          under -DDIRFD_TSAN=ON: two threads of the engine, one counter, no lock

#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>

#include "engine/thread.h"

using namespace dfd;

namespace {

// Not known to the compiler, so that it can neither warn nor leave the defect out.
volatile int one = 1;

void read_beyond_the_end() {
  auto bytes = std::make_unique<char[]>(8);
  std::memset(bytes.get(), 0, 8);
  std::printf("%d\n", bytes[static_cast<size_t>(7 + one)]);
}

void read_what_was_freed() {
  auto number = std::make_unique<int>(one);
  int* volatile freed = number.get();
  number.reset();
  std::printf("%d\n", *freed);
}

void overflow_a_signed_number() {
  int most = std::numeric_limits<int>::max();
  std::printf("%d\n", most + one);
}

void count_without_a_lock() {
  int count = 0;
  auto work = [&count] {
    for (int i = 0; i < 1000; i++) count += one;
  };
  Thread first = Thread::start(work).value();
  Thread second = Thread::start(work).value();
  first.join();
  second.join();
  std::printf("%d\n", count);
}

}  // namespace

int main(int, char** arguments) {
  const char* wanted = arguments[1] ? arguments[1] : "";
  if (std::strcmp(wanted, "overflow") == 0) read_beyond_the_end();
  if (std::strcmp(wanted, "freed") == 0) read_what_was_freed();
  if (std::strcmp(wanted, "undefined") == 0) overflow_a_signed_number();
  if (std::strcmp(wanted, "race") == 0) count_without_a_lock();
}
