// File descriptors and who owns them. UniqueFd closes what it holds; PinnedFd is a UniqueFd shared by every operation
// in flight, so that close() can never free an fd number which an operation still uses.
#pragma once

#include <cerrno>
#include <memory>
#include <utility>

#include "sys/result.h"

namespace dfd {

// This process, or the whole system, has no more to give: what is held for speed alone is to be let go of.
inline bool is_out_of_descriptors(int err) { return err == EMFILE || err == ENFILE; }

// A borrowed descriptor: valid as long as its owner lives. AT_FDCWD is never one, so no path is resolved against the
// cwd.
using Dirfd = int;

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      discard();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { discard(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

  // Closes and reports. Network file systems tell a failed write-back only here (close(2)); EINTR counts as closed,
  // because on Linux the number is free again whatever close returns.
  Status close();
  // Somebody else has closed it.
  void forget() { fd_ = -1; }

 private:
  void discard() {
    if (fd_ >= 0) (void)close();
  }
  int fd_ = -1;
};

using SharedFd = std::shared_ptr<UniqueFd>;
inline SharedFd share(UniqueFd fd) { return std::make_shared<UniqueFd>(std::move(fd)); }

}  // namespace dfd
