// One entry that is not a directory, from a held source directory into a held destination directory.
//
// Where it is made depends on who else may be there. A directory that this copy made is still 0700 and ours alone: entries are made in it
// under their own names, with their final mode. Into a directory that was there before, they are made in a private staging directory
// and renamed into place when complete, so nobody sees, plants or swaps anything half done; see ops/copy_pair.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <optional>
#include <span>

#include "ops/copy_metadata.h"
#include "ops/copy_options.h"
#include "sys/page_buffer.h"
#include "sys/stat.h"

namespace dfd {

// A regular file of which only its name is known: it is stat'ed when it has been opened.
inline StatRecord unstated_file(uint64_t ino) {
  StatRecord stat{};
  stat.ino = ino;
  stat.mode = S_IFREG;
  return stat;
}
inline bool is_stated(const StatRecord& stat) { return stat.mask != 0; }

struct EntryPlace {
  Dirfd source_dir;
  const char* source_name;
  Dirfd destination_dir;  // private to this copy
  const char* destination_name;
  uint64_t source_dev;
  uint64_t destination_dev;
  bool resumes =
      false;  // a file may be there, whose bytes are gone on from as far as they are the source's; cut off, it stays
  bool leaves_large = false;  // a large file is not copied
};

// Bytes. The copying of a file of this size takes long beside a task of its own.
inline constexpr uint64_t kLargeFile = 16 << 20;

// What new files in the destination directory get, learned once.
struct NewFiles {
  bool umask_is_zero = false;  // the mode given to open(2) is the mode the file has
  bool inherits_acl = false;   // the directory has a default ACL
  std::optional<Owner> owner;  // unknown until the first file shows it
};

struct EarlyFile;  // ops/read_ahead.h

class EntryCopier {
 public:
  EntryCopier(CopyRun& run, const Stop& stop, NewFiles& new_files, std::span<std::byte> buffer)
      : run_(run), stop_(stop), new_files_(new_files), buffer_(buffer) {}

  enum class Copied : uint8_t {
    kDone,
    kOtherNames,  // an unstated file that has several names: nothing was done, who is first has to be decided elsewhere
    kLeft,        // a large file, and nothing was done
  };

  // `stat` is the listing's; where the entry has changed since, it is brought up to date. On failure nothing is left behind at the
  // destination name. `early`: what was read of it ahead of its turn, or null.
  Result<Copied> copy(const EntryPlace& place, StatRecord& stat, Losses& losses, const EarlyFile* early = nullptr);

  // Of the last file: all that it is to have, where some of them would keep it from getting its name; else 0.
  uint32_t flags_for_later() const { return flags_for_later_; }

 private:
  Result<Copied> copy_file(const EntryPlace& place, StatRecord& stat, Losses& losses, const EarlyFile* early);
  Status copy_symlink(const EntryPlace& place, StatRecord& stat, Losses& losses);
  Status copy_special(const EntryPlace& place, const StatRecord& stat, Losses& losses);

  // The whole content, where the file is small, has no holes and was left alone while it was read; else nothing. `stat` is then what it was.
  using Content = std::optional<std::span<const std::byte>>;
  Result<Content> look(Dirfd source, const EntryPlace& place, StatRecord& stat);
  Result<Content> look_early(const EarlyFile& early, StatRecord& stat);
  Result<Content> look_first(Dirfd source, const EntryPlace& place, StatRecord& stat);
  Result<size_t> read_small(Dirfd source, uint64_t size);
  bool fits(const StatRecord& stat) const;
  Result<UniqueFd> open_destination(const EntryPlace& place, uint32_t mode);
  Result<uint64_t> keep_verified(Dirfd source, Dirfd destination, const StatRecord& stat);
  Status fill(const EntryPlace& place, Dirfd source, Dirfd destination, StatRecord& stat);
  Status read_back(Dirfd source, Dirfd destination, const Content& whole, const StatRecord& stat);
  std::span<std::byte> second_buffer();
  Status finish_node(const EntryPlace& place, const StatRecord& stat, bool mode_is_final, Losses& losses);
  void learn_owner(Dirfd file);
  void prepare_flags(Dirfd source, Dirfd destination);

  CopyRun& run_;
  const Stop& stop_;
  NewFiles& new_files_;
  std::span<std::byte> buffer_;
  uint32_t flags_for_later_ = 0;
  sys::PageBuffer second_;
};

// What is read of a file whose size is not known: most files whole, and little in vain where it is a large one.
inline constexpr size_t kFirstRead = 64 * 1024;

// Enough for nearly every file in one read, and small enough to stay in the cache between read and write.
inline constexpr size_t kCopyBuffer = 256 * 1024;

}  // namespace dfd
