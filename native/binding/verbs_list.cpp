// Whole directories as packed batches.
#include "binding/verb.h"
#include "binding/verbs.h"
#include "ops/list_directory.h"

namespace dfd {

namespace {

struct List {
  Handle root;
  std::string path;
  Detail detail = Detail::kNames;
  PackedBatch batch;

  void parse(Arguments& arguments) {
    root = arguments.handle();
    path = arguments.path();
    detail = arguments.boolean() ? Detail::kStat : Detail::kNames;
  }

  Status run() noexcept {
    auto directory = resolve_directory(root.fd->get(), path, root.policy, FinalLink::kKeep);
    if (!directory) return directory.error().about(Subject::kPath);
    auto listed = list_directory(directory->get(), detail);
    if (!listed) return listed.error().about(Subject::kPath);
    batch = *std::move(listed);
    return success();
  }

  Napi::Value value(Napi::Env env) { return to_buffer(env, std::move(batch)); }
};

}  // namespace

void export_listing(Napi::Object exports) { export_verb<List>(exports, "list"); }

}  // namespace dfd
