// The names of one directory stat'ed many at a time, in the order of the names. For file systems whose every answer takes its time, where a
// thread that asks one after the other would do nothing but wait.
//
//   names     0 … reported … … answered, or not yet … … … not yet asked …
//                         └──── at most `window` ─────┘
//
// Owned and used by one thread. With flags and mask of sys::statx; what the ring cannot answer, sys::statx is asked for.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <memory>
#include <span>

#include "ops/cancel.h"
#include "ops/dirents.h"
#include "sys/fd.h"

namespace dfd {

class StatRing {
 public:
  static constexpr unsigned kMostInFlight = 256;

  static Result<std::unique_ptr<StatRing>> open();
  virtual ~StatRing() = default;

  using Visit = std::function<void(const Dirent& entry, const Result<struct statx>& answer)>;

  // Calls `visit` once for each entry, until `stop`. Nothing is in flight when it returns.
  virtual void stat(Dirfd dir, std::span<const Dirent> entries, unsigned window, const CancelFlag& stop,
                    const Visit& visit) = 0;
};

}  // namespace dfd
