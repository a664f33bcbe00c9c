#include "binding/job.h"

#include "binding/arguments.h"
#include "binding/values.h"
#include "binding/verbs.h"

namespace dfd {

namespace {

// Tells our objects from those of any other addon.
constexpr napi_type_tag kTag = {0x1f7c44d0e2b95a38, 0x84d20b6ef39c1a57};

// newJob() → job
Napi::Value new_job(const Napi::CallbackInfo& info) {
  Napi::Object object = Napi::Object::New(info.Env());
  wrap(object, std::make_unique<std::shared_ptr<Job>>(std::make_shared<Job>()), kTag);
  return object;
}

// cancelJob(job): what runs stops at its next system call, with ECANCELED.
Napi::Value cancel_job(const Napi::CallbackInfo& info) {
  if (auto job = job_of(info[0])) job->cancel.cancel();
  return info.Env().Undefined();
}

// jobProgress(job) → {entries, files, bytes, unchangedBytes}
Napi::Value job_progress(const Napi::CallbackInfo& info) {
  auto job = job_of(info[0]);
  if (!job) return info.Env().Undefined();
  Napi::Object progress = Napi::Object::New(info.Env());
  progress.Set("entries", static_cast<double>(job->entries.load(std::memory_order_relaxed)));
  progress.Set("files", static_cast<double>(job->files.load(std::memory_order_relaxed)));
  progress.Set("bytes", static_cast<double>(job->bytes.load(std::memory_order_relaxed)));
  progress.Set("unchangedBytes", static_cast<double>(job->unchanged_bytes.load(std::memory_order_relaxed)));
  return progress;
}

// countUnchanged(job, entries, bytes of their content): what TypeScript has found nothing to do for.
Napi::Value count_unchanged(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  auto job = arguments.job();
  int64_t entries = arguments.integer();
  int64_t bytes = arguments.integer();
  if (arguments.ok() && entries >= 0 && bytes >= 0) {
    job->count_entries(static_cast<uint64_t>(entries));
    job->count_unchanged(static_cast<uint64_t>(bytes));
  }
  return info.Env().Undefined();
}

}  // namespace

std::shared_ptr<Job> job_of(Napi::Value value) {
  if (!value.IsObject()) return nullptr;
  bool ours = false;
  if (napi_check_object_type_tag(value.Env(), value, &kTag, &ours) != napi_ok || !ours) return nullptr;
  void* data = nullptr;
  if (napi_unwrap(value.Env(), value, &data) != napi_ok) return nullptr;
  return *static_cast<std::shared_ptr<Job>*>(data);
}

void export_jobs(Napi::Object exports) {
  Napi::Env env = exports.Env();
  exports.Set("newJob", Napi::Function::New(env, &new_job, "newJob"));
  exports.Set("cancelJob", Napi::Function::New(env, &cancel_job, "cancelJob"));
  exports.Set("countUnchanged", Napi::Function::New(env, &count_unchanged, "countUnchanged"));
  exports.Set("jobProgress", Napi::Function::New(env, &job_progress, "jobProgress"));
}

}  // namespace dfd
