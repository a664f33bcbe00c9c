// What lib/copy drives a comparison with: one run, one call a pair of directories.
#include <cstring>

#include "binding/copy_values.h"
#include "binding/verb.h"
#include "binding/verbs.h"
#include "ops/compare_pair.h"

namespace dfd {

namespace {

constexpr napi_type_tag kTag = {0x5e81c7a90d364fb2, 0xc60f29d7b48e13a5};

std::shared_ptr<CompareRun> run_of(Napi::Value value) {
  if (!value.IsObject()) return nullptr;
  bool ours = false;
  if (napi_check_object_type_tag(value.Env(), value, &kTag, &ours) != napi_ok || !ours) return nullptr;
  void* data = nullptr;
  if (napi_unwrap(value.Env(), value, &data) != napi_ok) return nullptr;
  return *static_cast<std::shared_ptr<CompareRun>*>(data);
}

// newComparison(left handle, right handle, job, owner, xattrs, acl, times, holes, quick, flags,
// project ids, rules for users, groups, modes) → comparison
Napi::Value new_comparison(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  auto run = std::make_shared<CompareRun>();
  Handle left = arguments.handle();
  Handle right = arguments.handle();
  run->left = left.fd;
  run->right = right.fd;
  run->cross_left_mounts = left.policy.cross_mounts;
  run->cross_right_mounts = right.policy.cross_mounts;
  run->job = arguments.job();
  for (bool* option : {&run->options.owner, &run->options.xattrs, &run->options.acl, &run->options.times,
                       &run->options.holes, &run->options.quick, &run->options.flags, &run->options.project_ids}) {
    *option = arguments.boolean();
  }
  run->options.rules = rules_of(arguments);
  if (!arguments.ok()) {
    arguments.problem().ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  Napi::Object object = Napi::Object::New(info.Env());
  auto release = [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<CompareRun>*>(data); };
  napi_wrap(info.Env(), object, new std::shared_ptr<CompareRun>(std::move(run)), release, nullptr, nullptr);
  napi_type_tag_object(info.Env(), object, &kTag);
  return object;
}

// endComparison(comparison): lets go of both roots, when no task is out any more.
Napi::Value end_comparison(const Napi::CallbackInfo& info) {
  if (auto run = run_of(info[0])) {
    run->left.reset();
    run->right.reset();
    run->recent_left.clear();
    run->recent_right.clear();
  }
  return info.Env().Undefined();
}

Napi::Value record_value(Napi::Env env, const StatRecord& record) {
  return Napi::Buffer<uint8_t>::Copy(env, reinterpret_cast<const uint8_t*>(&record), sizeof record);
}

// {name, field, left?, right?: StatRecord, offset?, attribute?, leftValue?, rightValue?: Buffer}
Napi::Value difference_value(Napi::Env env, const Difference& difference) {
  Napi::Object value = Napi::Object::New(env);
  value.Set("name", to_buffer(env, difference.name));
  value.Set("field", static_cast<uint32_t>(difference.field));
  if (difference.left.mode != 0) value.Set("left", record_value(env, difference.left));
  if (difference.right.mode != 0) value.Set("right", record_value(env, difference.right));
  if (difference.field == Field::kContent) value.Set("offset", static_cast<double>(difference.offset));
  if (!difference.detail.empty()) value.Set("attribute", difference.detail);
  if (difference.left_value) value.Set("leftValue", to_buffer(env, *difference.left_value));
  if (difference.right_value) value.Set("rightValue", to_buffer(env, *difference.right_value));
  return value;
}

// Names one after the other, each with its NUL.
Names names_in(const std::string& packed) {
  Names names;
  for (size_t at = 0; at < packed.size();) {
    std::string name = packed.c_str() + at;
    at += name.size() + 1;
    names.insert(std::move(name));
  }
  return names;
}

// comparePair(comparison, piece above | undefined, path, ticket, left out: names) → {compared, differences, follow?, tickets?, problems?}
struct ComparePair {
  std::shared_ptr<CompareRun> run_;
  TreePath path;
  Ticket ticket;
  Names left_out;
  Compared compared;

  void parse(Arguments& arguments) {
    run_ = arguments.object<CompareRun>(run_of, "a comparison");
    path = tree_path_of(arguments);
    std::string bytes = arguments.bytes();
    if (bytes.size() == sizeof ticket) std::memcpy(&ticket, bytes.data(), sizeof ticket);
    left_out = names_in(arguments.bytes());
  }

  Status run(const WorkerContext& context) noexcept {
    return compare_pair(*run_, path, ticket, left_out, Stop(run_->job->cancel, context.cancel), compared);
  }

  Napi::Value value(Napi::Env env) {
    Napi::Object result = Napi::Object::New(env);
    result.Set("compared", static_cast<double>(compared.entries));
    Napi::Array differences = Napi::Array::New(env, compared.differences.size());
    for (uint32_t i = 0; i < compared.differences.size(); i++) {
      differences.Set(i, difference_value(env, compared.differences[i]));
    }
    result.Set("differences", differences);
    if (!compared.entries_to_follow.empty()) {
      result.Set("follow", to_buffer(env, compared.entries_to_follow.take()));
      auto* tickets = reinterpret_cast<const uint8_t*>(compared.tickets.data());
      result.Set("tickets", Napi::Buffer<uint8_t>::Copy(env, tickets, compared.tickets.size() * sizeof(Ticket)));
    }
    Napi::Array problems = Napi::Array::New(env, compared.problems.size());
    for (uint32_t i = 0; i < compared.problems.size(); i++) {
      Napi::Object facts = error_facts(env, compared.problems[i].error);
      facts.Set("name", to_buffer(env, compared.problems[i].detail));
      problems.Set(i, facts);
    }
    result.Set("problems", problems);
    return result;
  }
};

}  // namespace

void export_comparing(Napi::Object exports) {
  Napi::Env env = exports.Env();
  exports.Set("newComparison", Napi::Function::New(env, &new_comparison, "newComparison"));
  exports.Set("endComparison", Napi::Function::New(env, &end_comparison, "endComparison"));
  export_pooled_verb<ComparePair>(exports, "comparePair");
}

}  // namespace dfd
