#include "sys/random.h"

#include <sys/random.h>

#include "sys/retry.h"

namespace dfd::sys {

Status fill_random(std::span<std::byte> into) {
  while (!into.empty()) {
    ssize_t got = retry([&] { return ::getrandom(into.data(), into.size(), 0); });
    if (got < 0) return failure(Call::kGetrandom, errno);
    into = into.subspan(static_cast<size_t>(got));
  }
  return success();
}

}  // namespace dfd::sys
