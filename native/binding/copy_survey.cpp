// The look over a tree that was copied before; see engine/copy/copy_survey.h.
#include <algorithm>

#include "binding/copy_values.h"
#include "binding/verb.h"
#include "binding/verbs.h"
#include "engine/copy/copy_survey.h"

namespace dfd {

namespace {

// newSurvey(copy, deletes, one file system, threads) → survey
Napi::Value new_survey(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  auto run = arguments.object<CopyRun>(run_of, "a copy");
  SurveyScope scope;
  scope.deletes = arguments.boolean();
  scope.one_file_system = arguments.boolean();
  int64_t threads = arguments.integer();
  if (!arguments.ok()) {
    arguments.problem().ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  size_t count = static_cast<size_t>(std::clamp<int64_t>(threads, 1, 256));
  return make_survey(info.Env(), {.run = run, .survey = std::make_shared<CopySurvey>(run, scope, count)});
}

// surveyWork(survey): one thread's part in it, until the whole tree has been looked at
struct Work {
  std::shared_ptr<SurveyOfRun> at;

  void parse(Arguments& arguments) { at = arguments.object<SurveyOfRun>(survey_of, "a survey"); }
  Status run(const WorkerContext& context) noexcept {
    return at->survey->work(Stop(at->run->job->cancel, context.cancel));
  }
  Napi::Value value(Napi::Env env) { return env.Undefined(); }
};

// takeSurvey(survey) → paths, as CopySurvey::take packs them; undefined: all
Napi::Value take_survey(const Napi::CallbackInfo& info) {
  auto at = survey_of(info[0]);
  auto visits = at ? at->survey->take() : std::nullopt;
  if (!visits) return info.Env().Undefined();
  return to_buffer(info.Env(), *visits);
}

}  // namespace

void export_surveying(Napi::Object exports) {
  Napi::Env env = exports.Env();
  exports.Set("newSurvey", Napi::Function::New(env, &new_survey, "newSurvey"));
  exports.Set("takeSurvey", Napi::Function::New(env, &take_survey, "takeSurvey"));
  export_pooled_verb<Work>(exports, "surveyWork");
}

}  // namespace dfd
