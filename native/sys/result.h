// Result<T>: a value or a SysError. No exceptions anywhere below the binding, and no text: a SysError is a few numbers
// that TypeScript turns into a message, because only TypeScript knows the names the caller used.
#pragma once

#include <cerrno>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <variant>

#include "sys/calls.h"

namespace dfd {

// Why an operation failed where errno alone would mislead. The same order as in lib/errors.ts.
enum class Reason : uint8_t {
  kErrno,         // nothing but the errno
  kEscape,        // the path leads out of the directory it is relative to
  kChanged,       // the entry is no longer the one that was stat'ed: mount id or inode differ
  kTorn,          // the file changed while it was copied
  kNotRegular,    // an open for data found a FIFO, socket, device or directory
  kUnsupported,   // neither the call nor any fallback exists on this kernel or file system
  kTooManyLinks,  // more symlinks than the kernel itself would follow
  kShortWrite,    // the file system took no byte and gave no error
  kBadOffset,     // an offset or length the kernel cannot represent
  kOverlap,       // a copy has met its own other root
  kUncertain,     // done, but whether it would survive a crash is not known
  kIntegrity,     // what was read back is not what was written
  kCount,
};

// Which of the caller's names the failure is about.
enum class Subject : uint8_t { kHandle, kPath, kSecondPath };

struct SysError {
  int32_t err = 0;  // positive errno
  Call call = Call::kNone;
  Reason reason = Reason::kErrno;
  Subject subject = Subject::kHandle;
  int32_t flags = 0;  // the flags or mode the failed call was given, for the message

  constexpr SysError about(Subject which) const {
    SysError copy = *this;
    copy.subject = which;
    return copy;
  }
};
static_assert(std::is_trivially_copyable_v<SysError>);

struct Nothing {};

template <class T = Nothing>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(SysError error) : state_(std::in_place_index<1>, error) {}

  explicit operator bool() const { return state_.index() == 0; }
  bool ok() const { return state_.index() == 0; }

  T& value() & { return *std::get_if<0>(&state_); }
  const T& value() const& { return *std::get_if<0>(&state_); }
  T&& value() && { return std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }

  const SysError& error() const { return *std::get_if<1>(&state_); }
  int err() const { return ok() ? 0 : error().err; }

 private:
  std::variant<T, SysError> state_;
};

using Status = Result<Nothing>;
inline Status success() { return Nothing{}; }

inline SysError failure(Call call, int err, int32_t flags = 0) {
  return SysError{.err = err, .call = call, .flags = flags};
}
inline SysError failure_because(Reason reason, Call call, int err, int32_t flags = 0) {
  return SysError{.err = err, .call = call, .reason = reason, .flags = flags};
}

}  // namespace dfd
