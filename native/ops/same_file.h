// Is this the very file that was seen before? Its inode number alone does not tell: ext4 gives the number of a removed file to the next one
// that is made.
//
//   told apart        another file under the name, whatever its inode number, by the time of its birth
//   not told apart    where the file system keeps no birth times (ext4 with inodes of 128 bytes, many a FUSE), or on an overlay, whose
//                     copy-up gives a file a new birth: a file with the number of the one before it. And one born within the same tick of
//                     the kernel's clock, 1 to 10 ms: file systems take the birth from that clock.
//
// The time of the last change (ctime) cannot stand in for the birth: a write, a chmod or a new link to the same file moves it.
#pragma once

#include "sys/fd.h"
#include "sys/stat.h"

namespace dfd {

struct SeenFile {
  sys::Identity identity;
  int64_t birth = 0;  // sys::birth
};

// Reason::kChanged where the descriptor is another file's.
Status require_same_file(Dirfd fd, const SeenFile& seen);

}  // namespace dfd
