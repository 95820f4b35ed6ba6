#include "criterion.h"

#include <utility>

#include "../core/loss_math.h"
#include "arguments.h"
#include "environment.h"
#include "outcome.h"

namespace efl::addon {
namespace {

int32_t int_argument(Napi::Value value, const char* name) {
  return static_cast<int32_t>(number_argument(value, name));
}

CriterionSettings decode_settings(const Napi::CallbackInfo& info) {
  CriterionSettings settings{};
  settings.classes = int_argument(info[0], "numClasses");
  settings.parameters.gamma = number_argument(info[1], "gamma");
  settings.parameters.alpha = number_argument(info[2], "alpha");
  settings.parameters.scale_factor = number_argument(info[3], "scaleFactor");
  settings.equalized = boolean_argument(info[4], "equalized");
  settings.first_class = int_argument(info[5], "firstClass");
  settings.has_background = !info[6].IsUndefined();
  if (settings.has_background) settings.background = int_argument(info[6], "background");
  const ArrayView<int32_t> ignored = array_argument<int32_t>(info[7], "ignored");
  settings.ignored.assign(ignored.data, ignored.data + ignored.length);
  settings.reduction = static_cast<efl_reduction>(int_argument(info[8], "reduction"));
  settings.loss_weight = number_argument(info[9], "lossWeight");
  if (settings.classes < 1) reject_argument(info.Env(), "numClasses", "at least 1");
  return settings;
}

}  // namespace

Napi::Function Criterion::define(Napi::Env env) {
  return DefineClass(env, "Criterion",
                     {
                         InstanceMethod<&Criterion::run>("run"),
                         InstanceMethod<&Criterion::submit>("submit"),
                         InstanceMethod<&Criterion::run_collect>("runCollect"),
                         InstanceMethod<&Criterion::submit_collect>("submitCollect"),
                         InstanceMethod<&Criterion::wait_for_calls>("waitForCalls"),
                         InstanceMethod<&Criterion::read_statistics>("readStatistics"),
                         InstanceMethod<&Criterion::read_factors>("readFactors"),
                         InstanceMethod<&Criterion::restore>("restore"),
                         InstanceMethod<&Criterion::merge>("merge"),
                         InstanceMethod<&Criterion::reset>("reset"),
                         InstanceMethod<&Criterion::dispose>("dispose"),
                     });
}

Criterion::Criterion(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<Criterion>(info),
      state_(std::make_shared<CriterionState>(decode_settings(info),
                                              Environment::of(info.Env()).cpu)) {
  accounted_memory_ = static_cast<int64_t>(state_->memory());
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), accounted_memory_);
}

void Criterion::Finalize(Napi::BasicEnv env) {
  if (accounted_memory_) Napi::MemoryManagement::AdjustExternalMemory(env, -accounted_memory_);
}

CriterionState& Criterion::state(Napi::Env env) const {
  if (!state_) throw Napi::TypeError::New(env, "the criterion has been disposed of");
  return *state_;
}

efl_focal_problem Criterion::decode_focal(const Napi::CallbackInfo& info) const {
  const std::size_t classes = static_cast<std::size_t>(state(info.Env()).settings().classes);
  const ArrayView<int32_t> labels = array_argument<int32_t>(info[1], "labels");
  const std::size_t length = labels.length * classes;
  efl_focal_problem problem{};
  problem.rows = static_cast<int64_t>(labels.length);
  problem.logits = array_argument<float>(info[0], "logits", length);
  problem.labels = labels.data;
  problem.gradient = optional_array_argument<float>(info[2], "gradient", length);
  problem.elements = optional_array_argument<float>(info[3], "elements", length);
  problem.grad_output = optional_array_argument<float>(info[4], "gradOutput", length);
  problem.normalizer = number_argument(info[5], "normalizer");
  problem.upstream = number_argument(info[6], "upstream");
  problem.loss_scale = number_argument(info[7], "lossScale");
  problem.threads = Environment::of(info.Env()).threads;
  return problem;
}

efl_collect_problem Criterion::decode_collect(const Napi::CallbackInfo& info) const {
  const std::size_t classes = static_cast<std::size_t>(state(info.Env()).settings().classes);
  const ArrayView<int32_t> labels = array_argument<int32_t>(info[1], "labels");
  efl_collect_problem problem{};
  problem.rows = static_cast<int64_t>(labels.length);
  problem.gradients = array_argument<float>(info[0], "gradients", labels.length * classes);
  problem.labels = labels.data;
  problem.scale = number_argument(info[2], "scale");
  problem.threads = Environment::of(info.Env()).threads;
  return problem;
}

Napi::Value Criterion::run(const Napi::CallbackInfo& info) {
  const efl_focal_problem problem = decode_focal(info);
  const bool collect = boolean_argument(info[8], "collect");
  double* slots = array_argument<double>(info[9], "outcome", kOutcomeSlots);
  state(info.Env()).wait_for_calls();
  efl_result result{};
  const efl_status status = state(info.Env()).compute(problem, collect, &result);
  write_outcome(status, result, slots);
  return info.Env().Undefined();
}

Napi::Value Criterion::submit(const Napi::CallbackInfo& info) {
  const efl_focal_problem problem = decode_focal(info);
  const bool collect = boolean_argument(info[8], "collect");
  auto job = std::make_unique<Job>();
  job->slots = array_argument<double>(info[9], "outcome", kOutcomeSlots);
  job->callback = info[10];
  job->to_hold = {info[0], info[1], info[9]};
  for (std::size_t optional : {2, 3, 4}) {
    if (!info[optional].IsUndefined()) job->to_hold.push_back(info[optional]);
  }
  job->compute = [state = state_, problem, collect](efl_result* result) {
    return state->compute(problem, collect, result);
  };
  return enqueue(info, std::move(job));
}

Napi::Value Criterion::run_collect(const Napi::CallbackInfo& info) {
  const efl_collect_problem problem = decode_collect(info);
  double* slots = array_argument<double>(info[3], "outcome", kOutcomeSlots);
  state(info.Env()).wait_for_calls();
  efl_result result{};
  const efl_status status = state(info.Env()).compute(problem, &result);
  write_outcome(status, result, slots);
  return info.Env().Undefined();
}

Napi::Value Criterion::submit_collect(const Napi::CallbackInfo& info) {
  const efl_collect_problem problem = decode_collect(info);
  auto job = std::make_unique<Job>();
  job->slots = array_argument<double>(info[3], "outcome", kOutcomeSlots);
  job->callback = info[4];
  job->to_hold = {info[0], info[1], info[3]};
  job->compute = [state = state_, problem](efl_result* result) {
    return state->compute(problem, result);
  };
  return enqueue(info, std::move(job));
}

// The number under which the call can be cancelled.
Napi::Value Criterion::enqueue(const Napi::CallbackInfo& info, std::unique_ptr<Job> job) {
  job->owner = state_.get();
  job->done = [state = state_] { state->call_done(); };
  state_->call_submitted();
  try {
    Executor& executor = Environment::of(info.Env()).executor;
    return Napi::Number::New(info.Env(), executor.submit(info.Env(), std::move(job)));
  } catch (...) {
    state_->call_done();
    throw;
  }
}

Napi::Value Criterion::wait_for_calls(const Napi::CallbackInfo& info) {
  state(info.Env()).wait_for_calls();
  return info.Env().Undefined();
}

// Fills the three arrays and returns the number of steps.
Napi::Value Criterion::read_statistics(const Napi::CallbackInfo& info) {
  const std::size_t classes = static_cast<std::size_t>(state(info.Env()).settings().classes);
  double* positive = array_argument<double>(info[0], "positive", classes);
  double* negative = array_argument<double>(info[1], "negative", classes);
  double* ratio = array_argument<double>(info[2], "ratio", classes);
  const GradientStatistics statistics = state(info.Env()).statistics();
  for (std::size_t j = 0; j < classes; ++j) {
    positive[j] = statistics.positive()[j];
    negative[j] = statistics.negative()[j];
    ratio[j] = statistics.ratio()[j];
  }
  return Napi::Number::New(info.Env(), static_cast<double>(statistics.steps()));
}

// Fills gamma_j and gamma_j / gamma_b.
Napi::Value Criterion::read_factors(const Napi::CallbackInfo& info) {
  const FocalParameters& parameters = state(info.Env()).settings().parameters;
  const std::size_t classes = static_cast<std::size_t>(state(info.Env()).settings().classes);
  double* focusing = array_argument<double>(info[0], "focusing", classes);
  double* weighting = array_argument<double>(info[1], "weighting", classes);
  const GradientStatistics statistics = state(info.Env()).statistics();
  for (std::size_t j = 0; j < classes; ++j) {
    focusing[j] = focusing_factor(parameters.gamma, parameters.scale_factor, statistics.ratio()[j]);
    weighting[j] = weighting_factor(focusing[j], parameters.gamma);
  }
  return info.Env().Undefined();
}

Napi::Value Criterion::restore(const Napi::CallbackInfo& info) {
  const std::size_t classes = static_cast<std::size_t>(state(info.Env()).settings().classes);
  const double* positive = array_argument<double>(info[0], "positive", classes);
  const double* negative = array_argument<double>(info[1], "negative", classes);
  const double* ratio = array_argument<double>(info[2], "ratio", classes);
  const double steps = number_argument(info[3], "steps");
  state(info.Env()).wait_for_calls();
  state(info.Env()).restore(positive, negative, ratio, static_cast<int64_t>(steps));
  return info.Env().Undefined();
}

// Adds the sums of another criterion.
Napi::Value Criterion::merge(const Napi::CallbackInfo& info) {
  const std::size_t classes = static_cast<std::size_t>(state(info.Env()).settings().classes);
  const double* positive = array_argument<double>(info[0], "positive", classes);
  const double* negative = array_argument<double>(info[1], "negative", classes);
  const double steps = number_argument(info[2], "steps");
  state(info.Env()).wait_for_calls();
  state(info.Env()).merge(positive, negative, static_cast<int64_t>(steps));
  return info.Env().Undefined();
}

Napi::Value Criterion::reset(const Napi::CallbackInfo& info) {
  state(info.Env()).wait_for_calls();
  state(info.Env()).reset();
  return info.Env().Undefined();
}

// Cancels what has not started and gives the memory back; a call at work keeps its own share of it.
Napi::Value Criterion::dispose(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).executor.cancel_all(&state(info.Env()));
  state_->wait_for_calls();
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), -accounted_memory_);
  accounted_memory_ = 0;
  state_.reset();
  return info.Env().Undefined();
}

}  // namespace efl::addon
