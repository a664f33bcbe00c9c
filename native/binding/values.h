// Native results as JS values.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "ops/batch.h"
#include "sys/result.h"

namespace dfd {

// {errno, call, reason, subject, flags}; see lib/errors.ts.
Napi::Object error_facts(Napi::Env env, const SysError& error);

// A Buffer that owns the batch's memory, or a copy where the runtime forbids external memory.
Napi::Value to_buffer(Napi::Env env, PackedBatch batch);
Napi::Value to_buffer(Napi::Env env, const std::string& bytes);

// Ties `owned` to a JS object, with which it goes: as garbage, or at the environment's end. Where that end has begun nothing can be
// wrapped any more, and `owned` goes here.
template <class T>
void wrap(Napi::Object object, std::unique_ptr<T> owned, const napi_type_tag& tag) {
  napi_finalize release = [](napi_env, void* data, void*) { delete static_cast<T*>(data); };
  if (napi_wrap(object.Env(), object, owned.get(), release, nullptr, nullptr) != napi_ok) return;
  owned.release();
  napi_type_tag_object(object.Env(), object, &tag);
}

}  // namespace dfd
