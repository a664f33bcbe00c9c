#include "binding/arguments.h"

#include <cmath>

namespace dfd {

Handle Arguments::handle() {
  Handle* found = handle_of(next());
  if (!found || !found->fd) {
    refuse("an open dirfd handle");
    return Handle{.fd = share(UniqueFd{}), .policy = {}};
  }
  return *found;
}

Handle Arguments::take_handle() {
  Handle* found = handle_of(next());
  if (found && found->fd) return std::exchange(*found, Handle{});
  refuse("an open dirfd handle");
  return Handle{.fd = share(UniqueFd{}), .policy = {}};
}

std::shared_ptr<Job> Arguments::job() {
  if (!more() || info_[at_].IsUndefined()) {
    at_++;
    return std::make_shared<Job>();
  }
  auto found = job_of(next());
  if (!found) refuse("a job");
  return found;
}

std::string Arguments::bytes() {
  Napi::Value value = next();
  if (value.IsString()) return value.As<Napi::String>().Utf8Value();
  if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) {
    auto array = value.As<Napi::Uint8Array>();
    return std::string(reinterpret_cast<const char*>(array.Data()), array.ByteLength());
  }
  refuse("a string or a Uint8Array");
  return {};
}

std::string Arguments::path() {
  std::string path = bytes();
  if (path.find('\0') != path.npos) refuse("a path without NUL bytes");
  return path;
}

int64_t Arguments::integer() {
  Napi::Value value = next();
  if (value.IsNumber()) {
    double number = value.As<Napi::Number>().DoubleValue();
    if (std::trunc(number) == number && std::abs(number) <= 9007199254740991.0) return static_cast<int64_t>(number);
  } else if (value.IsBigInt()) {
    bool lossless = false;
    int64_t number = value.As<Napi::BigInt>().Int64Value(&lossless);
    if (lossless) return number;
  }
  refuse("an integer");
  return 0;
}

bool Arguments::boolean() {
  Napi::Value value = next();
  if (value.IsBoolean()) return value.As<Napi::Boolean>().Value();
  refuse("a boolean");
  return false;
}

std::span<std::byte> Arguments::memory(Napi::ObjectReference& keep_alive) {
  Napi::Value value = next();
  if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) {
    auto array = value.As<Napi::Uint8Array>();
    keep_alive = Napi::Persistent(value.As<Napi::Object>());
    return {reinterpret_cast<std::byte*>(array.Data()), array.ByteLength()};
  }
  refuse("a Uint8Array");
  return {};
}

void Arguments::refuse(const char* expected) {
  if (problem_) return;
  problem_ = expected;
  problem_at_ = at_;
}

Napi::Error Arguments::problem() const {
  std::string text = "dirfd: native argument " + std::to_string(problem_at_) + " must be " + problem_;
  return Napi::TypeError::New(info_.Env(), text);
}

}  // namespace dfd
