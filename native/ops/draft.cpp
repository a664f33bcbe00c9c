#include "ops/draft.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <vector>

#include "ops/dirents.h"
#include "ops/open_file.h"
#include "ops/served.h"
#include "sys/directory.h"
#include "sys/lock.h"
#include "sys/open.h"

namespace dfd {

namespace {

constexpr size_t kRandomDigits = 32;
// A sweep may look at a draft in the moment between its creation and its lock, and take it for an orphan.
constexpr int kBirthLimit = 16;

bool is_draft_name(std::string_view name) {
  return name.size() == kDraftPrefix.size() + kRandomDigits && name.starts_with(kDraftPrefix) &&
         name.find_first_not_of("0123456789abcdef", kDraftPrefix.size()) == name.npos;
}

// File systems without locks leave a draft unlocked; a sweep gets no lock there either, and removes nothing.
bool lost_to_a_sweep(Dirfd draft) { return sys::try_lock(draft, sys::LockKind::kExclusive, {}).err() == EAGAIN; }

Result<TemporaryFile> open_named_draft(const SharedFd& directory, mode_t mode) {
  for (int attempt = 1;; attempt++) {
    auto name = random_name(kDraftPrefix);
    if (!name) return name.error();
    auto fd = sys::openat(directory->get(), name->c_str(), O_RDWR | O_CREAT | O_EXCL, mode);
    if (!fd) return fd.error();
    bool lost = lost_to_a_sweep(fd->get());
    auto stx = sys::fstatx(fd->get());
    if (!stx) {
      (void)sys::unlinkat(directory->get(), name->c_str());
      return stx.error();
    }
    if ((lost || stx->stx_nlink == 0) && attempt < kBirthLimit) continue;
    auto named = std::make_shared<TemporaryName>(directory, *std::move(name), sys::identity(*stx));
    return TemporaryFile{.fd = *std::move(fd), .name = std::move(named)};
  }
}

// Where a lock taken here says nothing about writers elsewhere: behind a server, or on a disk that machines share.
bool is_shared_between_machines(Dirfd directory) {
  auto facts = sys::fstatfs(directory);
  if (!facts) return true;
  auto type = static_cast<uint64_t>(facts->f_type) & 0xffffffff;
  return is_served(directory) || type == CODA_SUPER_MAGIC || type == OCFS2_SUPER_MAGIC;
}

bool remove_orphan(Dirfd directory, const char* name) {
  // Refuses FIFOs and devices, which anybody may have planted, without opening them.
  auto fd = open_inode(directory, name, O_RDONLY);
  if (!fd) return false;
  auto held = sys::fstatx(fd->get());
  if (!held || !S_ISREG(held->stx_mode)) return false;
  if (!sys::try_lock(fd->get(), sys::LockKind::kShared, {})) return false;
  // Its writer may have finished between the open and the lock: then the name is gone and the file has its real one.
  auto named = sys::statx(directory, name);
  if (!named || sys::identity(*named) != sys::identity(*held)) return false;
  return sys::unlinkat(directory, name).ok();
}

Result<std::vector<std::string>> draft_names(Dirfd directory, size_t limit) {
  std::vector<std::string> found;
  // A description of its own: the handle's position is its owner's.
  auto fd = sys::openat(directory, ".", O_RDONLY | O_DIRECTORY);
  if (!fd) return fd.error();
  alignas(8) std::array<std::byte, 32 * 1024> buffer;
  for (size_t seen = 0; limit == 0 || seen < limit;) {
    auto got = sys::getdents64(fd->get(), buffer);
    if (!got) return got.error();
    if (*got == 0) break;
    bool whole = for_each_dirent(std::span(buffer).first(*got), [&](const auto& entry) {
      seen++;
      if (is_draft_name(entry.name)) found.emplace_back(entry.name);
    });
    if (!whole) return failure(Call::kGetdents64, EIO);
  }
  return found;
}

}  // namespace

Result<TemporaryFile> open_draft(const SharedFd& directory, mode_t mode) {
  auto fd = open_nameless(directory->get(), mode);
  if (fd) return TemporaryFile{.fd = *std::move(fd), .name = nullptr};
  if (!lacks_nameless_files(fd.err())) return fd.error();
  return open_named_draft(directory, mode);
}

Status rename_over(Dirfd draft, Dirfd directory, const char* name) {
  (void)sys::try_lock(draft, sys::LockKind::kExclusive, {});
  auto named = random_name(kDraftPrefix);
  if (!named) return named.error();
  if (auto status = sys::link_fd(draft, directory, named->c_str()); !status) return status;
  auto status = sys::renameat2(directory, named->c_str(), directory, name, 0);
  if (!status) (void)sys::unlinkat(directory, named->c_str());
  return status;
}

Result<size_t> sweep_drafts(Dirfd directory, size_t limit) {
  auto names = draft_names(directory, limit);
  if (!names) return names.error();
  if (names->empty() || is_shared_between_machines(directory)) return size_t{0};
  auto gone = std::count_if(names->begin(), names->end(),
                            [&](const std::string& name) { return remove_orphan(directory, name.c_str()); });
  return static_cast<size_t>(gone);
}

}  // namespace dfd
