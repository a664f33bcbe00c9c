// A private directory inside a destination that others may write to. What is made in it can be named, chowned and completed without
// anyone seeing, planting or swapping; then it is renamed into place.
#pragma once

#include <string>

#include "sys/fd.h"

namespace dfd {

class Staging {
 public:
  Staging() = default;
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging();

  // Makes ".dirfd-" and 128 random bits below `parent`, mode 0700, without the ACL and group that the parent would hand down.
  Status make(Dirfd parent);
  bool made() const { return static_cast<bool>(fd_); }
  // The destructor does the same, and tells nobody where it fails.
  Status remove();
  const std::string& name() const { return name_; }
  Dirfd fd() const { return fd_.get(); }

  // The names staged so far are numbered, so that several may wait at a time.
  std::string next_name() { return std::to_string(next_++); }

 private:
  Dirfd parent_ = -1;
  std::string name_;
  UniqueFd fd_;
  uint64_t next_ = 0;
};

// Takes from a directory, just made, what it has inherited: ACLs, and the set-group-id bit with `keep_group` off. Its mode is 0700 then.
Status make_private(Dirfd directory, bool keep_group);

}  // namespace dfd
