// What a walk or a copy runs on, as its caller asked for it. The same order as in lib/native/engine.ts.
#pragma once

#include <cstdint>

namespace dfd {

enum class Engine : uint8_t {
  kAuto,     // threads; with rings where those were measured to be faster: docs/engines.md
  kThreads,  // one system call after the other, on each of several threads
  kRing,     // io_uring wherever it has the operation
};

}  // namespace dfd
