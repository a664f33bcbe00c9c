// A file that is complete before it has its name. O_TMPFILE gives one without any name; where the file system knows no
// such thing, one with a random name stands in, which goes when the last handle does.
#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "ops/resolve.h"
#include "sys/fd.h"
#include "sys/stat.h"

namespace dfd {

// The random name of a temporary file that has to have one. Destroying it removes the name, unless the file has got its
// real one; what else may stand there by then is left alone. Any thread.
class TemporaryName {
 public:
  TemporaryName(SharedFd directory, std::string name, sys::Identity identity)
      : directory_(std::move(directory)), name_(std::move(name)), identity_(identity) {}
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;
  ~TemporaryName();

  // The first time by renaming; later, when the random name is gone, by a further link.
  Status link_into(Dirfd file, const Place& place, bool replace);

  // By renaming, without a look at the outcome: others may replace it in their turn at any moment.
  Status move_to(const Place& place, bool replace);

 private:
  Status rename_to(const Place& place, bool replace);

  std::mutex mutex_;
  SharedFd directory_;  // shared with its handle, so that closing that one first does no harm
  std::string name_;    // empty once the file has its real name
  sys::Identity identity_;
};

struct TemporaryFile {
  UniqueFd fd;
  std::shared_ptr<TemporaryName> name;  // null: the file has none
};

// Readable and writable, in the file system of `directory`. The mode is less the umask.
Result<TemporaryFile> open_temporary(const SharedFd& directory, mode_t mode);

// Gives an open file a name. With `replace`, by a link under a random name that is then renamed over whatever is there,
// because link(2) replaces nothing: readers see the old file or the new one.
Status link_file_into(Dirfd file, const Place& place, bool replace);

// The first half of open_temporary: O_TMPFILE, and whether its refusal means that a name is needed.
Result<UniqueFd> open_nameless(Dirfd directory, mode_t mode);
bool lacks_nameless_files(int err);

// The prefix and 128 random bits in hexadecimal: nobody can plant anything under a name that nobody can guess.
Result<std::string> random_name(std::string_view prefix = ".dirfd-");

}  // namespace dfd
