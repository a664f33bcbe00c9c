// A verb is one struct, used for both its asynchronous and its synchronous form:
//
//   struct Stat {
//     void parse(Arguments& arguments);       // on the JS thread
//     Status run() noexcept;                  // on a worker, or inline; touches no JS value
//     Napi::Value value(Napi::Env env);       // on the JS thread, after success
//   };
//
//            JS thread              libuv's pool or dirfd's own         JS thread
//   stat()     parse  ─────────────▶  run  ─────────────────────────▶  value → resolve, or error → reject
//   statSync() parse, run, value → return, or error → throw
//
// What is rejected or thrown is not an Error but the plain facts, {errno, call, reason, subject, flags}: lib/errors.ts
// knows the names and makes the text.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/arguments.h"
#include "binding/environment.h"
#include "binding/values.h"
#include "sys/result.h"

namespace dfd {

// A verb that works on many names, or in many steps, says which one failed.
template <class Verb>
Napi::Object failure_of(Napi::Env env, Verb& verb, const SysError& error) {
  Napi::Object facts = error_facts(env, error);
  if constexpr (requires { verb.locate(facts); }) verb.locate(facts);
  return facts;
}

template <class Verb>
class AsyncVerb {
 public:
  static Napi::Value start(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    auto task = std::make_unique<AsyncVerb>();
    Arguments arguments(info);
    task->verb_.parse(arguments);
    if (!arguments.ok()) {
      arguments.problem().ThrowAsJavaScriptException();
      return env.Undefined();
    }
    napi_value promise = nullptr;
    napi_create_promise(env, &task->deferred_, &promise);
    Napi::String name = Napi::String::New(env, "dirfd");
    napi_create_async_work(env, nullptr, name, &AsyncVerb::execute, &AsyncVerb::complete, task.get(), &task->work_);
    if (napi_queue_async_work(env, task->work_) == napi_ok) {
      task.release();
    } else {
      napi_delete_async_work(env, task->work_);
      napi_reject_deferred(env, task->deferred_, error_facts(env, failure(Call::kThreadCreate, EAGAIN)));
    }
    return Napi::Value(env, promise);
  }

 private:
  static void execute(napi_env, void* data) noexcept {
    auto* self = static_cast<AsyncVerb*>(data);
    self->outcome_ = self->verb_.run();
  }

  static void complete(napi_env raw_env, napi_status status, void* data) {
    std::unique_ptr<AsyncVerb> self(static_cast<AsyncVerb*>(data));
    Napi::Env env(raw_env);
    Napi::HandleScope scope(env);
    napi_delete_async_work(env, self->work_);
    if (status != napi_ok) return;  // cancelled: the environment is ending and nobody waits for the promise
    if (self->outcome_) {
      napi_resolve_deferred(env, self->deferred_, self->verb_.value(env));
    } else {
      napi_reject_deferred(env, self->deferred_, failure_of(env, self->verb_, self->outcome_.error()));
    }
  }

  Verb verb_;
  Status outcome_ = success();
  napi_deferred deferred_ = nullptr;
  napi_async_work work_ = nullptr;
};

enum class Pool : uint8_t { kWorkers, kWaiters };

// As AsyncVerb, on dirfd's own threads; run takes the worker's context.
template <class Verb, Pool kPool = Pool::kWorkers>
class PooledVerb : public PooledTask {
 public:
  static Napi::Value start(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    auto task = std::make_unique<PooledVerb>();
    Arguments arguments(info);
    task->verb_.parse(arguments);
    if (!arguments.ok()) {
      arguments.problem().ThrowAsJavaScriptException();
      return env.Undefined();
    }
    napi_value promise = nullptr;
    napi_deferred deferred = nullptr;
    napi_create_promise(env, &deferred, &promise);
    task->deferred_ = deferred;
    auto& environment = Environment::of(env);
    bool runs =
        kPool == Pool::kWaiters ? environment.run_waiting(std::move(task)) : environment.run_pooled(std::move(task));
    if (!runs) {
      napi_reject_deferred(env, deferred, error_facts(env, failure(Call::kThreadCreate, EAGAIN)));
    }
    return Napi::Value(env, promise);
  }

  void run(const WorkerContext& context) noexcept override { outcome_ = verb_.run(context); }

  void finish(Napi::Env env) override {
    if (outcome_) {
      napi_resolve_deferred(env, deferred_, verb_.value(env));
    } else {
      napi_reject_deferred(env, deferred_, failure_of(env, verb_, outcome_.error()));
    }
  }

 private:
  Verb verb_;
  Status outcome_ = success();
  napi_deferred deferred_ = nullptr;
};

template <class Verb>
Napi::Value run_inline(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Verb verb;
  Arguments arguments(info);
  verb.parse(arguments);
  if (!arguments.ok()) {
    arguments.problem().ThrowAsJavaScriptException();
    return env.Undefined();
  }
  Status outcome = verb.run();
  if (outcome) return verb.value(env);
  napi_throw(env, error_facts(env, outcome.error()));
  return env.Undefined();
}

// Exports `name` and `nameSync`.
template <class Verb>
void export_verb(Napi::Object exports, const char* name) {
  Napi::Env env = exports.Env();
  exports.Set(name, Napi::Function::New(env, &AsyncVerb<Verb>::start, name));
  std::string sync = std::string(name) + "Sync";
  exports.Set(sync, Napi::Function::New(env, &run_inline<Verb>, sync.c_str()));
}

// Exports only the asynchronous form, on dirfd's own threads.
template <class Verb, Pool kPool = Pool::kWorkers>
void export_pooled_verb(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New(exports.Env(), &PooledVerb<Verb, kPool>::start, name));
}

}  // namespace dfd
