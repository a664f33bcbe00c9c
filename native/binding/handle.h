// The JS object that stands for an open descriptor: opaque, type-tagged, without properties. lib/dirfd wraps it.
#pragma once

#include <napi.h>

#include "ops/resolve.h"
#include "ops/temporary_file.h"
#include "sys/fd.h"

namespace dfd {

// Every operation takes a copy of `fd`, so the number stays valid until the last of them has ended. Empty once closed.
struct Handle {
  SharedFd fd;
  Policy policy;
  std::shared_ptr<TemporaryName> temporary{};  // of a temporary file that needed a name; removed with the last copy
};

// Undefined, with the descriptor closed, where the environment is ending.
Napi::Value make_handle(Napi::Env env, Handle handle);

// Null where the value is not one of our handles.
Handle* handle_of(Napi::Value value);

}  // namespace dfd
