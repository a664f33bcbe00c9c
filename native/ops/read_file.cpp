#include "ops/read_file.h"

#include <algorithm>

#include "sys/data.h"

namespace dfd {

Result<std::string> read_file(Dirfd file, size_t limit) {
  std::string text;
  for (size_t have = 0;;) {
    text.resize(std::min(have + 4096, limit + 1));
    auto got = sys::read(file, std::as_writable_bytes(std::span(text).subspan(have)));
    if (!got) return got.error();
    have += *got;
    if (have > limit) return failure(Call::kRead, EFBIG);
    if (*got == 0) {
      text.resize(have);
      return text;
    }
  }
}

}  // namespace dfd
