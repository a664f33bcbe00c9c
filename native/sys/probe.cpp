#include "sys/probe.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "sys/numbers.h"
#include "sys/procfs.h"

namespace dfd::sys {

namespace {

constexpr size_t kFeatures = static_cast<size_t>(Feature::kCount);
constexpr std::array<const char*, kFeatures> kNames = {
    "openat2", "proc", "fchmodat2", "xattrat", "copy_file_range", "ficlone", "umask_thread", "tmpfile", "io_uring",
};

std::array<bool, kFeatures> read_environment() {
  std::array<bool, kFeatures> off{};
  const char* list = std::getenv("DIRFD_DISABLE");
  std::string_view rest = list ? list : "";
  while (!rest.empty()) {
    size_t comma = rest.find(',');
    std::string_view word = rest.substr(0, comma);
    for (size_t i = 0; i < kFeatures; i++) {
      if (word == kNames[i]) off[i] = true;
    }
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  }
  return off;
}

const std::array<bool, kFeatures>& forced_off() {
  static const std::array<bool, kFeatures> off = read_environment();
  return off;
}

std::array<std::atomic<bool>, kFeatures> refused{};

// Each probe fails in the same way on every kernel that knows the call (EBADF), and otherwise with ENOSYS, or EPERM
// from seccomp.
bool known(long result) { return result >= 0 || (errno != ENOSYS && errno != EPERM); }

bool ask(Feature feature) {
  switch (feature) {
    case Feature::kOpenat2: {
      open_how how{};
      how.flags = O_PATH | O_CLOEXEC;
      how.resolve = RESOLVE_BENEATH;
      return known(::syscall(SYS_openat2, -1, ".", &how, sizeof how));
    }
    case Feature::kProc: return proc_self_fd() >= 0;
    case Feature::kFchmodat2: return known(::syscall(kSysFchmodat2, -1, ".", 0, AT_SYMLINK_NOFOLLOW));
    case Feature::kXattrat: return known(::syscall(kSysListxattrat, -1, ".", AT_SYMLINK_NOFOLLOW, nullptr, 0));
    case Feature::kCopyFileRange: return known(::syscall(SYS_copy_file_range, -1, nullptr, -1, nullptr, 0, 0));
    // Whether all that is needed can be had is told by engine/uring/availability.h.
    case Feature::kIoUring: return known(::syscall(SYS_io_uring_setup, 0, nullptr));
    default: return true;
  }
}

}  // namespace

const char* feature_name(Feature feature) { return kNames[static_cast<size_t>(feature)]; }

bool disabled(Feature feature) {
  size_t index = static_cast<size_t>(feature);
  return forced_off()[index] || refused[index].load(std::memory_order_relaxed);
}

void remember_refused(Feature feature) { refused[static_cast<size_t>(feature)].store(true, std::memory_order_relaxed); }

bool available(Feature feature) { return !disabled(feature) && ask(feature); }

}  // namespace dfd::sys
