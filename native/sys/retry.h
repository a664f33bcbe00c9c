// EINTR means "nothing happened, ask again" for every call dirfd makes, except close (see sys/fd.h).
#pragma once

#include <cerrno>

namespace dfd::sys {

template <class F>
auto retry(F&& call) {
  for (;;) {
    auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace dfd::sys
