// for_each_dirent: whatever a file system writes into getdents64's buffer, nothing is read beyond it, and no name is a path.

#include "ops/dirents.h"

#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const char* begin = reinterpret_cast<const char*>(bytes);
  size_t handed_out = 0;
  (void)dfd::for_each_dirent({reinterpret_cast<const std::byte*>(bytes), size}, [&](const dfd::Dirent& entry) {
    REQUIRE(entry.name.data() >= begin && entry.name.data() + entry.name.size() < begin + size);
    REQUIRE(entry.name.data()[entry.name.size()] == '\0' && entry.name.find('\0') == entry.name.npos);
    REQUIRE(!entry.name.empty() && entry.name != "." && entry.name != ".." && entry.name.find('/') == entry.name.npos);
    handed_out++;
  });
  REQUIRE(handed_out <= size / 20);
  return 0;
}
