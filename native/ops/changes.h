// What a copy would change in an entry that stands at the destination already: one bit each, told to TypeScript, which writes them in rsync's
// notation. The order of CHANGE in lib/native/trees.ts.
#pragma once

#include <cstdint>

namespace dfd {

enum class Change : uint32_t {
  kContent = 1 << 0,  // bytes, where they were compared; a link's target; a device's number
  kSize = 1 << 1,
  kTimes = 1 << 2,
  kMode = 1 << 3,
  kUser = 1 << 4,
  kGroup = 1 << 5,
  kAcl = 1 << 6,
  kXattr = 1 << 7,  // capabilities included
  kAnew = 1 << 8,   // made again under the name, not set right in place
  kNew = 1 << 9,    // nothing of its kind was there
  kFlags = 1 << 10,
  kProject = 1 << 11,
};

class Changes {
 public:
  constexpr Changes() = default;
  constexpr Changes(Change change) : bits_(static_cast<uint32_t>(change)) {}

  constexpr void add(Changes more) { bits_ |= more.bits_; }
  constexpr void add_if(bool differs, Change change) {
    if (differs) add(change);
  }
  constexpr bool has(Change change) const { return (bits_ & static_cast<uint32_t>(change)) != 0; }
  constexpr bool any() const { return bits_ != 0; }
  constexpr uint32_t bits() const { return bits_; }

 private:
  uint32_t bits_ = 0;
};

static_assert(sizeof(Changes) == sizeof(uint32_t));  // it crosses as one

}  // namespace dfd
