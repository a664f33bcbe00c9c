#include "ops/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "ops/component_walk.h"
#include "ops/copy_metadata.h"
#include "ops/open_file.h"
#include "sys/attributes.h"
#include "sys/data.h"
#include "sys/directory.h"
#include "sys/lock.h"
#include "sys/open.h"
#include "sys/xattr.h"

namespace dfd {

namespace {

// How often the name may get another file between our calls before that is an error.
constexpr int kAppearLimit = 64;
// New content does not inherit the privileges of the old one: write(2) takes these, too.
constexpr uint32_t kPrivileges = S_ISUID | S_ISGID;

// Hashes of content, and the privileges that go with it.
bool belongs_to_content(std::string_view attribute) {
  return attribute == "security.capability" || attribute == "security.ima" || attribute == "security.evm";
}

Status write_all(Dirfd fd, std::span<const std::byte> content) {
  int64_t offset = 0;
  while (!content.empty()) {
    auto written = sys::pwrite(fd, content, offset);
    if (!written) return written.error();
    if (*written == 0) return failure_because(Reason::kShortWrite, Call::kPwrite, EIO);
    offset += static_cast<int64_t>(*written);
    content = content.subspan(*written);
  }
  return success();
}

bool is_expected(const struct statx& stx, const ExpectedFile& expected) {
  return sys::identity(stx) == expected.identity && stx.stx_size == expected.size &&
         stx.stx_ctime.tv_sec == expected.ctime_s && stx.stx_ctime.tv_nsec == expected.ctime_ns;
}

SysError changed() { return failure_because(Reason::kChanged, Call::kStatx, ESTALE); }

class Replacement {
 public:
  Replacement(const FilePlace& place, const ReplaceOptions& options, const SyncDirectory& sync)
      : place_(place), options_(options), sync_(sync) {}

  Result<Replaced> with_content(std::span<const std::byte> content) {
    if (auto status = look(); !status) return status.error();
    auto draft = open_draft(place_.directory, first_mode());
    if (!draft) return draft.error();
    draft_ = draft->fd.get();
    draft_name_ = draft->name;
    if (auto status = write_all(draft_, content); !status) return status.error();
    return finish();
  }

  Result<Replaced> with_draft(Dirfd draft, const std::shared_ptr<TemporaryName>& name) {
    draft_ = draft;
    draft_name_ = name;
    if (auto status = look(); !status) return status.error();
    return finish();
  }

  Result<TemporaryFile> begin() {
    if (auto status = look(); !status) return status.error();
    return open_draft(place_.directory, first_mode());
  }

 private:
  Dirfd directory() const { return place_.directory->get(); }
  const char* name() const { return place_.name.c_str(); }

  // What is there, and whether it may be replaced.
  Status look() {
    auto stx = sys::statx(directory(), name());
    if (!stx) {
      if (stx.err() != ENOENT) return stx.error();
      if (options_.expected) return changed();
      old_.reset();
      return success();
    }
    if (options_.create_only) return failure(Call::kLinkat, EEXIST);
    if (S_ISDIR(stx->stx_mode)) return failure(Call::kRenameat2, EISDIR);
    if (S_ISLNK(stx->stx_mode) && !options_.replace_symlink) return failure(Call::kRenameat2, ELOOP);
    if (!S_ISREG(stx->stx_mode) && !S_ISLNK(stx->stx_mode)) {
      return failure_because(Reason::kNotRegular, Call::kRenameat2, ENXIO);
    }
    if (options_.refuse_hard_links && stx->stx_nlink > 1 && !find_backup_of(*stx)) {
      return failure(Call::kRenameat2, EMLINK);
    }
    if (options_.expected && !is_expected(*stx, *options_.expected)) return changed();
    old_ = *stx;
    return success();
  }

  bool keeps_metadata() const { return options_.keep != Keep::kNothing && old_ && S_ISREG(old_->stx_mode); }

  // What is to be narrower than a new file's mode may be must never have been wider.
  mode_t first_mode() const { return keeps_metadata() || options_.mode ? 0600 : 0666; }

  Result<Replaced> finish() {
    for (int attempt = 1;; attempt++) {
      auto status = prepare();
      if (status) break;
      bool is_changed = status.error().reason == Reason::kChanged && !options_.expected;
      if (!is_changed || attempt == kAppearLimit) return abandon(status);
      // Others write the same file: the one that is there now is the one to be replaced.
      if (auto again = look(); !again) return again.error();
    }
    if (auto status = give_name(); !status) return abandon(status);
    // The draft's lock has done its duty; on the file it would stand in the way of others until the directory's fsync has ended.
    if (old_ || draft_name_) (void)sys::try_lock(draft_, sys::LockKind::kNone, {});
    // By descriptor: the name may be another writer's by now.
    auto stx = sys::fstatx(draft_);
    if (stx) result_.stat = to_record(*stx);
    result_.replaced = old_.has_value();
    if (options_.durability == Durability::kFull) {
      auto status = sync_(directory());
      if (!status) return failure_because(Reason::kUncertain, Call::kFsync, status.err());
    }
    return std::move(result_);
  }

  SysError abandon(const Status& status) {
    if (backup_ && options_.is_backup_ours) (void)sys::unlinkat(backup_->dir(), backup_->name());
    return status.error();
  }

  Status prepare() {
    if (auto status = set_metadata(); !status) return status;
    if (options_.durability != Durability::kNone) {
      if (auto status = sys::fsync(draft_); !status) return status;
    }
    return back_up();
  }

  Status set_metadata() {
    if (!keeps_metadata()) {
      return options_.mode ? sys::fchmod(draft_, *options_.mode) : success();
    }
    NodeRef source{.dir = directory(), .name = name()};
    CopyOptions everything{.times = false};
    auto xattrs = list_xattrs(source, everything);
    UniqueFd opened;
    if (!xattrs && xattrs.error().reason == Reason::kUnsupported) {
      // No call takes attributes by name here: by descriptor, then.
      auto fd = open_inode(directory(), name(), O_RDONLY);
      if (!fd) return fd.error();
      opened = *std::move(fd);
      source = {.dir = opened.get()};
      xattrs = list_xattrs(source, everything);
    }
    if (!xattrs) return xattrs.error();
    std::erase_if(*xattrs, belongs_to_content);
    auto draft = sys::fstat(draft_);
    if (!draft) return draft.error();

    StatRecord wanted = to_record(*old_);
    wanted.mode = (wanted.mode & ~kPrivileges & ~07777u) | options_.mode.value_or(wanted.mode & 07777 & ~kPrivileges);
    Losses losses(result_.lost, kSelf);
    result_.lost.clear();
    copy_metadata({.source = source,
                   .destination = {.dir = draft_},
                   .wanted = wanted,
                   .xattrs = *xattrs,
                   .owner = Owner{draft->st_uid, draft->st_gid},
                   .mode = draft->st_mode & 07777,
                   .has_xattrs = true},
                  everything, losses);
    if (options_.keep == Keep::kAll && !result_.lost.empty()) return result_.lost.front().error;
    // By name, the attributes could have been another file's.
    return xattrs->empty() && !opened ? success() : require_old();
  }

  Status require_old() {
    auto stx = sys::statx(directory(), name());
    if (!stx) return stx.err() == ENOENT ? Status(changed()) : Status(stx.error());
    return sys::identity(*stx) == sys::identity(*old_) ? success() : Status(changed());
  }

  // A link, because it is made at once and keeps everything. Not where the old file has other names: who changes it by one of those would
  // change the backup. EMLINK then, and EXDEV on another file system; the caller copies instead.
  Status back_up() {
    if (options_.backup.empty() || !old_) return success();
    if (auto made = find_backup_of(*old_)) return sync_backup_if_durable(*made);
    if (old_->stx_nlink > 1) return failure(Call::kLinkat, EMLINK).about(Subject::kSecondPath);
    auto backup = resolve_parent(directory(), options_.backup, Policy{});
    if (!backup) return backup.error().about(Subject::kSecondPath);
    auto named = random_name(kDraftPrefix);
    if (!named) return named.error();
    auto status = sys::linkat(directory(), name(), backup->dir(), named->c_str());
    if (!status) return status.error().about(Subject::kSecondPath);
    auto stx = sys::statx(backup->dir(), named->c_str());
    bool is_old = stx && sys::identity(*stx) == sys::identity(*old_);
    status =
        is_old ? sys::renameat2(backup->dir(), named->c_str(), backup->dir(), backup->name(), 0) : Status(changed());
    // Also after success: where the backup's name is a link to the old file already, rename(2) does nothing.
    (void)sys::unlinkat(backup->dir(), named->c_str());
    if (!status) return status.error().about(Subject::kSecondPath);
    backup_ = *std::move(backup);
    return sync_backup_if_durable(*backup_);
  }

  // The backup of an earlier write that failed, or was killed, before the rename: the file's only other name, so it is one still.
  std::optional<Place> find_backup_of(const struct statx& old) const {
    if (options_.backup.empty() || old.stx_nlink != 2) return {};
    auto backup = resolve_parent(directory(), options_.backup, Policy{});
    if (!backup) return {};
    auto found = sys::statx(backup->dir(), backup->name());
    if (!found || sys::identity(*found) != sys::identity(old)) return {};
    // Spelt otherwise, it may be the file itself.
    auto [here, there] = std::pair(sys::fstatx(directory()), sys::fstatx(backup->dir()));
    bool is_itself = here && there && sys::identity(*here) == sys::identity(*there) && place_.name == backup->name();
    if (is_itself) return {};
    return *std::move(backup);
  }

  Status sync_backup_if_durable(const Place& backup) {
    return options_.durability == Durability::kFull ? sync_backup(backup) : success();
  }

  Status sync_backup(const Place& backup) {
    auto readable = sys::openat(backup.dir(), ".", O_RDONLY | O_DIRECTORY);
    auto status = readable ? sync_(readable->get()) : Status(readable.error());
    return status ? status : Status(status.error().about(Subject::kSecondPath));
  }

  Status give_name() {
    for (int attempt = 1;; attempt++) {
      if (options_.expected) {
        if (auto status = look_again(); !status) return status;
      }
      Place target(directory(), place_.name, false);
      if (old_) return draft_name_ ? draft_name_->move_to(target, true) : rename_over(draft_, directory(), name());
      auto status = draft_name_ ? draft_name_->move_to(target, false) : sys::link_fd(draft_, directory(), name());
      if (status.err() != EEXIST || options_.create_only || attempt == kAppearLimit) return status;
      // Somebody else has made it meanwhile: that file is the one to be replaced now, with what it has.
      if (auto again = look(); !again) return again;
      if (auto again = prepare(); !again) return again;
    }
  }

  Status look_again() {
    auto stx = sys::statx(directory(), name());
    if (!stx) return stx.err() == ENOENT ? Status(changed()) : Status(stx.error());
    if (is_expected(*stx, *options_.expected)) return success();
    // The link of the backup has moved ctime; nothing else may have.
    bool is_ours = !options_.backup.empty() && sys::identity(*stx) == options_.expected->identity &&
                   stx->stx_size == options_.expected->size && stx->stx_mtime.tv_sec == old_->stx_mtime.tv_sec &&
                   stx->stx_mtime.tv_nsec == old_->stx_mtime.tv_nsec;
    return is_ours ? success() : Status(changed());
  }

  const FilePlace& place_;
  const ReplaceOptions& options_;
  const SyncDirectory& sync_;
  std::optional<struct statx> old_;
  Dirfd draft_ = -1;
  std::shared_ptr<TemporaryName> draft_name_;
  std::optional<Place> backup_;
  Replaced result_;
};

}  // namespace

Result<FilePlace> pin_place(const SharedFd& root, std::string_view path, Policy policy, FinalLink final_link) {
  if (final_link == FinalLink::kFollow) {
    auto found = walk_components(root->get(), normalize(path), policy, FinalLink::kFollow);
    if (found) {
      auto parent = sys::openat(found->parent.get(), ".", O_RDONLY | O_DIRECTORY);
      if (!parent) return parent.error();
      return FilePlace{.directory = share(*std::move(parent)), .name = std::move(found->name)};
    }
    if (found.err() != ENOENT) return found.error();
  }
  auto place = resolve_parent(root->get(), path, policy);
  if (!place) return place.error();
  if (auto status = refuse_directory_form(*place, Call::kRenameat2); !status) return status.error();
  if (place->dir() == root->get()) return FilePlace{.directory = root, .name = place->name()};
  // The resolver's own descriptor is O_PATH, which fsync(2) refuses.
  auto parent = sys::openat(place->dir(), ".", O_RDONLY | O_DIRECTORY);
  if (!parent) return parent.error();
  return FilePlace{.directory = share(*std::move(parent)), .name = place->name()};
}

Result<TemporaryFile> begin_draft(const FilePlace& place, const ReplaceOptions& options) {
  SyncDirectory none = [](Dirfd) { return success(); };
  return Replacement(place, options, none).begin();
}

Result<Replaced> replace_file(const FilePlace& place, std::span<const std::byte> content, const ReplaceOptions& options,
                              const SyncDirectory& sync) {
  return Replacement(place, options, sync).with_content(content);
}

Result<Replaced> replace_by_draft(const FilePlace& place, Dirfd draft, const std::shared_ptr<TemporaryName>& name,
                                  const ReplaceOptions& options, const SyncDirectory& sync) {
  return Replacement(place, options, sync).with_draft(draft, name);
}

}  // namespace dfd
