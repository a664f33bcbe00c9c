// Files with several names: the first name to come is copied, every later one becomes a hard link to the copy, once that is complete. One table
// for all threads of a copy and for TypeScript; only files with more than one link are in it, and only until all their names have come.
//
//   first claim ──▶ copying ──done()──▶ copied: links are made at once
//                      │
//                      └──failed(): the claim passes on to a name that waits, or lapses
//
// Native code never waits: a name whose first is being copied at the moment is left to TypeScript, which does (lib/copy/hard-links.ts).
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "ops/record.h"
#include "ops/ticket.h"

namespace dfd {

class LinkTable {
 public:
  // The same for all names of a file.
  struct File {
    uint64_t mount = 0;
    uint64_t dev = 0;
    uint64_t ino = 0;
    bool operator==(const File&) const = default;
  };
  static File file_of(const StatRecord& stat) { return {stat.mount_id, stat.dev, stat.ino}; }

  enum class Claimed : uint8_t {
    kFirst,    // the caller is to copy it, and then to say done() or failed()
    kCopied,   // the caller is to make a link to `copy`
    kCopying,  // somebody is at it
  };
  struct Copy {
    std::string path;  // below the destination
    Ticket ticket;
  };
  struct Claim {
    Claimed claimed;
    Copy copy{};
  };
  // What becomes of a name whose first is being copied: it is not counted as come, and claims again; or it waits, until it hears from the first.
  enum class Else : uint8_t { kComesAgain, kWaits };

  // `links`: how many names the file has, those outside of the tree included.
  Claim claim(const File& file, uint32_t links, Else otherwise);

  // Of the one whose claim was the first. True: names wait for it.
  bool done(const File& file, Copy copy);
  // True: it is for one of those that wait to copy it.
  bool failed(const File& file);
  // Nobody waits any more.
  void lapse(const File& file);

 private:
  struct Entry {
    uint32_t missing;  // names that have not come yet
    bool copied = false;
    bool awaited = false;
    int64_t birth = 0;
    sys::Identity destination{};
    std::string path{};
  };
  struct Hash {
    size_t operator()(const File& file) const { return std::hash<uint64_t>()(file.ino ^ (file.dev << 40)); }
  };

  std::mutex mutex_;
  std::unordered_map<File, Entry, Hash> files_;
};

}  // namespace dfd
