#include "binding/handle.h"

#include <memory>

namespace dfd {

namespace {

// Random, fixed: tells our wrapped objects from those of any other addon.
constexpr napi_type_tag kTag = {0x6d1f0a52c94b4e17, 0x9be3570d28fa41c6};

}  // namespace

Napi::Value make_handle(Napi::Env env, Handle handle) {
  napi_value object = nullptr;
  if (napi_create_object(env, &object) != napi_ok) return {};
  auto owned = std::make_unique<Handle>(std::move(handle));
  // The finalizer also runs when the environment ends, so a terminated worker leaks no descriptor; and one that is being
  // terminated refuses to wrap anything any more.
  auto release = [](napi_env, void* data, void*) { delete static_cast<Handle*>(data); };
  if (napi_wrap(env, object, owned.get(), release, nullptr, nullptr) != napi_ok) return {};
  owned.release();
  napi_type_tag_object(env, object, &kTag);
  return Napi::Value(env, object);
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
