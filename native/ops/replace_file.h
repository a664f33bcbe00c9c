// A file replaced whole or not at all. At every moment, also after a crash, the name leads to the old file or to the new one.
//
//   look        what stands under the name; whatever is no regular file is refused
//   draft       without a name (ops/draft.h), 0600 until it is complete where it takes an old file's place
//   content, then owner, ACL, xattrs, mode of the old file
//   fsync       of the draft: the name must never lead to content that a crash would take away
//   look again  where the old file was to be a certain one
//   backup      a further link to the old file; on the device before the change
//   name        link(2) where there was nothing, else rename(2) over the old file
//   fsync       of the directory, shared with whoever else changes it at that time (SyncDirectory)
//
// Nothing of the old file changes before the rename. A failure before it leaves no trace but the backup, where its name is one that other
// writers use too: theirs may have succeeded, and the backup be theirs by now.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ops/copy_options.h"
#include "ops/draft.h"
#include "ops/record.h"

namespace dfd {

enum class Durability : uint8_t {
  kNone,  // whole or not at all for readers; a crash may leave either file, or an empty one
  kData,  // the new content is on the device before it gets the name
  kFull,  // and so is the name before the call returns
};

enum class Keep : uint8_t {
  kNothing,
  kPossible,  // what is lost is told
  kAll,       // or fail
};

// What must stand under the name; anything else is Reason::kChanged.
struct ExpectedFile {
  sys::Identity identity;
  uint64_t size = 0;
  int64_t ctime_s = 0;
  uint32_t ctime_ns = 0;
};

struct ReplaceOptions {
  Durability durability = Durability::kFull;
  Keep keep = Keep::kAll;
  bool create_only = false;        // EEXIST where there is anything
  bool replace_symlink = false;    // else ELOOP
  bool refuse_hard_links = false;  // EMLINK where the old file has other names
  std::optional<mode_t> mode;      // exactly, whatever the umask or the old file say
  std::optional<ExpectedFile> expected;
  std::string backup;           // a path from the file's directory; empty: none
  bool is_backup_ours = false;  // nobody else makes a backup of that name
};

struct Replaced {
  StatRecord stat{};  // of the new file
  bool replaced = false;
  std::vector<CopyProblem> lost;
};

// The directory in which a file lies, and its name there.
struct FilePlace {
  SharedFd directory;
  std::string name;
};

// The place of a path's last component; with kFollow, of the file that a symlink there leads to.
Result<FilePlace> pin_place(const SharedFd& root, std::string_view path, Policy policy, FinalLink final_link);

using SyncDirectory = std::function<Status(Dirfd)>;

// A draft for content that comes in pieces, with the mode that replace_by_draft would give it first.
Result<TemporaryFile> begin_draft(const FilePlace& place, const ReplaceOptions& options);

Result<Replaced> replace_file(const FilePlace& place, std::span<const std::byte> content, const ReplaceOptions& options,
                              const SyncDirectory& sync);

// The same with a draft that is written already; it may be tried again where it fails before the rename.
Result<Replaced> replace_by_draft(const FilePlace& place, Dirfd draft, const std::shared_ptr<TemporaryName>& name,
                                  const ReplaceOptions& options, const SyncDirectory& sync);

}  // namespace dfd
