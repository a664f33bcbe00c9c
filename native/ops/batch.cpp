#include "ops/batch.h"

#include <dirent.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace dfd {

StatRecord to_record(const struct statx& stx) {
  return StatRecord{
      .ino = stx.stx_ino,
      .size = stx.stx_size,
      .blocks = stx.stx_blocks,
      .dev = gnu_dev_makedev(stx.stx_dev_major, stx.stx_dev_minor),
      .rdev = gnu_dev_makedev(stx.stx_rdev_major, stx.stx_rdev_minor),
      .mount_id = (stx.stx_mask & STATX_MNT_ID) ? stx.stx_mnt_id : 0,
      .attributes = stx.stx_attributes,
      .atime_s = stx.stx_atime.tv_sec,
      .mtime_s = stx.stx_mtime.tv_sec,
      .ctime_s = stx.stx_ctime.tv_sec,
      .btime_s = stx.stx_btime.tv_sec,
      .atime_ns = stx.stx_atime.tv_nsec,
      .mtime_ns = stx.stx_mtime.tv_nsec,
      .ctime_ns = stx.stx_ctime.tv_nsec,
      .btime_ns = stx.stx_btime.tv_nsec,
      .mode = stx.stx_mode,
      .uid = stx.stx_uid,
      .gid = stx.stx_gid,
      .nlink = stx.stx_nlink,
      .blksize = stx.stx_blksize,
      .mask = stx.stx_mask,
  };
}

sys::Identity identity(const StatRecord& stat) {
  bool has_mount = stat.mask & STATX_MNT_ID;
  return {.mount = has_mount ? stat.mount_id : stat.dev, .ino = stat.ino};
}

void BatchBuilder::enter(std::string_view path, uint32_t depth) {
  directory_path_ = path;
  directory_depth_ = depth;
  directory_noted_ = false;
}

uint32_t BatchBuilder::store(std::string_view bytes) {
  uint32_t offset = static_cast<uint32_t>(heap_.size());
  heap_.append(bytes);
  return offset;
}

void BatchBuilder::note_directory() {
  if (directory_noted_) return;
  directories_.push_back(DirectoryRecord{.path_offset = store(directory_path_),
                                         .path_length = static_cast<uint32_t>(directory_path_.size()),
                                         .depth = directory_depth_,
                                         .reserved = 0});
  directory_noted_ = true;
}

EntryRecord& BatchBuilder::append(std::string_view name, Event event) {
  note_directory();
  EntryRecord& record = records_.emplace_back();
  record.name_offset = store(name);
  record.name_length = static_cast<uint16_t>(name.size());
  record.event = event;
  if (event != Event::kEntry) special_++;
  record.directory = static_cast<uint32_t>(directories_.size() - 1);
  return record;
}

void BatchBuilder::add(std::string_view name, const struct statx& stx) {
  append(name, Event::kEntry).stat = to_record(stx);
}

void BatchBuilder::add(std::string_view name, const StatRecord& stat) { append(name, Event::kEntry).stat = stat; }

void BatchBuilder::add_unstated(std::string_view name, uint8_t d_type, uint64_t ino) {
  EntryRecord& record = append(name, Event::kEntry);
  record.stat.mode = DTTOIF(d_type);
  record.stat.ino = ino;
}

void BatchBuilder::add_error(std::string_view name, const SysError& error) {
  EntryRecord& record = append(name, Event::kError);
  record.call = static_cast<uint8_t>(error.call);
  record.err = error.err;
  record.stat.mask = static_cast<uint32_t>(error.reason);
  record.stat.attributes = static_cast<uint32_t>(error.flags);
}

void BatchBuilder::add_leave(std::string_view name, const StatRecord& stat) { append(name, Event::kLeave).stat = stat; }

void BatchBuilder::add_ignore_file(std::string_view text) {
  EntryRecord& record = append(text, Event::kIgnoreFile);
  record.name_length = 0;  // 16 bits are too few
  record.stat.size = text.size();
}

PackedBatch BatchBuilder::take() {
  size_t records_size = records_.size() * sizeof(EntryRecord);
  size_t directories_size = directories_.size() * sizeof(DirectoryRecord);
  size_t heap_offset = sizeof(BatchHeader) + records_size + directories_size;
  PackedBatch batch{.bytes = std::make_unique_for_overwrite<std::byte[]>(heap_offset + heap_.size()),
                    .size = heap_offset + heap_.size()};
  bool ascii = std::all_of(heap_.begin(), heap_.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  BatchHeader header{.version = kLayoutVersion,
                     .entries = static_cast<uint32_t>(records_.size()),
                     .directories = static_cast<uint32_t>(directories_.size()),
                     .heap_offset = static_cast<uint32_t>(heap_offset),
                     .heap_length = static_cast<uint32_t>(heap_.size()),
                     .ascii = ascii,
                     .special = std::exchange(special_, 0),
                     .reserved = 0};
  std::byte* at = batch.bytes.get();
  std::memcpy(at, &header, sizeof header);
  at += sizeof header;
  if (records_size) std::memcpy(at, records_.data(), records_size);
  if (directories_size) std::memcpy(at + records_size, directories_.data(), directories_size);
  if (!heap_.empty()) std::memcpy(batch.bytes.get() + heap_offset, heap_.data(), heap_.size());
  records_.clear();
  directories_.clear();
  heap_.clear();
  directory_noted_ = false;
  return batch;
}

}  // namespace dfd
