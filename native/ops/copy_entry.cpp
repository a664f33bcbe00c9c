#include "ops/copy_entry.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "ops/batch.h"
#include "ops/copy_data.h"
#include "sys/data.h"
#include "sys/directory.h"
#include "sys/open.h"

namespace dfd {

namespace {

// How often a file may change under the copy before it is called torn.
constexpr int kTornLimit = 4;

// How often a name may come to stand for another file between listing and opening.
constexpr int kSwapLimit = 4;

constexpr uint32_t kPermissions = 0777;

bool same_file(const struct stat& now, const StatRecord& then) {
  return now.st_dev == then.dev && now.st_ino == then.ino;
}

// The file has not changed since `then`: ctime moves with every change of content, mode, owner or xattrs, and cannot be set back.
bool unchanged(const struct stat& now, const StatRecord& then) {
  return static_cast<uint64_t>(now.st_size) == then.size && now.st_mtim.tv_sec == then.mtime_s &&
         static_cast<uint32_t>(now.st_mtim.tv_nsec) == then.mtime_ns && now.st_ctim.tv_sec == then.ctime_s &&
         static_cast<uint32_t>(now.st_ctim.tv_nsec) == then.ctime_ns;
}

void update(StatRecord& record, const struct stat& now) {
  record.size = static_cast<uint64_t>(now.st_size);
  record.blocks = static_cast<uint64_t>(now.st_blocks);
  record.mode = now.st_mode;
  record.uid = now.st_uid;
  record.gid = now.st_gid;
  record.nlink = static_cast<uint32_t>(now.st_nlink);
  record.mtime_s = now.st_mtim.tv_sec;
  record.mtime_ns = static_cast<uint32_t>(now.st_mtim.tv_nsec);
  record.ctime_s = now.st_ctim.tv_sec;
  record.ctime_ns = static_cast<uint32_t>(now.st_ctim.tv_nsec);
}

SysError changed(Call call) { return failure_because(Reason::kChanged, call, ESTALE); }

// Failures are about the source unless they say otherwise.
SysError at_destination(const SysError& error) { return error.about(Subject::kSecondPath); }

// Takes back a name that this copy has made and could not complete.
class Unfinished {
 public:
  Unfinished(Dirfd dir, const char* name) : dir_(dir), name_(name) {}
  ~Unfinished() {
    if (name_) (void)sys::unlinkat(dir_, name_);
  }
  void keep() { name_ = nullptr; }

 private:
  Dirfd dir_;
  const char* name_;
};

}  // namespace

Status EntryCopier::copy(const EntryPlace& place, StatRecord& stat, Losses& losses) {
  for (int attempt = 1;; attempt++) {
    Status status = S_ISREG(stat.mode)   ? copy_file(place, stat, losses)
                    : S_ISLNK(stat.mode) ? copy_symlink(place, stat, losses)
                                         : copy_special(place, stat, losses);
    if (status || status.error().reason != Reason::kChanged || attempt == kSwapLimit) return status;
    // Another file has taken the name, as when an editor saves: copy that one, if it is of the same kind.
    auto now = sys::statx(place.source_dir, place.source_name);
    if (!now) return now.error();
    if ((now->stx_mode & S_IFMT) != (stat.mode & S_IFMT)) return status;
    stat = to_record(*now);
  }
}

// The common case, 9 calls: openat · pread(size + 1), a short answer is the end · fstat: still the file that was listed · flistxattr ·
// openat O_EXCL · pwrite · futimens · close · close.
Status EntryCopier::copy_file(const EntryPlace& place, StatRecord& stat, Losses& losses) {
  // O_NONBLOCK: should a FIFO have taken the name, neither this open waits nor anything is read from it, because pread(2) refuses what
  // has no position.
  auto source = sys::openat(place.source_dir, place.source_name, O_RDONLY | O_NONBLOCK);
  if (!source) return source.err() == ELOOP ? Status(changed(Call::kOpenat)) : Status(source.error());

  std::span<const std::byte> whole;
  bool is_small =
      stat.size < buffer_.size() && !may_have_holes(stat.size, stat.blocks) && run_.options.sparse != Choice::kAlways;
  bool may_clone = run_.options.reflink != Choice::kNever &&
                   !(run_.options.reflink == Choice::kAuto &&
                     run_.refusals.refused(Refusals::Way::kFiclone, place.source_dev, place.destination_dev));
  bool have_whole = is_small && !may_clone;
  if (have_whole) {
    auto length = read_small(source->get(), stat.size);
    auto now = sys::fstat(source->get());
    if (!now) return now.error();
    if (!S_ISREG(now->st_mode) || !same_file(*now, stat)) return changed(Call::kOpenat);
    if (!length) return length.error();
    have_whole = unchanged(*now, stat) && *length == stat.size;
    if (have_whole) whole = std::span<const std::byte>(buffer_).first(*length);
    update(stat, *now);
  } else {
    auto now = sys::fstat(source->get());
    if (!now) return now.error();
    if (!S_ISREG(now->st_mode) || !same_file(*now, stat)) return changed(Call::kOpenat);
    update(stat, *now);
  }

  auto xattrs = list_xattrs({.dir = source->get()}, run_.options);
  if (!xattrs) {
    losses.add(Aspect::kXattr, xattrs.error());
    xattrs = std::vector<std::string>{};
  }
  // The final mode at once where nothing is left to do that needs a writable one, nor anything that it would be too early for.
  uint32_t mode = stat.mode & 07777;
  bool final_mode =
      new_files_.umask_is_zero && !new_files_.inherits_acl && xattrs->empty() && (mode & ~kPermissions) == 0;
  auto destination =
      sys::openat(place.destination_dir, place.destination_name, O_WRONLY | O_CREAT | O_EXCL, final_mode ? mode : 0600);
  if (!destination) return at_destination(destination.error());
  Unfinished unfinished(place.destination_dir, place.destination_name);
  if (!new_files_.owner) learn_owner(destination->get());

  if (have_whole) {
    if (auto status = write_all(destination->get(), whole, 0); !status) return at_destination(status.error());
    run_.job->count_bytes(whole.size());
  } else if (auto status = fill(place, source->get(), destination->get(), stat); !status) {
    return status;
  }
  if ((stat.mode & 07777) != mode) final_mode = false;  // changed while it was copied
  copy_metadata({.source = {.dir = source->get()},
                 .destination = {.dir = destination->get()},
                 .wanted = stat,
                 .xattrs = *xattrs,
                 .owner = new_files_.owner,
                 .mode = final_mode ? std::optional(mode) : std::nullopt,
                 .has_xattrs = new_files_.inherits_acl},
                run_.options, losses);
  if (run_.options.fsync_each) {
    if (auto status = sys::fsync(destination->get()); !status) losses.add(Aspect::kDurability, status.error());
  }
  // Network file systems tell of a full disk only now.
  if (auto status = destination->close(); !status) return at_destination(status.error());
  unfinished.keep();
  return success();
}

// The whole file into the buffer, one byte more asked for than it should have.
Result<size_t> EntryCopier::read_small(Dirfd source, uint64_t size) {
  size_t have = 0;
  for (;;) {
    auto got = sys::pread(source, buffer_.subspan(have, size + 1 - have), static_cast<int64_t>(have));
    if (!got) return got;
    have += *got;
    // A short answer of a regular file is its end; more than the size is a change, which stat will confirm.
    if (*got == 0 || have >= size) return have;
  }
}

// Copies until the file was the same before and after, with `stat` what it was then.
Status EntryCopier::fill(const EntryPlace& place, Dirfd source, Dirfd destination, StatRecord& stat) {
  for (int attempt = 1;; attempt++) {
    DataTask task{.source = source,
                  .destination = destination,
                  .size = stat.size,
                  .blocks = stat.blocks,
                  .source_dev = place.source_dev,
                  .destination_dev = place.destination_dev,
                  .reflink = run_.options.reflink,
                  .sparse = run_.options.sparse,
                  .buffer = buffer_};
    auto copied = copy_data(task, run_.refusals, stop_, *run_.job);
    if (!copied) return copied.error().call == Call::kPread ? copied.error() : at_destination(copied.error());
    auto now = sys::fstat(source);
    if (!now) return now.error();
    if (unchanged(*now, stat)) return success();
    if (attempt == kTornLimit) return failure_because(Reason::kTorn, Call::kRead, EBUSY);
    update(stat, *now);
    if (auto status = sys::ftruncate(destination, 0); !status) return at_destination(status.error());
  }
}

Status EntryCopier::copy_symlink(const EntryPlace& place, StatRecord& stat, Losses& losses) {
  auto target = sys::readlinkat(place.source_dir, place.source_name);
  if (!target) return target.err() == EINVAL ? Status(changed(Call::kReadlinkat)) : Status(target.error());
  // A link cannot be rewritten, only replaced: another length is another link. Pseudo file systems say 0.
  if (stat.size != 0 && target->size() != stat.size) return changed(Call::kReadlinkat);
  auto status = sys::symlinkat(target->c_str(), place.destination_dir, place.destination_name);
  if (!status) return at_destination(status.error());
  return finish_node(place, stat, true, losses);
}

Status EntryCopier::copy_special(const EntryPlace& place, const StatRecord& stat, Losses& losses) {
  bool final_mode = new_files_.umask_is_zero && !new_files_.inherits_acl && (stat.mode & 07777 & ~kPermissions) == 0;
  mode_t mode = (stat.mode & S_IFMT) | (final_mode ? stat.mode & kPermissions : 0600);
  dev_t device = S_ISCHR(stat.mode) || S_ISBLK(stat.mode) ? stat.rdev : 0;
  auto status = sys::mknodat(place.destination_dir, place.destination_name, mode, device);
  if (!status) return at_destination(status.error());
  return finish_node(place, stat, final_mode, losses);
}

// Metadata by name, which nobody else can touch: the destination directory is private.
Status EntryCopier::finish_node(const EntryPlace& place, const StatRecord& stat, bool mode_is_final, Losses& losses) {
  NodeRef source{.dir = place.source_dir, .name = place.source_name};
  NodeRef destination{.dir = place.destination_dir, .name = place.destination_name};
  auto xattrs = list_xattrs(source, run_.options);
  if (!xattrs) {
    losses.add(Aspect::kXattr, xattrs.error());
    xattrs = std::vector<std::string>{};
  }
  if (!new_files_.owner) {
    if (auto made = sys::statx(destination.dir, destination.name))
      new_files_.owner = Owner{made->stx_uid, made->stx_gid};
  }
  copy_metadata({.source = source,
                 .destination = destination,
                 .wanted = stat,
                 .xattrs = *xattrs,
                 .owner = new_files_.owner,
                 .mode = mode_is_final ? std::optional(stat.mode & 07777) : std::nullopt,
                 .has_xattrs = new_files_.inherits_acl && !S_ISLNK(stat.mode)},
                run_.options, losses);
  return success();
}

void EntryCopier::learn_owner(Dirfd file) {
  if (auto made = sys::fstat(file)) new_files_.owner = Owner{made->st_uid, made->st_gid};
}

}  // namespace dfd
