#include "ops/link_table.h"

#include <utility>

namespace dfd {

LinkTable::Claim LinkTable::claim(const File& file, uint32_t links, Else otherwise) {
  std::lock_guard lock(mutex_);
  auto [known, is_first] = files_.try_emplace(file, Entry{.missing = links > 0 ? links - 1 : 0});
  if (is_first) return {.claimed = Claimed::kFirst};
  Entry& entry = known->second;
  if (!entry.copied) {
    if (otherwise == Else::kWaits) {
      entry.awaited = true;
      if (entry.missing > 0) entry.missing--;
    }
    return {.claimed = Claimed::kCopying};
  }
  Claim claim{
      .claimed = Claimed::kCopied,
      .copy = {.path = {},
               .ticket = {.source = {file.mount, file.ino}, .destination = entry.destination, .birth = entry.birth}}};
  // A name too many, of a file that got it meanwhile, begins anew.
  if (entry.missing > 1) {
    entry.missing--;
    claim.copy.path = entry.path;
  } else {
    claim.copy.path = std::move(entry.path);
    files_.erase(known);
  }
  return claim;
}

bool LinkTable::done(const File& file, Copy copy) {
  std::lock_guard lock(mutex_);
  auto known = files_.find(file);
  if (known == files_.end() || known->second.copied) return false;
  Entry& entry = known->second;
  const bool awaited = std::exchange(entry.awaited, false);
  if (entry.missing == 0) {
    files_.erase(known);
    return awaited;
  }
  entry.copied = true;
  entry.destination = copy.ticket.destination;
  entry.birth = copy.ticket.birth;
  entry.path = std::move(copy.path);
  return awaited;
}

bool LinkTable::failed(const File& file) {
  std::lock_guard lock(mutex_);
  auto known = files_.find(file);
  if (known == files_.end() || known->second.copied) return false;
  if (known->second.awaited) return true;
  files_.erase(known);
  return false;
}

void LinkTable::lapse(const File& file) {
  std::lock_guard lock(mutex_);
  auto known = files_.find(file);
  if (known != files_.end() && !known->second.copied) files_.erase(known);
}

}  // namespace dfd
