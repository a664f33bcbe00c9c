#include "binding/handle.h"

namespace dfd {

namespace {

// Random, fixed: tells our wrapped objects from those of any other addon.
constexpr napi_type_tag kTag = {0x6d1f0a52c94b4e17, 0x9be3570d28fa41c6};

}  // namespace

Napi::Object make_handle(Napi::Env env, UniqueFd fd, Policy policy) {
  Napi::Object object = Napi::Object::New(env);
  auto* handle = new Handle{.fd = share(std::move(fd)), .policy = policy};
  // The finalizer also runs when the environment ends, so a terminated worker leaks no descriptor.
  napi_wrap(
      env, object, handle, [](napi_env, void* data, void*) { delete static_cast<Handle*>(data); }, nullptr, nullptr);
  napi_type_tag_object(env, object, &kTag);
  return object;
}

Handle* handle_of(Napi::Value value) {
  if (!value.IsObject()) return nullptr;
  bool ours = false;
  if (napi_check_object_type_tag(value.Env(), value, &kTag, &ours) != napi_ok || !ours) return nullptr;
  void* data = nullptr;
  if (napi_unwrap(value.Env(), value, &data) != napi_ok) return nullptr;
  return static_cast<Handle*>(data);
}

}  // namespace dfd
