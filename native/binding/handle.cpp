#include "binding/handle.h"

#include <memory>

namespace dfd {

namespace {

// Random, fixed: tells our wrapped objects from those of any other addon.
constexpr napi_type_tag kTag = {0x6d1f0a52c94b4e17, 0x9be3570d28fa41c6};

}  // namespace

Napi::Object make_handle(Napi::Env env, UniqueFd fd, Policy policy) {
  Napi::Object object = Napi::Object::New(env);
  auto handle = std::make_unique<Handle>(Handle{.fd = share(std::move(fd)), .policy = policy});
  auto free_handle = [](napi_env, void* data, void*) { delete static_cast<Handle*>(data); };
  // The finalizer also runs when the environment ends, so a terminated worker leaks no descriptor. Where it is ending already, nothing
  // can be wrapped any more, and the handle closes here.
  if (napi_wrap(env, object, handle.get(), free_handle, nullptr, nullptr) != napi_ok) return object;
  handle.release();
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
