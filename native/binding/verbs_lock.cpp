// Open-file-description locks: tried at once, asked about, or waited for on threads of their own.
#include "binding/verb.h"
#include "binding/verbs.h"
#include "sys/lock.h"

namespace dfd {

namespace {

// (file, kind, start, length)
struct OnRange {
  Handle file;
  sys::LockKind kind = sys::LockKind::kShared;
  sys::LockRange range;

  void parse(Arguments& arguments) {
    file = arguments.handle();
    kind = static_cast<sys::LockKind>(arguments.integer());
    range.start = arguments.integer();
    range.length = arguments.integer();
  }
  Napi::Value value(Napi::Env env) { return env.Undefined(); }
};

// tryLock(file, kind, start, length): EAGAIN where somebody else is in the way
struct TryLock : OnRange {
  Status run() noexcept { return sys::try_lock(file.fd->get(), kind, range); }
};

// findLock(file, kind, start, length) → the kind that is in the way
struct FindLock : OnRange {
  sys::LockKind found = sys::LockKind::kNone;

  Status run() noexcept {
    auto in_the_way = sys::find_lock(file.fd->get(), kind, range);
    if (!in_the_way) return in_the_way.error();
    found = *in_the_way;
    return success();
  }
  Napi::Value value(Napi::Env env) { return Napi::Number::New(env, static_cast<double>(found)); }
};

class WaitLock : public LockTask {
 public:
  // waitLock(file, kind, start, length, job) → promise: ECANCELED after cancelLockWait(job)
  static Napi::Value start(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    auto task = std::make_unique<WaitLock>();
    Arguments arguments(info);
    task->asked_.parse(arguments);
    task->job_ = arguments.job();
    if (!arguments.ok()) {
      arguments.problem().ThrowAsJavaScriptException();
      return env.Undefined();
    }
    napi_value promise = nullptr;
    napi_deferred deferred = nullptr;
    napi_create_promise(env, &deferred, &promise);
    task->deferred_ = deferred;
    if (!Environment::of(env).run_lock_wait(std::move(task))) {
      napi_reject_deferred(env, deferred, error_facts(env, failure(Call::kThreadCreate, EAGAIN)));
    }
    return Napi::Value(env, promise);
  }

  LockWait wait() override {
    return {.file = asked_.file.fd, .kind = asked_.kind, .range = asked_.range, .job = job_, .done = nullptr};
  }

  void keep(Status outcome) noexcept override { outcome_ = outcome; }

  void finish(Napi::Env env) override {
    if (outcome_) {
      napi_resolve_deferred(env, deferred_, env.Undefined());
    } else {
      napi_reject_deferred(env, deferred_, error_facts(env, outcome_.error()));
    }
  }

 private:
  OnRange asked_;
  std::shared_ptr<Job> job_;
  Status outcome_ = success();
  napi_deferred deferred_ = nullptr;
};

// cancelLockWait(job): the wait ends with ECANCELED, or with the lock where that was granted at the same moment.
Napi::Value cancel_lock_wait(const Napi::CallbackInfo& info) {
  if (auto job = job_of(info[0])) Environment::of(info.Env()).lock_waits().cancel(*job);
  return info.Env().Undefined();
}

}  // namespace

void export_locks(Napi::Object exports) {
  Napi::Env env = exports.Env();
  export_verb<TryLock>(exports, "tryLock");
  export_verb<FindLock>(exports, "findLock");
  exports.Set("waitLock", Napi::Function::New(env, &WaitLock::start, "waitLock"));
  exports.Set("cancelLockWait", Napi::Function::New(env, &cancel_lock_wait, "cancelLockWait"));
}

}  // namespace dfd
