// Verbs on whole trees, on dirfd's own threads.
#include "binding/on_place.h"
#include "binding/verb.h"
#include "binding/verbs.h"
#include "ops/remove_tree.h"

namespace dfd {

namespace {

// removeTree(handle, path, keepGoing = false, job?, crossMounts = the handle's, spared handle?) → {entries, failed, failures: [{path, errno, call, …}]}
//
// Without keepGoing the first failure rejects, its `path` (below the tree) added to the facts; "." empties the handle's
// own directory.
struct RemoveTree : OnPlace {
  RemoveOptions options;
  std::shared_ptr<Job> job;
  RemoveReport report;

  void parse(Arguments& arguments) {
    parse_place(arguments);
    options.cross_mounts = root.policy.cross_mounts;
    if (arguments.more()) options.keep_going = arguments.boolean();
    job = arguments.job();
    if (arguments.more()) options.cross_mounts = arguments.boolean();
    if (!arguments.more()) return;
    Handle spared = arguments.handle();
    if (!spared.fd) return;
    if (auto node = node_of(spared.fd->get())) options.spared = *node;
  }

  Status run(const WorkerContext& context) noexcept {
    auto place = resolve_parent(root.fd->get(), path, root.policy);
    if (!place) return place.error().about(Subject::kPath);
    // A copy spares its source, and its progress is about that, not about what it removes.
    report = remove_tree(*place, options, Stop(job->cancel, context.cancel), options.spared ? nullptr : job.get());
    if (options.keep_going || report.failures.empty()) return success();
    return report.failures.front().error.about(Subject::kPath);
  }

  void locate(Napi::Object facts) {
    if (!report.failures.empty()) facts.Set("path", to_buffer(facts.Env(), report.failures.front().path));
  }

  Napi::Value value(Napi::Env env) {
    Napi::Array failures = Napi::Array::New(env, report.failures.size());
    for (uint32_t i = 0; i < report.failures.size(); i++) {
      Napi::Object facts = error_facts(env, report.failures[i].error.about(Subject::kPath));
      facts.Set("path", to_buffer(env, report.failures[i].path));
      failures.Set(i, facts);
    }
    Napi::Object result = Napi::Object::New(env);
    result.Set("entries", static_cast<double>(report.entries));
    result.Set("failed", static_cast<double>(report.failed));
    result.Set("failures", failures);
    return result;
  }
};

}  // namespace

void export_trees(Napi::Object exports) { export_pooled_verb<RemoveTree>(exports, "removeTree"); }

}  // namespace dfd
