// Has a file been left alone while it was read? Told by one look at it afterwards instead of one before and one after.
//
// Every change of content, mode, owner or attributes sets ctime to the kernel's coarse clock, and nothing sets it to anything else:
// utimensat(2) sets atime and mtime alone. So a change made after the moment `before` leaves a ctime that is not earlier than `before`, and a
// file whose ctime is earlier has not been changed since. What could break this, and what is done about it:
//
//   the clock is set back meanwhile     the distance of CLOCK_REALTIME to CLOCK_MONOTONIC tells; less than kSlack is covered by the margin
//   ctime is cut to whole seconds       (ext4 with 128-byte inodes) then it has no nanoseconds, and the margin is two seconds
//   multigrain timestamps (6.13)        are finer than the coarse clock, and never earlier
//   ctime comes from another clock      NFS, CIFS, FUSE, 9p, whatever lies below an overlay: only file systems known to use ours are
//                                       believed (LocalClocks); so are the answers of statfs(2), asked once a device
//   a write has begun before `before`   sets ctime as it begins; a look before and one after do not see it either. The margin makes it likelier
//                                       to be seen here
//   stores to mapped memory             set ctime at the first fault after a write-back, on tmpfs never: the same for two looks
//
// Not earlier means: look twice.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <mutex>
#include <vector>

#include "sys/clock.h"
#include "sys/fd.h"

namespace dfd {

bool is_settled(const struct stat& after_read, const sys::Moment& before, const sys::Moment& after);

// Which devices take their timestamps from this machine's clock; asked once a device in a copy.
class LocalClocks {
 public:
  bool include(uint64_t dev, Dirfd on_it);

 private:
  struct Known {
    uint64_t dev;
    bool local;
  };
  std::mutex mutex_;
  std::vector<Known> known_;
};

}  // namespace dfd
