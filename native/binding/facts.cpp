// What TypeScript asks once, when the addon loads: the packed layout, the names behind the numbers, and what this
// kernel allows.
#include <napi.h>
#include <sys/utsname.h>

#include <cstddef>

#include "binding/verbs.h"
#include "engine/uring/availability.h"
#include "ops/descriptor_budget.h"
#include "ops/record.h"
#include "sys/calls.h"
#include "sys/probe.h"
#include "sys/result.h"
#include "sys/thread.h"

namespace dfd {

namespace {

Napi::Object layout(Napi::Env env) {
  Napi::Object facts = Napi::Object::New(env);
  facts.Set("version", kLayoutVersion);
  facts.Set("headerSize", static_cast<uint32_t>(sizeof(BatchHeader)));
  facts.Set("statSize", static_cast<uint32_t>(sizeof(StatRecord)));
  facts.Set("entrySize", static_cast<uint32_t>(sizeof(EntryRecord)));
  facts.Set("directorySize", static_cast<uint32_t>(sizeof(DirectoryRecord)));
#define FIELD(type, field, name) facts.Set(name, static_cast<uint32_t>(offsetof(type, field)))
  FIELD(StatRecord, ino, "ino");
  FIELD(StatRecord, size, "size");
  FIELD(StatRecord, blocks, "blocks");
  FIELD(StatRecord, dev, "dev");
  FIELD(StatRecord, rdev, "rdev");
  FIELD(StatRecord, mount_id, "mountId");
  FIELD(StatRecord, attributes, "attributes");
  FIELD(StatRecord, atime_s, "atimeSeconds");
  FIELD(StatRecord, mtime_s, "mtimeSeconds");
  FIELD(StatRecord, ctime_s, "ctimeSeconds");
  FIELD(StatRecord, btime_s, "birthtimeSeconds");
  FIELD(StatRecord, atime_ns, "atimeNanoseconds");
  FIELD(StatRecord, mtime_ns, "mtimeNanoseconds");
  FIELD(StatRecord, ctime_ns, "ctimeNanoseconds");
  FIELD(StatRecord, btime_ns, "birthtimeNanoseconds");
  FIELD(StatRecord, mode, "mode");
  FIELD(StatRecord, uid, "uid");
  FIELD(StatRecord, gid, "gid");
  FIELD(StatRecord, nlink, "nlink");
  FIELD(StatRecord, blksize, "blksize");
  FIELD(StatRecord, mask, "mask");
  FIELD(EntryRecord, name_offset, "nameOffset");
  FIELD(EntryRecord, name_length, "nameLength");
  FIELD(EntryRecord, event, "event");
  FIELD(EntryRecord, call, "call");
  FIELD(EntryRecord, directory, "directory");
  FIELD(EntryRecord, err, "err");
  FIELD(DirectoryRecord, path_offset, "pathOffset");
  FIELD(DirectoryRecord, path_length, "pathLength");
  FIELD(DirectoryRecord, depth, "depth");
  FIELD(BatchHeader, entries, "entries");
  FIELD(BatchHeader, directories, "directories");
  FIELD(BatchHeader, heap_offset, "heapOffset");
  FIELD(BatchHeader, heap_length, "heapLength");
  FIELD(BatchHeader, ascii, "ascii");
  FIELD(BatchHeader, special, "special");
#undef FIELD
  return facts;
}

Napi::Array call_names(Napi::Env env) {
  Napi::Array names = Napi::Array::New(env, kCallNames.size());
  for (uint32_t i = 0; i < kCallNames.size(); i++) names.Set(i, std::string(kCallNames[i]));
  return names;
}

// Asked anew at each call: a probe that was refused once may have been remembered since.
Napi::Value capabilities(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Object features = Napi::Object::New(env);
  for (uint8_t i = 0; i < static_cast<uint8_t>(sys::Feature::kCount); i++) {
    auto feature = static_cast<sys::Feature>(i);
    features.Set(sys::feature_name(feature), sys::available(feature));
  }
  const RingAvailability ring = ring_availability();
  features.Set("io_uring", ring.state == RingState::kAvailable);
  Napi::Object facts = Napi::Object::New(env);
  facts.Set("ringState", static_cast<uint32_t>(ring.state));
  facts.Set("ringErrno", ring.err);
  utsname system{};
  if (::uname(&system) == 0) facts.Set("kernel", std::string(system.release));
  facts.Set("features", features);
  facts.Set("fdLimit", static_cast<double>(sys::fd_limit()));
  facts.Set("affordableThreads", static_cast<double>(affordable_threads()));
  return facts;
}

}  // namespace

void export_facts(Napi::Object exports) {
  Napi::Env env = exports.Env();
  exports.Set("layout", layout(env));
  exports.Set("callNames", call_names(env));
  exports.Set("reasonCount", static_cast<uint32_t>(Reason::kCount));
  exports.Set("capabilities", Napi::Function::New(env, &capabilities, "capabilities"));
}

}  // namespace dfd
