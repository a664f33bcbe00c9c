#include "binding/values.h"

namespace dfd {

Napi::Object error_facts(Napi::Env env, const SysError& error) {
  Napi::Object facts = Napi::Object::New(env);
  facts.Set("errno", error.err);
  facts.Set("call", static_cast<uint32_t>(error.call));
  facts.Set("reason", static_cast<uint32_t>(error.reason));
  facts.Set("subject", static_cast<uint32_t>(error.subject));
  facts.Set("flags", error.flags);
  return facts;
}

Napi::Value to_buffer(Napi::Env env, PackedBatch batch) {
  std::byte* bytes = batch.bytes.release();
  auto* data = reinterpret_cast<uint8_t*>(bytes);
  return Napi::Buffer<uint8_t>::NewOrCopy(
      env, data, batch.size, [](Napi::Env, uint8_t* memory) { delete[] reinterpret_cast<std::byte*>(memory); });
}

Napi::Value to_buffer(Napi::Env env, const std::string& bytes) {
  return Napi::Buffer<uint8_t>::Copy(env, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace dfd
