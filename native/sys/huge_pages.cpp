#include "sys/huge_pages.h"

#include <sys/mman.h>

#include <memory>

namespace dfd::sys {

namespace {

// Of x64, and of arm64 with pages of 4 KiB. Where they are of another size, only ordinary ones are used.
constexpr size_t kHugePage = size_t{2} << 20;

}  // namespace

// mmap(2) aligns to ordinary pages: a huge page more has an aligned place in it.
HugePages::HugePages(size_t size) : mapped_(size + kHugePage) {
  void* mapping = ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return;
  mapping_ = mapping;
  size_t room = mapped_;
  begin_ = static_cast<std::byte*>(std::align(kHugePage, size, mapping, room));
  (void)::madvise(begin_, size, MADV_HUGEPAGE);  // advice: EINVAL from a kernel without them
}

HugePages::~HugePages() {
  if (mapping_) ::munmap(mapping_, mapped_);
}

}  // namespace dfd::sys
