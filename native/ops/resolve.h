// From a relative path to a descriptor, without ever leaving the root. Two resolvers with the same answers: openat2(2),
// where the kernel has it, and a walk of one component at a time.
//
//   scope          a symlink on the way        a symlink that points outside or is absolute    ".." in a link's target
//   kNoSymlinks    ELOOP                       ELOOP                                           –
//   kBeneath       followed                    EXDEV                                           EXDEV above the root
//   kInRoot        followed                    "/" is the root                                 stays at the root
//
// Magic links (/proc/self/exe and the like) are ELOOP in all three. Callers have refused "..", absolute and empty paths
// already.
#pragma once

#include <string>
#include <string_view>

#include "sys/fd.h"

namespace dfd {

enum class Scope : uint8_t { kNoSymlinks, kBeneath, kInRoot };

struct Policy {
  Scope scope = Scope::kNoSymlinks;
  bool cross_mounts = true;  // false: EXDEV at a mount point (RESOLVE_NO_XDEV)
};

enum class FinalLink : uint8_t { kKeep, kFollow };

// A held directory and the one name in it that a verb acts on.
class Place {
 public:
  Place(Dirfd root, std::string name, bool must_be_directory)
      : borrowed_(root), name_(std::move(name)), must_be_directory_(must_be_directory) {}
  Place(UniqueFd parent, std::string name, bool must_be_directory)
      : owned_(std::move(parent)), name_(std::move(name)), must_be_directory_(must_be_directory) {}

  Dirfd dir() const { return owned_ ? owned_.get() : borrowed_; }
  const char* name() const { return name_.c_str(); }
  bool must_be_directory() const { return must_be_directory_; }  // the caller wrote a trailing slash

 private:
  UniqueFd owned_;
  Dirfd borrowed_ = -1;
  std::string name_;
  bool must_be_directory_ = false;
};

// The parent of the path's last component, and that component. A path of one component costs no call. With cross_mounts
// off, a last component that is itself a mount point is refused as well.
Result<Place> resolve_parent(Dirfd root, std::string_view path, Policy policy);

// An O_PATH descriptor of the path; with kKeep a symlink in the last place is returned as itself.
Result<UniqueFd> resolve_path(Dirfd root, std::string_view path, Policy policy, FinalLink final_link);

// A readable descriptor of the directory: a description of its own, so that nobody shares its position.
Result<UniqueFd> resolve_directory(Dirfd root, std::string_view path, Policy policy, FinalLink final_link);

// What a slash after the last name asks for. The kernel is never shown that slash, because with it a symlink is followed
// whatever the flags say; so the verbs that act on something existing ask here, and those that make something other
// than a directory refuse there.
Status require_directory_if_asked(const Place& place, Call call);
Status refuse_directory_form(const Place& place, Call call);

// A path without empty and "." components, and whether it asks for a directory ("a/", "a/."). "." itself stays.
struct NormalPath {
  std::string text;
  bool must_be_directory = false;
};
NormalPath normalize(std::string_view path);

}  // namespace dfd
