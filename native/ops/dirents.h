// The records that getdents64 writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace dfd {

struct Dirent {
  std::string_view name;  // NUL-terminated in place, so name.data() is a C string
  uint64_t ino;
  uint8_t type;  // DT_*
};

// Calls visit(Dirent) for each entry but "." and "..". Stops at the first record that does not fit: a file system
// (FUSE) that hands out garbage must not make us read beyond the buffer. Returns false then.
template <class Visit>
bool for_each_dirent(std::span<const std::byte> buffer, Visit&& visit) {
  // struct linux_dirent64: u64 ino, s64 offset, u16 record length, u8 type, name
  constexpr size_t kName = 19;
  size_t at = 0;
  while (at < buffer.size()) {
    if (buffer.size() - at < kName + 1) return false;
    const std::byte* record = buffer.data() + at;
    uint64_t ino;
    uint16_t length;
    std::memcpy(&ino, record, sizeof ino);
    std::memcpy(&length, record + 16, sizeof length);
    if (length < kName + 1 || length > buffer.size() - at) return false;
    const char* name = reinterpret_cast<const char*>(record + kName);
    size_t name_length = ::strnlen(name, length - kName);
    if (name_length == length - kName || name_length == 0) return false;
    std::string_view view(name, name_length);
    // A name with a slash would be a path; no file system may return one, and dirfd would not act on it.
    if (view != "." && view != ".." && view.find('/') == view.npos) {
      visit(Dirent{.name = view, .ino = ino, .type = static_cast<uint8_t>(record[18])});
    }
    at += length;
  }
  return true;
}

}  // namespace dfd
