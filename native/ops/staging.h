// Private directories inside a destination that others may write to. What is made in one can be named, chowned and completed without
// anyone seeing, planting or swapping; then it is renamed into place.
//
//   name       ".dirfd-" and 32 hexadecimal digits
//   owner      this user, mode 0700, without the ACL and group that the parent would hand down (a "tree" gets those through it)
//   alive      whoever works in it holds a flock(2) on it, which ends with the process, however that ends
//   content    numbered entries, or one "tree": nothing else is ever taken for a staging directory's
//
// So what a killed copy has left is told without a clock and without process ids: a directory of this name, owner, mode and content
// that nobody has locked. Where directories cannot be locked (NFS), nothing is ever taken for abandoned.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ops/job.h"
#include "ops/root_check.h"
#include "sys/fd.h"

namespace dfd {

bool is_staging_name(std::string_view name);

class Staging {
 public:
  Staging() = default;
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging();

  // Under a random name.
  Status make(Dirfd parent);
  // Under a name of the caller's, or the one of that name that a killed copy has left. EWOULDBLOCK: a living one has it.
  Status make_or_adopt(Dirfd parent, std::string name);
  bool made() const { return static_cast<bool>(fd_); }
  // The destructor does the same, and tells nobody where it fails.
  Status remove();
  const std::string& name() const { return name_; }
  Dirfd fd() const { return fd_.get(); }

  // The names staged so far are numbered, so that several may wait at a time.
  std::string next_name() { return std::to_string(next_++); }

 private:
  Status take(Dirfd parent, std::string name, UniqueFd fd);

  Dirfd parent_ = -1;
  std::string name_;
  UniqueFd fd_;
  uint64_t next_ = 0;
};

// Removes a staging directory and all in it, if it is one and nobody works in it; false: it is not, or somebody does.
Result<bool> remove_abandoned(Dirfd parent, const char* name, std::optional<Node> spared, const Stop& stop);

// Takes from a directory, just made, what it has inherited: ACLs, and the set-group-id bit with `keep_group` off. Its mode is 0700 then.
Status make_private(Dirfd directory, bool keep_group);

}  // namespace dfd
