// Reads a call's arguments in order, re-checking only what memory safety needs: TypeScript has validated the rest. A
// wrong type or a closed handle marks the whole call as bad; the caller throws once, after all have been read.
#pragma once

#include <napi.h>

#include <span>
#include <string>
#include <vector>

#include "binding/handle.h"
#include "binding/job.h"

namespace dfd {

class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) : info_(info) {}

  // An open descriptor and the policy it was opened with.
  Handle handle();
  // What the JS object holds, taken away from it: it is closed from then on.
  Handle take_handle();
  // The job that this call is part of; one of its own where the caller left it out.
  std::shared_ptr<Job> job();
  // An object of ours of another kind, by the function that knows its tag.
  template <class T>
  std::shared_ptr<T> object(std::shared_ptr<T> (*unwrap)(Napi::Value), const char* expected) {
    auto found = unwrap(next());
    if (!found) refuse(expected);
    return found;
  }
  // The same, and null where the argument is undefined.
  template <class T>
  std::shared_ptr<T> optional_object(std::shared_ptr<T> (*unwrap)(Napi::Value), const char* expected) {
    Napi::Value value = next();
    auto found = unwrap(value);
    if (!found && !value.IsUndefined()) refuse(expected);
    return found;
  }
  // An array of such.
  template <class T>
  std::vector<std::shared_ptr<T>> optional_objects(std::shared_ptr<T> (*unwrap)(Napi::Value), const char* expected) {
    std::vector<std::shared_ptr<T>> found;
    Napi::Value value = next();
    if (!value.IsArray()) return refuse("an array"), found;
    auto array = value.As<Napi::Array>();
    for (uint32_t i = 0; i < array.Length(); i++) {
      Napi::HandleScope scope(env());
      Napi::Value one = array.Get(i);
      found.push_back(unwrap(one));
      if (!found.back() && !one.IsUndefined()) refuse(expected);
    }
    return found;
  }
  // Bytes of a string (as UTF-8) or of a Uint8Array, copied. No NUL inside: it is going to be a C string.
  std::string path();
  // The same without the NUL rule.
  std::string bytes();
  int64_t integer();  // a number within ±2^53, or a bigint within 64 bits
  bool boolean();
  // The memory of a Uint8Array, which `keep_alive` must hold while a worker uses it.
  std::span<std::byte> memory(Napi::ObjectReference& keep_alive);

  // What the arguments have to be together.
  bool require(bool holds, const char* expected) {
    if (!holds) refuse(expected);
    return holds;
  }

  bool more() const { return at_ < info_.Length(); }
  Napi::Env env() const { return info_.Env(); }
  bool ok() const { return !problem_; }
  Napi::Error problem() const;

 private:
  Napi::Value next() { return info_[at_++]; }
  void refuse(const char* expected);

  const Napi::CallbackInfo& info_;
  size_t at_ = 0;
  const char* problem_ = nullptr;
  size_t problem_at_ = 0;
};

}  // namespace dfd
