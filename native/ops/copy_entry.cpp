#include "ops/copy_entry.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <utility>

#include "ops/batch.h"
#include "ops/compare_content.h"
#include "ops/copy_data.h"
#include "ops/inode_flags.h"
#include "ops/open_regular.h"
#include "ops/read_ahead.h"
#include "ops/settled.h"
#include "sys/clock.h"
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

// For what cannot be opened: still the one that was stat'ed.
bool same_node_since(const struct statx& now, const StatRecord& then) {
  return sys::identity(now) == identity(then) && now.stx_ctime.tv_sec == then.ctime_s &&
         now.stx_ctime.tv_nsec == then.ctime_ns;
}

// The file has not changed since `then`: ctime moves with every change of content, mode, owner or xattrs, and cannot be set back.
bool unchanged(const struct stat& now, const StatRecord& then) {
  return static_cast<uint64_t>(now.st_size) == then.size && now.st_mtim.tv_sec == then.mtime_s &&
         static_cast<uint32_t>(now.st_mtim.tv_nsec) == then.mtime_ns && now.st_ctim.tv_sec == then.ctime_s &&
         static_cast<uint32_t>(now.st_ctim.tv_nsec) == then.ctime_ns;
}

// What is asked of it here.
struct stat to_stat(const struct statx& stx) {
  struct stat st {};
  st.st_dev = makedev(stx.stx_dev_major, stx.stx_dev_minor);
  st.st_ino = stx.stx_ino;
  st.st_mode = stx.stx_mode;
  st.st_nlink = stx.stx_nlink;
  st.st_uid = stx.stx_uid;
  st.st_gid = stx.stx_gid;
  st.st_size = static_cast<off_t>(stx.stx_size);
  st.st_blocks = static_cast<blkcnt_t>(stx.stx_blocks);
  st.st_mtim = {.tv_sec = stx.stx_mtime.tv_sec, .tv_nsec = stx.stx_mtime.tv_nsec};
  st.st_ctim = {.tv_sec = stx.stx_ctime.tv_sec, .tv_nsec = stx.stx_ctime.tv_nsec};
  return st;
}

void update(StatRecord& record, const struct stat& now) {
  record.mask |= STATX_BASIC_STATS;
  record.dev = now.st_dev;
  record.ino = now.st_ino;
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

Result<EntryCopier::Copied> done(const Status& status) {
  if (!status) return status.error();
  return EntryCopier::Copied::kDone;
}

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

Result<EntryCopier::Copied> EntryCopier::copy(const EntryPlace& place, StatRecord& stat, Losses& losses,
                                              const EarlyFile* early) {
  flags_for_later_ = 0;
  for (int attempt = 1;; attempt++) {
    auto copied = S_ISREG(stat.mode)   ? copy_file(place, stat, losses, attempt == 1 ? early : nullptr)
                  : S_ISLNK(stat.mode) ? done(copy_symlink(place, stat, losses))
                                       : done(copy_special(place, stat, losses));
    if (copied || copied.error().reason != Reason::kChanged || attempt == kSwapLimit) return copied;
    // Another file has taken the name, as when an editor saves: copy that one, if it is of the same kind.
    auto now = sys::statx(place.source_dir, place.source_name);
    if (!now) return now.error();
    if ((now->stx_mode & S_IFMT) != (stat.mode & S_IFMT)) return copied;
    stat = to_record(*now);
  }
}

// The common case, 9 calls: openat · pread, a short answer is the end · fstat · flistxattr · openat O_EXCL · pwrite · futimens · close ·
// close. Where the directory was listed with a stat of each entry, that one is the tenth.
Result<EntryCopier::Copied> EntryCopier::copy_file(const EntryPlace& place, StatRecord& stat, Losses& losses,
                                                   const EarlyFile* early) {
  UniqueFd own;
  if (!early) {
    auto opened = open_regular(place.source_dir, place.source_name, O_RDONLY, stop_);
    if (!opened) return opened.err() == ELOOP ? changed(Call::kOpenat) : opened.error();
    own = *std::move(opened);
  }
  const Dirfd source = early ? early->fd.get() : own.get();
  bool was_stated = is_stated(stat);
  auto whole = early        ? look_early(*early, stat)
               : was_stated ? look(source, place, stat)
                            : look_first(source, place, stat);
  if (!whole) return whole.error();
  if (!was_stated && stat.nlink > 1 && run_.options.hard_links) return Copied::kOtherNames;
  if (place.leaves_large && stat.size >= kLargeFile) return Copied::kLeft;

  auto xattrs = list_xattrs({.dir = source}, run_.options);
  if (!xattrs) {
    losses.add(Aspect::kXattr, xattrs.error());
    xattrs = std::vector<std::string>{};
  }
  // The final mode at once where nothing is left to do that needs a writable one, nor anything that it would be too early for.
  uint32_t mode = stat.mode & 07777;
  bool final_mode = new_files_.umask_is_zero && !new_files_.inherits_acl && xattrs->empty() &&
                    (mode & ~kPermissions) == 0 &&
                    run_.options.keeps_mode();  // else the mode may not be the one that stat tells
  if (place.resumes) final_mode = false;
  auto destination = open_destination(place, final_mode ? mode : 0600);
  if (!destination) return at_destination(destination.error());
  Unfinished unfinished(place.destination_dir, place.destination_name);
  if (place.resumes) unfinished.keep();
  if (!new_files_.owner) learn_owner(destination->get());
  if (run_.options.flags) prepare_flags(source, destination->get());

  if (*whole) {
    if (!run_.pace.take((*whole)->size(), stop_)) return failure(Call::kPwrite, ECANCELED);
    if (auto status = write_all(destination->get(), **whole, 0); !status) return at_destination(status.error());
    run_.job->count_bytes((*whole)->size());
  } else if (auto status = fill(place, source, destination->get(), stat); !status) {
    return status.error();
  }
  if (run_.options.verify) {
    auto status = read_back(source, destination->get(), *whole, stat);
    // Not to be gone on with, whatever its bytes seem to be then.
    if (!status && place.resumes) (void)sys::unlinkat(place.destination_dir, place.destination_name);
    if (!status) return status.error();
  }
  if ((stat.mode & 07777) != mode) final_mode = false;  // changed while it was copied
  copy_metadata({.source = {.dir = source},
                 .destination = {.dir = destination->get()},
                 .wanted = stat,
                 .xattrs = *xattrs,
                 .owner = new_files_.owner,
                 .mode = final_mode ? std::optional(mode) : std::nullopt,
                 .has_xattrs = new_files_.inherits_acl || place.resumes,
                 .grain = &run_.grain,
                 .dev = place.destination_dev,
                 .shuts_later = true},
                run_.options, losses);
  if (run_.options.fsync_each) {
    if (auto status = sys::fsync(destination->get()); !status)
      losses.add(Aspect::kDurability, at_destination(status.error()));
  }
  // Network file systems tell of a full disk only now.
  if (auto status = destination->close(); !status) return at_destination(status.error());
  unfinished.keep();
  return Copied::kDone;
}

// In one read and one write.
bool EntryCopier::fits(const StatRecord& stat) const {
  return stat.size < buffer_.size() && !may_have_holes(stat.size, stat.blocks) &&
         run_.options.sparse != Choice::kAlways;
}

// A file that was stat'ed when it was listed: is it that one still, and unchanged since?
Result<EntryCopier::Content> EntryCopier::look(Dirfd source, const EntryPlace& place, StatRecord& stat) {
  bool reads = fits(stat) && !run_.may_clone(place.source_dev, place.destination_dev);
  Result<size_t> length = reads ? read_small(source, stat.size) : Result<size_t>(0);
  auto now = sys::fstat(source);
  if (!now) return now.error();
  if (!S_ISREG(now->st_mode) || !same_file(*now, stat)) return changed(Call::kOpenat);
  if (!length) return length.error();
  bool whole = reads && unchanged(*now, stat) && *length == stat.size;
  update(stat, *now);
  return whole ? Content(std::span<const std::byte>(buffer_).first(*length)) : std::nullopt;
}

// The same, where it has been read, and looked at after that.
Result<EntryCopier::Content> EntryCopier::look_early(const EarlyFile& early, StatRecord& stat) {
  const struct stat now = to_stat(early.after);
  if (!S_ISREG(now.st_mode) || !same_file(now, stat)) return changed(Call::kOpenat);
  bool whole = unchanged(now, stat) && early.content.size() == stat.size;
  update(stat, now);
  return whole ? Content(early.content) : std::nullopt;
}

// A file of which nothing is known yet: whichever has the name now is the one that is copied.
Result<EntryCopier::Content> EntryCopier::look_first(Dirfd source, const EntryPlace& place, StatRecord& stat) {
  bool reads = !run_.may_clone(place.source_dev, place.destination_dev) && run_.options.sparse != Choice::kAlways;
  sys::Moment before = sys::coarse_now();
  Result<size_t> length = reads ? sys::pread(source, buffer_.first(kFirstRead), 0) : Result<size_t>(0);
  auto now = sys::fstat(source);
  if (!now) return now.error();
  if (!S_ISREG(now->st_mode)) return changed(Call::kOpenat);
  if (!length) return length.error();
  update(stat, *now);
  bool whole = reads && *length == stat.size && fits(stat) && is_settled(*now, before, sys::coarse_now());
  return whole ? Content(std::span<const std::byte>(buffer_).first(*length)) : std::nullopt;
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

Result<UniqueFd> EntryCopier::open_destination(const EntryPlace& place, uint32_t mode) {
  auto [dir, name] = std::pair(place.destination_dir, place.destination_name);
  if (place.resumes) {
    auto kept = sys::openat(dir, name, O_RDWR);
    if (kept) {
      auto st = sys::fstat(kept->get());
      if (st && S_ISREG(st->st_mode) && st->st_nlink == 1) return kept;
    }
    // Nothing that can be gone on with: cut off when its mode was final already, for one.
    if (kept.err() != ENOENT) (void)sys::unlinkat(dir, name);
  }
  int access = run_.options.verify || place.resumes ? O_RDWR : O_WRONLY;
  return sys::openat(dir, name, access | O_CREAT | O_EXCL, mode);
}

// Cuts the file at the first byte that is not the source's. No size, time or note is believed: after a power cut a file may have its
// length and not its bytes.
Result<uint64_t> EntryCopier::keep_verified(Dirfd source, Dirfd destination, const StatRecord& stat) {
  auto now = sys::fstat(destination);
  if (!now) return at_destination(now.error());
  uint64_t has = std::min(static_cast<uint64_t>(now->st_size), stat.size);
  if (now->st_size == 0) return uint64_t{0};
  Job uncounted;
  bool holes = may_have_holes(has, static_cast<uint64_t>(now->st_blocks));
  auto differs = first_difference(source, destination, has, holes, second_buffer(), stop_, uncounted);
  if (!differs) return differs.error();
  uint64_t kept = std::min(differs->value_or(has), has);
  if (auto status = sys::ftruncate(destination, static_cast<int64_t>(kept)); !status)
    return at_destination(status.error());
  return kept;
}

// Copies until the file was the same before and after, with `stat` what it was then.
Status EntryCopier::fill(const EntryPlace& place, Dirfd source, Dirfd destination, StatRecord& stat) {
  auto kept = place.resumes ? keep_verified(source, destination, stat) : Result<uint64_t>(0);
  if (!kept) return kept.error();
  run_.job->count_unchanged(*kept);
  for (int attempt = 1;; attempt++) {
    DataTask task{.source = source,
                  .destination = destination,
                  .start = attempt == 1 ? *kept : 0,
                  .size = stat.size,
                  .blocks = stat.blocks,
                  .source_dev = place.source_dev,
                  .destination_dev = place.destination_dev,
                  .reflink = run_.options.reflink,
                  .sparse = run_.options.sparse,
                  .buffer = buffer_,
                  .pace = run_.pace,
                  .bulk_move = run_.bulk_move};
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

// The copy as its disk has it, as far as the kernel can be made to ask the disk, against the bytes that were written, or the source's.
Status EntryCopier::read_back(Dirfd source, Dirfd destination, const Content& whole, const StatRecord& stat) {
  if (auto status = sys::write_out(destination); !status) return at_destination(status.error());
  sys::forget_pages(destination);
  if (whole) {
    auto same = has_content(destination, *whole, second_buffer());
    if (!same) return at_destination(same.error());
    return *same ? success() : at_destination(failure_because(Reason::kIntegrity, Call::kPread, EIO));
  }
  Job uncounted;
  bool holes = may_have_holes(stat.size, stat.blocks);
  auto differs = first_difference(source, destination, stat.size, holes, second_buffer(), stop_, uncounted);
  if (!differs) return differs.error();
  if (!*differs) return success();
  auto now = sys::fstat(source);
  if (!now) return now.error();
  if (!unchanged(*now, stat)) return failure_because(Reason::kTorn, Call::kPread, EBUSY);
  return at_destination(failure_because(Reason::kIntegrity, Call::kPread, EIO));
}

// For what is read back while the first one still holds what was written.
std::span<std::byte> EntryCopier::second_buffer() {
  if (second_.empty()) second_ = sys::PageBuffer(kCopyBuffer);
  return second_.span();
}

Status EntryCopier::copy_symlink(const EntryPlace& place, StatRecord& stat, Losses& losses) {
  auto target = sys::readlinkat(place.source_dir, place.source_name);
  if (!target) return target.err() == EINVAL ? Status(changed(Call::kReadlinkat)) : Status(target.error());
  // A link cannot be rewritten, only replaced: another length is another link. Pseudo file systems say 0.
  if (stat.size != 0 && target->size() != stat.size) return changed(Call::kReadlinkat);
  // Of the same length it may be another one all the same, with an owner and times of its own.
  auto now = sys::statx(place.source_dir, place.source_name);
  if (!now) return now.error();
  if (!same_node_since(*now, stat)) return changed(Call::kReadlinkat);
  auto status = sys::symlinkat(target->c_str(), place.destination_dir, place.destination_name);
  if (!status) return at_destination(status.error());
  return finish_node(place, stat, true, losses);
}

Status EntryCopier::copy_special(const EntryPlace& place, const StatRecord& stat, Losses& losses) {
  bool final_mode = new_files_.umask_is_zero && !new_files_.inherits_acl && (stat.mode & 07777 & ~kPermissions) == 0 &&
                    run_.options.keeps_mode();
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
                 .has_xattrs = new_files_.inherits_acl && !S_ISLNK(stat.mode),
                 .grain = &run_.grain,
                 .dev = place.destination_dev},
                run_.options, losses);
  return success();
}

// Without copy on write, and compressed or not: what concerns the blocks of a file has a meaning only before there are any.
void EntryCopier::prepare_flags(Dirfd source, Dirfd destination) {
  auto flags = kept_flags(source);
  if (!flags) return;  // told when all of them are set
  if (shuts(*flags)) flags_for_later_ = *flags;
  (void)set_block_flags(destination, *flags);
}

void EntryCopier::learn_owner(Dirfd file) {
  if (auto made = sys::fstat(file)) new_files_.owner = Owner{made->st_uid, made->st_gid};
}

}  // namespace dfd
