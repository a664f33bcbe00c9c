// How the descriptors of this process (RLIMIT_NOFILE) are divided, for copies and comparisons: first one thread, then the directories that are held
// to open others from, then further threads.
#pragma once

#include <algorithm>
#include <cstddef>

#include "sys/thread.h"

namespace dfd {

constexpr size_t kDescriptorsOfNode = 28;    // some twenty, and what a program may have open besides
constexpr size_t kDescriptorsPerThread = 6;  // five at a time
constexpr size_t kMostRecentDirectories = 8;

// Of each side; 0 where there are hardly any descriptors (ops/recent_directories.h).
inline size_t recent_directories() {
  const size_t needed = kDescriptorsOfNode + kDescriptorsPerThread;
  const size_t limit = sys::fd_limit();
  return limit > needed ? std::min((limit - needed) / 2, kMostRecentDirectories) : 0;
}

inline size_t affordable_threads() {
  const size_t needed = kDescriptorsOfNode + 2 * recent_directories();
  const size_t limit = sys::fd_limit();
  return limit > needed ? std::max<size_t>((limit - needed) / kDescriptorsPerThread, 1) : 1;
}

}  // namespace dfd
