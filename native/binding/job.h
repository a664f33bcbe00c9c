// The JS object that stands for a long job: by it JavaScript cancels and reads progress while pool threads work.
#pragma once

#include <napi.h>

#include <memory>

#include "ops/job.h"

namespace dfd {

// Null where the value is not one of our jobs.
std::shared_ptr<Job> job_of(Napi::Value value);

}  // namespace dfd
