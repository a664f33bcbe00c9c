#include "ops/sync_metadata.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "ops/batch.h"
#include "ops/open_regular.h"
#include "sys/directory.h"
#include "sys/stat.h"

namespace dfd {

namespace {

// Something to put fsetxattr, fchmod and futimens on: nothing is ever held but the file that was looked at.
Result<UniqueFd> open_same(Dirfd dir, const char* name, const StatRecord& expected, const Stop& stop) {
  auto fd = open_regular(dir, name, O_RDONLY, stop);
  // The owner may lack read permission and still be allowed to write.
  if (fd.err() == EACCES) fd = open_regular(dir, name, O_WRONLY, stop);
  if (!fd) return fd;
  auto st = sys::fstat(fd->get());
  if (!st) return st.error();
  if (!S_ISREG(st->st_mode) || st->st_dev != expected.dev || st->st_ino != expected.ino)
    return failure_because(Reason::kChanged, Call::kOpenat, ESTALE);
  return fd;
}

NodeRef at_source(const EntryNames& names) { return {.dir = names.source_dir, .name = names.source_name}; }
NodeRef at_destination(const EntryNames& names) {
  return {.dir = names.destination_dir, .name = names.destination_name};
}

// All that stat tells and that is to be kept.
bool same_stat(const StatRecord& wanted, const StatRecord& present, const CopyOptions& options) {
  bool same_owner = !options.owner || (present.uid == wanted.uid && present.gid == wanted.gid);
  bool same_times = !options.times || (present.mtime_s == wanted.mtime_s && present.mtime_ns == wanted.mtime_ns);
  return same_owner && same_times && present.mode == wanted.mode;
}

// The source's stat, as a copy of it would have it.
Result<StatRecord> as_kept(NodeRef source, const StatRecord& wanted, const CopyOptions& options) {
  auto mode = kept_mode(source, wanted.mode, options);
  if (!mode) return mode.error();
  StatRecord kept = wanted;
  kept.mode = *mode;
  return kept;
}

Result<bool> same_target(const EntryNames& names) {
  auto wanted = sys::readlinkat(names.source_dir, names.source_name);
  if (!wanted) return wanted.error();
  auto target = sys::readlinkat(names.destination_dir, names.destination_name);
  if (!target) return target.error().about(Subject::kSecondPath);
  return *wanted == *target;
}

}  // namespace

bool same_content_by_stat(const StatRecord& wanted, const StatRecord& present) {
  return wanted.size == present.size && wanted.mtime_s == present.mtime_s && wanted.mtime_ns == present.mtime_ns;
}

Result<bool> same_entry(const EntryNames& names, const StatRecord& wanted, const StatRecord& present,
                        const CopyOptions& options) {
  auto kept = as_kept(at_source(names), wanted, options);
  if (!kept) return kept.error();
  if (present.rdev != wanted.rdev || !same_stat(*kept, present, options)) return false;
  if (S_ISLNK(wanted.mode)) {
    auto same = same_target(names);
    if (!same || !*same) return same;
  }
  return same_xattrs(at_source(names), at_destination(names), options);
}

Result<bool> same_held(Dirfd source, const StatRecord& wanted, Dirfd destination, const StatRecord& present,
                       const CopyOptions& options) {
  auto kept = as_kept({.dir = source}, wanted, options);
  if (!kept) return kept.error();
  if (!same_stat(*kept, present, options)) return false;
  return same_xattrs({.dir = source}, {.dir = destination}, options);
}

Result<Synced> sync_metadata(const EntryNames& names, const StatRecord& stat, const CopyOptions& options,
                             const Stop& stop, Losses& losses) {
  auto present = sys::statx(names.destination_dir, names.destination_name);
  if (!present) return present.error().about(Subject::kSecondPath);
  StatRecord now = to_record(*present);
  auto same = same_entry(names, stat, now, options);
  bool by_name = same || same.error().reason != Reason::kUnsupported;
  if (by_name) {
    if (!same) return same.error();
    if (*same) return Synced::kSame;
  }
  auto source = open_same(names.source_dir, names.source_name, stat, stop);
  if (!source) return source.error();
  auto destination = open_same(names.destination_dir, names.destination_name, now, stop);
  if (!destination) return destination.error().about(Subject::kSecondPath);
  if (!by_name) {
    same = same_held(source->get(), stat, destination->get(), now, options);
    if (!same) return same.error();
    if (*same) return Synced::kSame;
  }
  // A hard link to somebody else's file, planted here, must not pass on the source's owner and mode to that file.
  if (now.nlink > 1) return Synced::kShared;
  auto xattrs = list_xattrs({.dir = source->get()}, options);
  if (!xattrs) return xattrs.error();
  copy_metadata({.source = {.dir = source->get()},
                 .destination = {.dir = destination->get()},
                 .wanted = stat,
                 .xattrs = *xattrs,
                 .owner = Owner{now.uid, now.gid},
                 .mode = now.mode & 07777,
                 .has_xattrs = true},
                options, losses);
  return Synced::kChanged;
}

Result<bool> same_node(const EntryNames& names, const StatRecord& stat, const CopyOptions& options, Losses& losses) {
  auto present = sys::statx(names.destination_dir, names.destination_name);
  if (!present) return present.error().about(Subject::kSecondPath);
  auto same = same_entry(names, stat, to_record(*present), options);
  if (same || same.error().reason != Reason::kUnsupported) return same;
  // An old kernel without /proc: what cannot be read by name cannot be copied either, and is told as it is then.
  losses.add(Aspect::kXattr, same.error());
  return true;
}

}  // namespace dfd
