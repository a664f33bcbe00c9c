// Proof of which two directories, or files, are meant: one of the source and its copy.
#pragma once

#include <cstdint>

#include "sys/stat.h"

namespace dfd {

// Zero: not known, as for the roots, which are held.
struct Ticket {
  sys::Identity source{};
  sys::Identity destination{};
  // Of a file that hard links are to be made to, in nanoseconds: its inode number may be given away and taken again.
  int64_t birth = 0;
};
static_assert(sizeof(Ticket) == 40);

}  // namespace dfd
