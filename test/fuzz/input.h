// The bytes that a fuzzer hands out, taken piece by piece. Past the end everything is zero or empty, so that any input is a whole one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace dfd::fuzz {

class Input {
 public:
  Input(const uint8_t* bytes, size_t size) : rest_(reinterpret_cast<const char*>(bytes), size) {}

  bool empty() const { return rest_.empty(); }
  uint8_t byte() { return static_cast<uint8_t>(take(1).empty() ? 0 : last_[0]); }
  std::string_view take(size_t count) {
    last_ = rest_.substr(0, count);
    rest_.remove_prefix(last_.size());
    return last_;
  }
  // A length of one byte, then so many.
  std::string_view text() { return take(byte()); }
  std::string_view rest() { return take(rest_.size()); }

 private:
  std::string_view rest_;
  std::string_view last_;
};

// What must hold for every input. Aborts, which is how a fuzzer hears of it.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s does not hold\n", what);
  std::abort();
}

#define REQUIRE(...) ::dfd::fuzz::require(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__)

}  // namespace dfd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size);
