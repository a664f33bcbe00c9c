#include "ops/sync_metadata.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "ops/batch.h"
#include "ops/compare_content.h"
#include "ops/copy_data.h"
#include "ops/expected.h"
#include "ops/inode_flags.h"
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

bool same_mtime(const StatRecord& wanted, const StatRecord& present) {
  return wanted.mtime_s == present.mtime_s && wanted.mtime_ns == present.mtime_ns;
}

// In all that stat tells and that is to be kept.
Changes stat_changes(const StatRecord& wanted, const StatRecord& present, const CopyOptions& options) {
  Changes changes;
  changes.add_if(options.owner && present.uid != wanted.uid, Change::kUser);
  changes.add_if(options.owner && present.gid != wanted.gid, Change::kGroup);
  changes.add_if(options.times && !same_mtime(wanted, present), Change::kTimes);
  changes.add_if(present.mode != wanted.mode, Change::kMode);
  changes.add_if(S_ISREG(wanted.mode) && present.size != wanted.size, Change::kSize);
  changes.add_if(present.rdev != wanted.rdev, Change::kContent);
  return changes;
}

// Inode flags and project ids, for which both files have to be open.
Result<Changes> inode_changes_by_name(const EntryNames& names, const StatRecord& wanted, const StatRecord& present,
                                      const CopyOptions& options, const Stop& stop) {
  if (!S_ISREG(wanted.mode) || !(options.flags || options.project_ids)) return Changes{};
  auto source = open_same(names.source_dir, names.source_name, wanted, stop);
  if (!source) return source.error();
  auto destination = open_same(names.destination_dir, names.destination_name, present, stop);
  if (!destination) return destination.error().about(Subject::kSecondPath);
  return inode_changes(source->get(), destination->get(), options);
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
  return wanted.size == present.size && same_mtime(wanted, present);
}

Result<Changes> entry_changes(const EntryNames& names, const StatRecord& wanted, const StatRecord& present,
                              const CopyOptions& options, const Stop& stop) {
  auto kept = as_kept(at_source(names), wanted, options);
  if (!kept) return kept.error();
  Changes changes = stat_changes(*kept, present, options);
  if (S_ISLNK(wanted.mode)) {
    auto same = same_target(names);
    if (!same) return same.error();
    changes.add_if(!*same, Change::kContent);
  }
  auto attributes = xattr_changes(at_source(names), wanted, at_destination(names), options);
  if (!attributes) return attributes;
  changes.add(*attributes);
  auto inode = inode_changes_by_name(names, wanted, present, options, stop);
  if (!inode) return inode;
  changes.add(*inode);
  return changes;
}

Result<Changes> held_changes(Dirfd source, const StatRecord& wanted, Dirfd destination, const StatRecord& present,
                             const CopyOptions& options) {
  auto kept = as_kept({.dir = source}, wanted, options);
  if (!kept) return kept.error();
  Changes changes = stat_changes(*kept, present, options);
  auto attributes = xattr_changes({.dir = source}, wanted, {.dir = destination}, options);
  if (!attributes) return attributes;
  changes.add(*attributes);
  auto inode = inode_changes(source, destination, options);
  if (!inode) return inode;
  changes.add(*inode);
  return changes;
}

Result<bool> same_bytes(const EntryNames& names, const StatRecord& wanted, const StatRecord& present,
                        const Stop& stop) {
  if (wanted.size != present.size) return false;
  auto source = open_same(names.source_dir, names.source_name, wanted, stop);
  if (!source) return source.error();
  auto destination = open_same(names.destination_dir, names.destination_name, present, stop);
  // What may not be read cannot be told to be the same: it is replaced.
  if (!destination)
    return destination.err() == EACCES ? Result<bool>(false) : destination.error().about(Subject::kSecondPath);
  bool holes = may_have_holes(wanted.size, wanted.blocks) || may_have_holes(present.size, present.blocks);
  Job uncounted;  // bytes that are only compared are none that are copied
  auto differs =
      first_difference(source->get(), destination->get(), wanted.size, holes, thread_buffer(), stop, uncounted);
  if (!differs) return differs.error();
  auto after = sys::fstat(source->get());
  if (!after) return after.error();
  bool changed =
      after->st_ctim.tv_sec != wanted.ctime_s || static_cast<uint32_t>(after->st_ctim.tv_nsec) != wanted.ctime_ns;
  return !*differs && !changed;
}

Result<Synced> sync_metadata(const EntryNames& names, const StatRecord& stat, const CopyOptions& options,
                             const Stop& stop, Losses& losses) {
  auto present = sys::statx(names.destination_dir, names.destination_name);
  if (!present) return present.error().about(Subject::kSecondPath);
  StatRecord now = to_record(*present);
  auto changes = entry_changes(names, stat, now, options, stop);
  bool by_name = changes || changes.error().reason != Reason::kUnsupported;
  if (by_name) {
    if (!changes) return changes.error();
    if (!changes->any()) return Synced{};
  }
  auto source = open_same(names.source_dir, names.source_name, stat, stop);
  if (!source) return source.error();
  auto destination = open_same(names.destination_dir, names.destination_name, now, stop);
  if (!destination) return destination.error().about(Subject::kSecondPath);
  if (!by_name) {
    changes = held_changes(source->get(), stat, destination->get(), now, options);
    if (!changes) return changes.error();
    if (!changes->any()) return Synced{};
  }
  // A hard link to somebody else's file, planted here, must not pass on the source's owner and mode to that file.
  if (now.nlink > 1) return Synced{.changes = *changes, .shared = true};
  auto xattrs = list_xattrs({.dir = source->get()}, options);
  if (!xattrs) return xattrs.error();
  if (options.flags) (void)open_up(destination->get());
  copy_metadata({.source = {.dir = source->get()},
                 .destination = {.dir = destination->get()},
                 .wanted = stat,
                 .xattrs = *xattrs,
                 .owner = Owner{now.uid, now.gid},
                 .mode = now.mode & 07777,
                 .has_xattrs = true},
                options, losses);
  return Synced{.changes = *changes};
}

Result<Changes> node_changes(const EntryNames& names, const StatRecord& stat, const CopyOptions& options,
                             const Stop& stop, Losses& losses) {
  auto present = sys::statx(names.destination_dir, names.destination_name);
  if (!present) return present.error().about(Subject::kSecondPath);
  auto changes = entry_changes(names, stat, to_record(*present), options, stop);
  if (changes || changes.error().reason != Reason::kUnsupported) return changes;
  // An old kernel without /proc: what cannot be read by name cannot be copied either, and is told as it is then.
  losses.add(Aspect::kXattr, changes.error());
  return Changes{};
}

}  // namespace dfd
