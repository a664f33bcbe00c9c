// The packed form in which entries cross into JavaScript: one little-endian buffer of fixed records, then a heap of
// name bytes. Workers fill it off the JS thread; lib/native/layout.ts reads it. Both sides hold the version and every
// offset, and compare them when the addon loads, so a mismatch cannot misread memory.
//
//   BatchHeader | EntryRecord × entries | DirectoryRecord × directories | heap
//
// An entry's path is its directory's path, '/', its name; the directory that was asked for has the empty path.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>

#include "sys/stat.h"

namespace dfd {

inline constexpr uint32_t kLayoutVersion = 2;

// All of struct statx that callers use. Seconds are signed: times before 1970 are ordinary.
struct StatRecord {
  uint64_t ino;
  uint64_t size;
  uint64_t blocks;  // of 512 bytes
  uint64_t dev;     // makedev(3) of the file system
  uint64_t rdev;    // makedev(3) of a device node
  uint64_t mount_id;
  uint64_t attributes;  // STATX_ATTR_*
  int64_t atime_s;
  int64_t mtime_s;
  int64_t ctime_s;
  int64_t btime_s;
  uint32_t atime_ns;
  uint32_t mtime_ns;
  uint32_t ctime_ns;
  uint32_t btime_ns;
  uint32_t mode;  // type and permissions
  uint32_t uid;
  uint32_t gid;
  uint32_t nlink;
  uint32_t blksize;
  uint32_t mask;  // STATX_* fields that the file system filled
};
static_assert(sizeof(StatRecord) == 128 && alignof(StatRecord) == 8);

enum class Event : uint8_t {
  kEntry,       // a name and its stat
  kError,       // what went wrong with this name, or with the directory itself where the name is empty
  kLeave,       // all below this directory has been reported (post-order)
  kIgnoreFile,  // the directory's .gitignore: its text stands in place of the name, with its length in stat.size
};

struct EntryRecord {
  StatRecord stat;       // kError: empty, but for the Reason in `mask` and the failed call's flags in `attributes`
  uint32_t name_offset;  // into the heap
  uint16_t name_length;
  Event event;
  uint8_t call;        // kError: which Call
  uint32_t directory;  // index of the DirectoryRecord
  int32_t err;         // kError: errno
};
static_assert(sizeof(EntryRecord) == 144 && alignof(EntryRecord) == 8);

struct DirectoryRecord {
  uint32_t path_offset;  // into the heap
  uint32_t path_length;
  uint32_t depth;  // of the directory's entries: 1 for those of the root
  uint32_t reserved;
};
static_assert(sizeof(DirectoryRecord) == 16);

struct BatchHeader {
  uint32_t version;
  uint32_t entries;
  uint32_t directories;
  uint32_t heap_offset;
  uint32_t heap_length;
  uint32_t ascii;    // 1: every heap byte is below 0x80, so byte offsets are string offsets
  uint32_t special;  // records whose event is not kEntry
  uint32_t reserved;
};
static_assert(sizeof(BatchHeader) == 32);

StatRecord to_record(const struct statx& stx);

// Bytes that are there: holes are not.
inline uint64_t content_bytes(const StatRecord& stat) {
  return stat.blocks < stat.size / 512 ? stat.blocks * 512 : stat.size;
}

// As sys::identity of the statx that the record came from.
sys::Identity identity(const StatRecord& stat);

}  // namespace dfd
