// Native results as JS values.
#pragma once

#include <napi.h>

#include <string>

#include "ops/batch.h"
#include "sys/result.h"

namespace dfd {

// {errno, call, reason, subject, flags}; see lib/errors.ts.
Napi::Object error_facts(Napi::Env env, const SysError& error);

// A Buffer that owns the batch's memory, or a copy where the runtime forbids external memory.
Napi::Value to_buffer(Napi::Env env, PackedBatch batch);
Napi::Value to_buffer(Napi::Env env, const std::string& bytes);

}  // namespace dfd
