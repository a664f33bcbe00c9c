// Verbs on whole trees, on dirfd's own threads.
#include "binding/on_place.h"
#include "binding/verb.h"
#include "binding/verbs.h"
#include "ops/remove_tree.h"

namespace dfd {

namespace {

Napi::Value report_value(Napi::Env env, const RemoveReport& report) {
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

// removeTree(handle, path, keepGoing = false, job?, crossMounts = the handle's) → {entries, failed, failures: [{path, errno, call, …}]}
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
  }

  Status run(const WorkerContext& context) noexcept {
    auto place = resolve_parent(root.fd->get(), path, root.policy);
    if (!place) return place.error().about(Subject::kPath);
    report = remove_tree(*place, options, Stop(job->cancel, context.cancel), job.get());
    if (options.keep_going || report.failures.empty()) return success();
    return report.failures.front().error.about(Subject::kPath);
  }

  void locate(Napi::Object facts) {
    if (!report.failures.empty()) facts.Set("path", to_buffer(facts.Env(), report.failures.front().path));
  }

  Napi::Value value(Napi::Env env) { return report_value(env, report); }
};

// removeTrees(handle, paths: each with a NUL after it, job, spared handle, keepGoing) → as removeTree, failures' paths below the handle
//
// What a copy removes at its destination: of a tree in which something fails, the rest goes; of the trees, where keepGoing is given. What is mounted
// there stays, and so does the spared directory, the copy's source. The job's progress is about that, not about what is removed.
struct RemoveTrees {
  Handle root;
  std::string paths;
  std::shared_ptr<Job> job;
  bool keep_going = false;
  RemoveOptions options{.cross_mounts = false, .keep_going = true};
  RemoveReport report;

  void parse(Arguments& arguments) {
    root = arguments.handle();
    paths = arguments.bytes();
    job = arguments.job();
    Handle spared = arguments.handle();
    keep_going = arguments.boolean();
    if (!spared.fd) return;
    if (auto node = node_of(spared.fd->get())) options.spared = *node;
  }

  Status run(const WorkerContext& context) noexcept {
    const Stop stop(job->cancel, context.cancel);
    for (size_t from = 0, end; (end = paths.find('\0', from)) != std::string::npos; from = end + 1) {
      remove(paths.substr(from, end - from), stop);
      if (stop.wanted() || (!keep_going && !report.failures.empty())) break;
    }
    return success();
  }

  void remove(const std::string& path, const Stop& stop) {
    auto place = resolve_parent(root.fd->get(), path, root.policy);
    RemoveReport one;
    if (place) {
      one = remove_tree(*place, options, stop);
    } else {
      one = {.failed = 1, .failures = {{.path = {}, .error = place.error()}}};
    }
    report.entries += one.entries;
    report.failed += one.failed;
    for (PathFailure& failure : one.failures) {
      failure.path = failure.path.empty() ? path : path + '/' + failure.path;
      report.failures.push_back(std::move(failure));
    }
  }

  Napi::Value value(Napi::Env env) { return report_value(env, report); }
};

}  // namespace

void export_trees(Napi::Object exports) {
  export_pooled_verb<RemoveTree>(exports, "removeTree");
  export_pooled_verb<RemoveTrees>(exports, "removeTrees");
}

}  // namespace dfd
