// Drafts of atomic writes: files that become another file's successor. Where the file system can, a draft has no name until it is complete;
// where it has to have one, the name is ".dirfd-write-" and 128 random bits, and a lock proves that its writer lives.
//
//   writer     exclusive open-file-description lock on the draft, taken before it has a name, or, where it is born with one, before a byte is
//              written; the kernel drops it with the last descriptor, so also after SIGKILL
//   sweep      a shared lock is refused while the writer lives; where it is granted, nobody will ever finish this draft, and its name goes
#pragma once

#include <string_view>

#include "ops/temporary_file.h"

namespace dfd {

inline constexpr std::string_view kDraftPrefix = ".dirfd-write-";

// Readable and writable; the mode is less the umask. `directory` is the one where the draft will get its final name.
Result<TemporaryFile> open_draft(const SharedFd& directory, mode_t mode);

// Gives a nameless draft the name of what it replaces: link(2) replaces nothing, so it gets a draft's name first, which is renamed.
Status rename_over(Dirfd draft, Dirfd directory, const char* name);

// Removes the drafts that no living writer holds from a directory. Those it may not open stay, and so do all on file systems that other
// machines write to, whose locks are not seen here. Reads at most `limit` names; 0: all. The number of drafts removed.
Result<size_t> sweep_drafts(Dirfd directory, size_t limit);

}  // namespace dfd
