#include "criterion.h"

#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "arguments.h"
#include "devices.h"
#include "environment.h"
#include "levels.h"
#include "outcome.h"

namespace efl::addon {
namespace {

double number_setting(Napi::Object settings, const char* name) {
  return number_argument(settings.Get(name), name);
}

int32_t int_setting(Napi::Object settings, const char* name) {
  return int_argument(settings.Get(name), name);
}

std::vector<double> weights_setting(Napi::Object settings, const char* name, int32_t classes) {
  const double* weights =
      array_argument<double>(settings.Get(name), name, static_cast<std::size_t>(classes));
  return std::vector<double>(weights, weights + classes);
}

LossParameters decode_parameters(Napi::Object settings, int32_t classes) {
  LossParameters parameters{};
  parameters.rule = static_cast<Rule>(int_setting(settings, "rule"));
  parameters.gamma = number_setting(settings, "gamma");
  parameters.scale_factor = number_setting(settings, "scaleFactor");
  parameters.map_steepness = number_setting(settings, "mapSteepness");
  parameters.map_midpoint = number_setting(settings, "mapMidpoint");
  parameters.positive_gain = number_setting(settings, "positiveGain");
  parameters.positive_weight = weights_setting(settings, "positiveWeight", classes);
  parameters.negative_weight = weights_setting(settings, "negativeWeight", classes);
  return parameters;
}

CriterionSettings decode_settings(Napi::Object given) {
  CriterionSettings settings{};
  settings.classes = int_setting(given, "numClasses");
  if (settings.classes < 1) reject_argument(given.Env(), "numClasses", "at least 1");
  settings.has_objectness = boolean_argument(given.Get("objectness"), "objectness");
  settings.loss = static_cast<efl_loss>(int_setting(given, "loss"));
  settings.parameters = decode_parameters(given, settings.classes);
  if (!given.Get("foregroundWeight").IsUndefined()) {
    const std::vector<double> weights =
        weights_setting(given, "foregroundWeight", settings.classes);
    settings.foreground_weight.assign(weights.begin(), weights.end());
    settings.foreground_threshold =
        static_cast<float>(number_setting(given, "foregroundThreshold"));
    if (settings.has_objectness) settings.foreground_weight.push_back(1.0f);
  }
  settings.first_class = int_setting(given, "firstClass");
  settings.has_background = !given.Get("background").IsUndefined();
  if (settings.has_background) settings.background = int_setting(given, "background");
  const ArrayView<int32_t> ignored = array_argument<int32_t>(given.Get("ignored"), "ignored");
  settings.ignored.assign(ignored.data, ignored.data + ignored.length);
  settings.reduction = static_cast<efl_reduction>(int_setting(given, "reduction"));
  settings.loss_weight = number_setting(given, "lossWeight");
  return settings;
}

// Where arrays on the host are computed: -1, the CPU, or the number of a device.
const efl_backend* decode_backend(Napi::Object given) {
  const int32_t device = int_setting(given, "device");
  if (device < 0) return Environment::of(given.Env()).cpu;
  const efl_device_library* const library = device_library();
  const efl_backend* const backend = library ? library->backend(device) : nullptr;
  if (!backend) reject_argument(given.Env(), "device", "a device of the opened library");
  return backend;
}

// Where the arguments of a call are; see lib/binding/addon.ts.
enum FocalArgument : std::size_t {
  kLogits,
  kLabels,
  kGradient,
  kElements,
  kGradOutput,
  kQuality,
  kTargets,
  kGeometry,
  kOutcome,
  kDone
};
enum DeviceArgument : std::size_t {
  kDevice,
  kDeviceLogits,
  kDeviceLabels,
  kDeviceGradient,
  kDeviceElements,
  kDeviceGradOutput,
  kDeviceQuality,
  kDeviceTargets,
  kDeviceGeometry,
  kDeviceNormalizer,
  kDeviceUpstream,
  kDeviceLossScale,
  kDeviceCollect,
  kDeviceReport,
  kDeviceStream,
  kDeviceGradientsGiven
};
enum CollectArgument : std::size_t {
  kCollectGradients,
  kCollectLabels,
  kCollectGeometry,
  kCollectOutcome,
  kCollectDone
};

void hold(const Napi::CallbackInfo& info, std::initializer_list<std::size_t> indices, Job* job) {
  for (std::size_t index : indices) {
    if (!info[index].IsUndefined()) job->to_hold.push_back(info[index]);
  }
}

}  // namespace

Napi::Function Criterion::define(Napi::Env env) {
  return DefineClass(env, "Criterion",
                     {
                         StaticMethod<&Criterion::run>("run"),
                         InstanceMethod<&Criterion::submit>("submit"),
                         StaticMethod<&Criterion::run_collect>("runCollect"),
                         InstanceMethod<&Criterion::submit_collect>("submitCollect"),
                         InstanceMethod<&Criterion::run_on_device>("runOnDevice"),
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
      state_(std::make_shared<CriterionState>(decode_settings(info[0].As<Napi::Object>()),
                                              decode_backend(info[0].As<Napi::Object>()))),
      registry_(Environment::of(info.Env()).criteria) {
  number_ = registry_->new_number();
  accounted_memory_ = static_cast<int64_t>(state_->host().memory());
  // Defined, not set: a setter that somebody gave Object.prototype would be handed this object.
  const Napi::Number number = Napi::Number::New(info.Env(), static_cast<double>(number_));
  info.This().As<Napi::Object>().DefineProperty(
      Napi::PropertyDescriptor::Value("number", number, napi_default));
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), accounted_memory_);
  // The last: whatever fails before takes this object away.
  registry_->add(info.Env(), number_, this, accounted_memory_);
}

void Criterion::Finalize(Napi::BasicEnv env) { free_memory(env); }

// A call at work keeps its own share of the state.
void Criterion::free_memory(Napi::BasicEnv env) {
  if (!state_) return;
  state_.reset();
  registry_->remove(number_, accounted_memory_);
  Napi::MemoryManagement::AdjustExternalMemory(env, -accounted_memory_);
}

Criterion& Criterion::named(const Napi::CallbackInfo& info) {
  const Environment& environment = Environment::of(info.Env());
  Criterion* const criterion = environment.criteria->find(environment.numbers[kCriterion]);
  if (!criterion) throw Napi::TypeError::New(info.Env(), "the criterion has been disposed of");
  return *criterion;
}

CriterionState& Criterion::state(Napi::Env env) const {
  if (!state_) throw Napi::TypeError::New(env, "the criterion has been disposed of");
  return *state_;
}

CriterionState& Criterion::state_at_home(Napi::Env env) const {
  CriterionState& criterion = state(env);
  with_device_errors(env, [&] { criterion.bring_home(); });
  return criterion;
}

namespace {

template <class Problem>
Problem with_levels(Problem problem, const Levels& levels) {
  problem.format = levels.format;
  problem.levels = levels.data();
  problem.level_count = levels.count();
  return problem;
}

// Without arrays.
efl_problem focal_problem(const Environment& environment) {
  efl_problem problem{};
  problem.normalizer = environment.numbers[kNormalizer];
  problem.upstream = environment.numbers[kUpstream];
  problem.loss_scale = environment.numbers[kLossScale];
  problem.threads = environment.threads;
  return problem;
}

efl_collect_problem collect_problem(const Environment& environment) {
  efl_collect_problem problem{};
  problem.scale = environment.numbers[kScale];
  problem.threads = environment.threads;
  return problem;
}

bool collects(const Environment& environment) { return environment.numbers[kCollect] != 0; }

}  // namespace

// Two or three arguments are rows with labels, and perhaps their gradient: what a small call mostly
// has. What the others are need not be found out then.
Levels Criterion::focal_levels(const Napi::CallbackInfo& info) const {
  const HostCriterion& criterion = state(info.Env()).host();
  const bool has_rows_only = info.Length() <= kElements;
  const bool has_quality =
      !has_rows_only && info[kTargets].IsUndefined() != info[kQuality].IsUndefined();
  if (criterion.settings().loss == EFL_LOSS_QUALITY_FOCAL && !has_quality) {
    reject_argument(info.Env(), "quality", "given with labels");
  }
  if (has_rows_only) {
    const auto gradient = info.Length() > kGradient ? std::optional(info[kGradient]) : std::nullopt;
    return decode_rows(info[kLogits], info[kLabels], gradient, criterion.columns());
  }
  return decode_levels({info[kLogits], info[kLabels], info[kGradient], info[kElements],
                        info[kGradOutput], info[kQuality], info[kTargets], info[kGeometry]},
                       criterion.columns());
}

Levels Criterion::collect_levels(const Napi::CallbackInfo& info) const {
  const int32_t columns = state(info.Env()).host().columns();
  if (info.Length() <= kCollectGeometry) {
    return decode_rows(info[kCollectGradients], info[kCollectLabels], std::nullopt, columns);
  }
  const Napi::Value none = info.Env().Undefined();
  return decode_levels({info[kCollectGradients], info[kCollectLabels], none, none, none, none, none,
                        info[kCollectGeometry]},
                       columns);
}

Napi::Value Criterion::run(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info.Env());
  const Criterion& criterion = named(info);
  const Levels levels = criterion.focal_levels(info);
  const efl_problem problem = with_levels(focal_problem(environment), levels);
  CriterionState& state = criterion.state_at_home(info.Env());
  state.wait_for_calls();
  efl_result result{};
  const efl_status status = state.host().compute(problem, collects(environment), &result);
  write_outcome(status, result, environment.numbers.outcome());
  return info.Env().Undefined();
}

Napi::Value Criterion::submit(const Napi::CallbackInfo& info) {
  const Environment& environment = Environment::of(info.Env());
  auto levels = std::make_shared<const Levels>(focal_levels(info));
  auto job = std::make_unique<Job>();
  job->slots = array_argument<double>(info[kOutcome], "outcome", kOutcomeSlots);
  job->callback = info[kDone];
  hold(info, {kLogits, kLabels, kGradient, kElements, kGradOutput, kQuality, kTargets, kOutcome},
       job.get());
  job->compute = [state = state_, levels, problem = focal_problem(environment),
                  collect = collects(environment)](efl_result* result) {
    return state->host().compute(with_levels(problem, *levels), collect, result);
  };
  return enqueue(info, std::move(job));
}

Napi::Value Criterion::run_collect(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info.Env());
  const Criterion& criterion = named(info);
  const Levels levels = criterion.collect_levels(info);
  const efl_collect_problem problem = with_levels(collect_problem(environment), levels);
  CriterionState& state = criterion.state_at_home(info.Env());
  state.wait_for_calls();
  efl_result result{};
  const efl_status status = state.host().compute(problem, &result);
  write_outcome(status, result, environment.numbers.outcome());
  return info.Env().Undefined();
}

Napi::Value Criterion::submit_collect(const Napi::CallbackInfo& info) {
  auto levels = std::make_shared<const Levels>(collect_levels(info));
  auto job = std::make_unique<Job>();
  job->slots = array_argument<double>(info[kCollectOutcome], "outcome", kOutcomeSlots);
  job->callback = info[kCollectDone];
  hold(info, {kCollectGradients, kCollectLabels, kCollectOutcome}, job.get());
  job->compute = [state = state_, levels,
                  problem = collect_problem(Environment::of(info.Env()))](efl_result* result) {
    return state->host().compute(with_levels(problem, *levels), result);
  };
  return enqueue(info, std::move(job));
}

// The number under which the call can be cancelled.
Napi::Value Criterion::enqueue(const Napi::CallbackInfo& info, std::unique_ptr<Job> job) {
  (void)state_at_home(info.Env());
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

namespace {

// Memory of a level, where the list is given.
template <class T>
T* of_level(Napi::Value list, const char* name, uint32_t level,
            const std::shared_ptr<Stream>& stream, std::size_t bytes) {
  if (list.IsUndefined()) return nullptr;
  if (!list.IsArray()) reject_argument(list.Env(), name, "a list with one for each level");
  const Napi::Value memory = list.As<Napi::Array>().Get(level);
  return static_cast<T*>(memory_argument(memory, name, stream, bytes));
}

// A number, or memory of one on the device.
double scalar(Napi::Value value, const char* name, const std::shared_ptr<Stream>& stream,
              const float** on_device) {
  if (value.IsNumber()) return number_argument(value, name);
  *on_device = static_cast<const float*>(memory_argument(value, name, stream, sizeof(float)));
  return 1;
}

Levels device_levels(const Napi::CallbackInfo& info, const std::shared_ptr<Stream>& stream,
                     int32_t columns) {
  const Geometry geometry(info[kDeviceGeometry]);
  Levels result;
  result.format = geometry.format();
  for (uint32_t i = 0; i < geometry.levels(); ++i) {
    const std::size_t rows = geometry.rows(info.Env(), i, columns);
    const std::size_t elements = rows * static_cast<std::size_t>(columns);
    const std::size_t numbers = elements * bytes_of(result.format.dtype);
    const std::size_t floats = elements * sizeof(float);
    efl_level level{};
    level.images = geometry.images(i);
    level.positions = geometry.positions(i);
    level.logits = of_level<void>(info[kDeviceLogits], "logits", i, stream, numbers);
    level.labels = of_level<int32_t>(info[kDeviceLabels], "labels", i, stream, rows * 4);
    level.gradient = of_level<void>(info[kDeviceGradient], "gradient", i, stream, numbers);
    level.elements = of_level<float>(info[kDeviceElements], "elements", i, stream, floats);
    level.grad_output = of_level<float>(info[kDeviceGradOutput], "gradOutput", i, stream, floats);
    level.quality = of_level<float>(info[kDeviceQuality], "quality", i, stream, rows * 4);
    level.targets = of_level<float>(info[kDeviceTargets], "targets", i, stream, floats);
    result.add(level);
  }
  return result;
}

// What a call cannot do without.
void check_given(const Napi::CallbackInfo& info, efl_loss loss) {
  const bool labels = !info[kDeviceLabels].IsUndefined();
  if (info[kDeviceLogits].IsUndefined()) reject_argument(info.Env(), "logits", "given");
  if (labels != info[kDeviceTargets].IsUndefined()) {
    reject_argument(info.Env(), "labels or targets", "given, and not both");
  }
  const bool collects = boolean_argument(info[kDeviceGradientsGiven], "gradientsGiven");
  if (loss == EFL_LOSS_QUALITY_FOCAL && labels && !collects && info[kDeviceQuality].IsUndefined()) {
    reject_argument(info.Env(), "quality", "given");
  }
}

}  // namespace

Napi::Value Criterion::run_on_device(const Napi::CallbackInfo& info) {
  const int32_t device = int_argument(info[kDevice], "device");
  if (!device_library()) reject_argument(info.Env(), "device", "one of the opened library");
  const std::shared_ptr<Stream> stream = stream_argument(info[kDeviceStream], device);
  check_given(info, state(info.Env()).settings().loss);
  const Levels levels = device_levels(info, stream, state(info.Env()).host().columns());
  efl_device_call call{};
  call.format = levels.format;
  call.levels = levels.data();
  call.level_count = levels.count();
  call.normalizer = scalar(info[kDeviceNormalizer], "normalizer", stream, &call.device_normalizer);
  call.upstream = scalar(info[kDeviceUpstream], "upstream", stream, &call.device_upstream);
  call.loss_scale = number_argument(info[kDeviceLossScale], "lossScale");
  call.collect = boolean_argument(info[kDeviceCollect], "collect");
  call.gradients_given = boolean_argument(info[kDeviceGradientsGiven], "gradientsGiven");
  call.report = static_cast<efl_report*>(
      memory_argument(info[kDeviceReport], "report", stream, sizeof(efl_report)));
  call.stream = stream->handle;
  CriterionState& criterion = state(info.Env());
  const Capture& capture = Environment::of(info.Env()).capture;
  with_device_errors(info.Env(), [&] {
    const std::shared_ptr<DeviceCriterion> part = criterion.on_device(device);
    if (capture.is_into(*stream)) {
      capture.graph->keep(part, [state = state_, device] { (void)state->on_device(device); });
    }
    require_device(device_library()->compute(part->get(), &call));
  });
  return info.Env().Undefined();
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
  const GradientStatistics statistics =
      with_device_errors(info.Env(), [&] { return state(info.Env()).statistics(); });
  for (std::size_t j = 0; j < classes; ++j) {
    positive[j] = statistics.positive()[j];
    negative[j] = statistics.negative()[j];
    ratio[j] = statistics.ratio()[j];
  }
  return Napi::Number::New(info.Env(), static_cast<double>(statistics.steps()));
}

// Fills what the statistics make of each class: gamma_j and gamma_j / gamma_b, or, with
// Equalization Loss v2, the factors on negatives and positives.
Napi::Value Criterion::read_factors(const Napi::CallbackInfo& info) {
  const LossParameters& parameters = state(info.Env()).settings().parameters;
  const std::size_t classes = static_cast<std::size_t>(state(info.Env()).settings().classes);
  double* first = array_argument<double>(info[0], "first", classes);
  double* second = array_argument<double>(info[1], "second", classes);
  const GradientStatistics statistics =
      with_device_errors(info.Env(), [&] { return state(info.Env()).statistics(); });
  const bool v2 = parameters.rule == Rule::kEqualizationV2;
  for (std::size_t j = 0; j < classes; ++j) {
    const ClassFactors factors = class_factors(parameters, statistics.ratio()[j]);
    first[j] = v2 ? factors.negative : factors.gamma;
    second[j] = factors.positive;
  }
  return info.Env().Undefined();
}

Napi::Value Criterion::restore(const Napi::CallbackInfo& info) {
  const std::size_t classes = static_cast<std::size_t>(state(info.Env()).settings().classes);
  const double* positive = array_argument<double>(info[0], "positive", classes);
  const double* negative = array_argument<double>(info[1], "negative", classes);
  const double* ratio = array_argument<double>(info[2], "ratio", classes);
  const double steps = number_argument(info[3], "steps");
  // What is on a device is not looked at: it may be out of reach, and is to be replaced.
  state(info.Env()).wait_for_calls();
  state(info.Env()).host().restore(positive, negative, ratio, static_cast<int64_t>(steps));
  state(info.Env()).leave_device();
  return info.Env().Undefined();
}

// Adds the sums of another criterion.
Napi::Value Criterion::merge(const Napi::CallbackInfo& info) {
  const std::size_t classes = static_cast<std::size_t>(state(info.Env()).settings().classes);
  const double* positive = array_argument<double>(info[0], "positive", classes);
  const double* negative = array_argument<double>(info[1], "negative", classes);
  const double steps = number_argument(info[2], "steps");
  state_at_home(info.Env()).wait_for_calls();
  state(info.Env()).host().merge(positive, negative, static_cast<int64_t>(steps));
  return info.Env().Undefined();
}

Napi::Value Criterion::reset(const Napi::CallbackInfo& info) {
  state(info.Env()).wait_for_calls();
  state(info.Env()).host().reset();
  state(info.Env()).leave_device();
  return info.Env().Undefined();
}

// Cancels what has not started and gives the memory back.
Napi::Value Criterion::dispose(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).executor.cancel_all(&state(info.Env()));
  state_->wait_for_calls();
  free_memory(info.Env());
  return info.Env().Undefined();
}

}  // namespace efl::addon
