#include "binding/handle.h"

#include "binding/values.h"

namespace dfd {

namespace {

// Random, fixed: tells our wrapped objects from those of any other addon.
constexpr napi_type_tag kTag = {0x6d1f0a52c94b4e17, 0x9be3570d28fa41c6};

}  // namespace

Napi::Value make_handle(Napi::Env env, Handle handle) {
  Napi::Object object = Napi::Object::New(env);
  wrap(object, std::make_unique<Handle>(std::move(handle)), kTag);
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
