// The walk as a JS object.
//
//   new Walk(root handle, options, receive)
//     receive(batch: Buffer, question: number)   once a batch; question 0 expects no answer
//     receive(undefined, 0)                      once, at the end: threads, memory and descriptors are gone
//   acknowledge(bytes)            a batch has been consumed
//   answer(question, decisions)   a byte for each record: enter the directory?
//   cancel()                      the end comes soon
//   hold(boolean)                 whether the walk keeps the event loop alive; it does not at first
//   statistics()
//
// Owners: the JS object and the queue (the thread-safe function) share a Session. The session owns the engine's walk until the last
// delivery has been received, the JS object is garbage, or the environment ends, whichever is first.
#include <napi.h>

#include "binding/arguments.h"
#include "binding/values.h"
#include "binding/verbs.h"
#include "engine/walk/walk.h"

namespace dfd {

namespace {

class Session : public std::enable_shared_from_this<Session> {
 public:
  Status open(Napi::Env env, Napi::Function receive, Handle root, const WalkOptions& options);

  Walk* walk() { return walk_.get(); }
  const WalkStatistics& final_statistics() const { return final_; }
  void hold(bool alive);

 private:
  static void deliver(napi_env env, napi_value receive, void* context, void* data);
  static void end_with_environment(void* self);
  void end();

  napi_env env_ = nullptr;
  napi_threadsafe_function queue_ = nullptr;
  std::unique_ptr<Walk> walk_;
  WalkStatistics final_;
};

Status Session::open(Napi::Env env, Napi::Function receive, Handle root, const WalkOptions& options) {
  env_ = env;
  auto* owner = new std::shared_ptr<Session>(shared_from_this());
  Napi::String name = Napi::String::New(env, "dirfd walk");
  // Size 0, unbounded: engine/walk/flow.h bounds what is out. The queue's own share of the session goes when the queue does.
  napi_status status = napi_create_threadsafe_function(
      env, receive, nullptr, name, 0, 1, owner,
      [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<Session>*>(data); }, this, &Session::deliver,
      &queue_);
  if (status != napi_ok) {
    delete owner;
    return failure(Call::kThreadCreate, EAGAIN);
  }
  napi_unref_threadsafe_function(env, queue_);
  // Added after the queue's own hook and therefore run before it: the threads are joined while the queue still exists.
  napi_add_env_cleanup_hook(env, &Session::end_with_environment, this);
  auto walk = Walk::start(root.fd, root.policy, options, [queue = queue_](Delivery delivery) {
    auto* data = new Delivery(std::move(delivery));
    if (napi_call_threadsafe_function(queue, data, napi_tsfn_nonblocking) != napi_ok) delete data;
  });
  if (!walk) {
    end();
    return walk.error();
  }
  walk_ = *std::move(walk);
  return success();
}

void Session::hold(bool alive) {
  if (!queue_) return;
  if (alive) {
    napi_ref_threadsafe_function(env_, queue_);
  } else {
    napi_unref_threadsafe_function(env_, queue_);
  }
}

void Session::deliver(napi_env raw_env, napi_value receive, void* context, void* data) {
  std::unique_ptr<Delivery> delivery(static_cast<Delivery*>(data));
  if (!raw_env) return;  // the environment has ended; only memory is left to free
  Napi::Env env(raw_env);
  Napi::HandleScope scope(env);
  auto self = static_cast<Session*>(context)->shared_from_this();
  if (delivery->last) self->end();
  napi_value arguments[] = {
      delivery->last ? env.Undefined() : to_buffer(env, std::move(delivery->batch)),
      Napi::Number::New(env, static_cast<double>(delivery->question)),
  };
  napi_value ignored = nullptr;
  napi_status status = napi_call_function(env, env.Undefined(), receive, 2, arguments, &ignored);
  if (status == napi_pending_exception) {
    napi_value exception = nullptr;
    napi_get_and_clear_last_exception(env, &exception);
    napi_fatal_exception(env, exception);  // a bug of dirfd's own: lib/walk catches what users' functions throw
  }
}

void Session::end_with_environment(void* self) { static_cast<Session*>(self)->end(); }

// On the JS thread. The threads have been asked to stop or are at their end, so the join is short: one system call at most each.
void Session::end() {
  if (walk_) {
    walk_->cancel();
    walk_->join();
    final_ = walk_->statistics();
    walk_.reset();
  }
  if (!queue_) return;
  napi_remove_env_cleanup_hook(env_, &Session::end_with_environment, this);
  napi_release_threadsafe_function(std::exchange(queue_, nullptr), napi_tsfn_abort);
}

class WalkObject : public Napi::ObjectWrap<WalkObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Walk",
                       {
                           InstanceMethod<&WalkObject::acknowledge>("acknowledge"),
                           InstanceMethod<&WalkObject::answer>("answer"),
                           InstanceMethod<&WalkObject::cancel>("cancel"),
                           InstanceMethod<&WalkObject::hold>("hold"),
                           InstanceMethod<&WalkObject::statistics>("statistics"),
                       });
  }

  explicit WalkObject(const Napi::CallbackInfo& info);
  // Garbage collected: nobody can consume any more. The last delivery will find nobody either, and frees all.
  ~WalkObject() override {
    if (Walk* walk = session_->walk()) walk->cancel();
  }

 private:
  Napi::Value acknowledge(const Napi::CallbackInfo& info);
  Napi::Value answer(const Napi::CallbackInfo& info);
  Napi::Value cancel(const Napi::CallbackInfo& info);
  Napi::Value hold(const Napi::CallbackInfo& info);
  Napi::Value statistics(const Napi::CallbackInfo& info);

  std::shared_ptr<Session> session_ = std::make_shared<Session>();
};

// Checked, not coerced: while the environment ends, Get gives an empty value, and coercing that aborts the process.
size_t whole(Napi::Object options, const char* name) {
  Napi::Value value = options.Get(name);
  return value.IsNumber() ? static_cast<size_t>(value.As<Napi::Number>().Int64Value()) : 0;
}

bool flag(Napi::Object options, const char* name) {
  Napi::Value value = options.Get(name);
  return value.IsBoolean() && value.As<Napi::Boolean>().Value();
}

WalkOptions parse_options(Napi::Object options) {
  return {
      .order = static_cast<Order>(std::min<size_t>(whole(options, "order"), static_cast<size_t>(Order::kSorted))),
      .engine = static_cast<Engine>(std::min<size_t>(whole(options, "engine"), static_cast<size_t>(Engine::kRing))),
      .max_depth = static_cast<uint32_t>(whole(options, "maxDepth")),
      .one_file_system = flag(options, "oneFileSystem"),
      .follow = flag(options, "follow"),
      .ask = flag(options, "ask"),
      .ignore_files = flag(options, "ignoreFiles"),
      .leave = flag(options, "leave"),
      .kinds = static_cast<uint32_t>(whole(options, "kinds")),
      .threads = whole(options, "threads"),
      .running_threads = whole(options, "runningThreads"),
      .open_directories = whole(options, "openDirectories"),
      .batch_entries = whole(options, "batchEntries"),
      .batch_bytes = whole(options, "batchBytes"),
      .outstanding_bytes = whole(options, "outstandingBytes"),
  };
}

WalkObject::WalkObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<WalkObject>(info) {
  Napi::Env env = info.Env();
  Arguments arguments(info);
  Handle root = arguments.handle();
  if (!arguments.ok() || !info[1].IsObject() || !info[2].IsFunction()) {
    Napi::TypeError::New(env, "dirfd: native Walk takes an open handle, options and a function")
        .ThrowAsJavaScriptException();
    return;
  }
  Status status = session_->open(env, info[2].As<Napi::Function>(), root, parse_options(info[1].As<Napi::Object>()));
  if (!status) napi_throw(env, error_facts(env, status.error()));
}

Napi::Value WalkObject::acknowledge(const Napi::CallbackInfo& info) {
  Walk* walk = session_->walk();
  if (walk && info[0].IsNumber()) walk->acknowledge(static_cast<size_t>(info[0].As<Napi::Number>().Int64Value()));
  return info.Env().Undefined();
}

Napi::Value WalkObject::answer(const Napi::CallbackInfo& info) {
  Walk* walk = session_->walk();
  if (walk && info[0].IsNumber() && info[1].IsTypedArray()) {
    auto decisions = info[1].As<Napi::Uint8Array>();
    walk->answer(static_cast<uint64_t>(info[0].As<Napi::Number>().Int64Value()),
                 std::as_bytes(std::span(decisions.Data(), decisions.ByteLength())));
  }
  return info.Env().Undefined();
}

Napi::Value WalkObject::cancel(const Napi::CallbackInfo& info) {
  if (Walk* walk = session_->walk()) walk->cancel();
  return info.Env().Undefined();
}

Napi::Value WalkObject::hold(const Napi::CallbackInfo& info) {
  session_->hold(info[0].IsBoolean() && info[0].As<Napi::Boolean>().Value());
  return info.Env().Undefined();
}

Napi::Value WalkObject::statistics(const Napi::CallbackInfo& info) {
  Walk* walk = session_->walk();
  const WalkStatistics now = walk ? walk->statistics() : session_->final_statistics();
  Napi::Object facts = Napi::Object::New(info.Env());
  facts.Set("entries", static_cast<double>(now.entries));
  facts.Set("directories", static_cast<double>(now.directories));
  facts.Set("errors", static_cast<double>(now.errors));
  facts.Set("vanished", static_cast<double>(now.vanished));
  facts.Set("reopened", static_cast<double>(now.reopened));
  facts.Set("threads", static_cast<double>(now.threads));
  return facts;
}

}  // namespace

void export_walk(Napi::Object exports) { exports.Set("Walk", WalkObject::define(exports.Env())); }

}  // namespace dfd
