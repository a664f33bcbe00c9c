// Memory that devices read from and write to (O_DIRECT).
#pragma once

#include <cstddef>

namespace dfd::sys {

// In transparent huge pages (madvise(2)) where there are any, in ordinary ones else. A block of 512 KiB in ordinary pages is a request of 128 pieces,
// and a disk may take three times as long for it as for one piece.
class HugePages {
 public:
  explicit HugePages(size_t size);
  ~HugePages();
  HugePages(const HugePages&) = delete;
  HugePages& operator=(const HugePages&) = delete;

  explicit operator bool() const { return mapping_ != nullptr; }
  std::byte* begin() const { return begin_; }

 private:
  void* mapping_ = nullptr;
  size_t mapped_;
  std::byte* begin_ = nullptr;
};

}  // namespace dfd::sys
