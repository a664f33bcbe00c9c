// Everything a file is besides its bytes. The order is the point: owner, then ACLs and xattrs, then the mode with its special bits, then
// capabilities, then times. chown clears setuid and capabilities; a setuid bit set before the owner is right would be somebody else's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ops/changes.h"
#include "ops/copy_options.h"
#include "ops/record.h"

namespace dfd {

// The xattrs of one file, by name, values read on demand from an open descriptor or by (directory, name).
struct NodeRef {
  Dirfd dir = -1;              // of the file itself where `name` is null
  const char* name = nullptr;  // one name in `dir`, never followed
};

// The names of the attributes that the options ask for; empty where there are none, or the file system has no xattrs.
Result<std::vector<std::string>> list_xattrs(NodeRef node, const CopyOptions& options);

// One value; ENODATA where there is no such attribute.
Result<std::string> read_xattr(NodeRef node, const std::string& attribute);

// The mode that a copy has: where ACLs are not kept, without what only the ACL's mask has put there (ops/acl_mode.h); then by the rules.
Result<uint32_t> kept_mode(NodeRef source, const StatRecord& stat, const CopyOptions& options);

// The source's stat, as a copy of it would have it.
Result<StatRecord> as_kept(NodeRef source, const StatRecord& stat, const CopyOptions& options);

// One value, as a copy would have it.
Result<std::string> kept_value(NodeRef source, const std::string& attribute, const StatRecord& stat,
                               const CopyOptions& options);

// Attributes and ACLs that are not the same on both sides.
Result<Changes> xattr_changes(NodeRef source, const StatRecord& wanted, NodeRef destination,
                              const CopyOptions& options);

// Where problems of one entry go.
class Losses {
 public:
  Losses(std::vector<CopyProblem>& into, uint32_t entry) : into_(into), entry_(entry) {}
  void add(Aspect aspect, const SysError& error, std::string detail = {}) {
    into_.push_back({.entry = entry_, .aspect = aspect, .error = error, .detail = std::move(detail)});
  }

 private:
  std::vector<CopyProblem>& into_;
  uint32_t entry_;
};

struct MetadataTask {
  NodeRef source;
  NodeRef destination;
  const StatRecord& wanted;
  const std::vector<std::string>& xattrs;  // the source's
  // What the destination has now. Unknown owner or mode: set in any case.
  std::optional<Owner> owner;
  std::optional<uint32_t> mode;
  bool has_xattrs = false;  // the destination may hold attributes that the source lacks, inherited or older
  TimeGrain* grain =
      nullptr;       // what the destination's file system makes of times, learned once a run; null: not looked at
  uint64_t dev = 0;  // the destination's
  bool shuts_later =
      false;  // the file is yet to be renamed or linked: flags that would prevent it are left to the caller
};

// Applies all of it; what the kernel refuses goes to `losses` and the rest goes on. Never grants more than the source did.
void copy_metadata(const MetadataTask& task, const CopyOptions& options, Losses& losses);

}  // namespace dfd
