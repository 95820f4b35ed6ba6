#include "criterion.h"

#include <algorithm>
#include <new>
#include <utility>

#include "arguments.h"
#include "devices.h"
#include "environment.h"
#include "names.h"
#include "objects.h"
#include "options.h"

namespace efl::node {
namespace {

// Where arrays on the host are computed: -1, the CPU, or the number of a device.
const efl_backend* decode_backend(Napi::Object given) {
  const int32_t device = int_argument(given.Get("device"), "device");
  if (device < 0) return Environment::of(given.Env()).cpu;
  const efl_device_library* const library = device_library();
  const efl_backend* const backend = library ? library->backend(device) : nullptr;
  if (!backend) reject_argument(given.Env(), "device", "a device of the opened library");
  return backend;
}

// A call in core's terms.
struct Call {
  efl_call call;
  bool gradients_given;

  efl_status compute(HostCriterion* host, int32_t threads, efl_report* report) const {
    return host->compute(call, gradients_given, threads, report);
  }
};

// The numbers of a call, checked; without arrays.
Call decode_numbers(napi_env env, const CallBlock& block, const SpecView& spec) {
  Call decoded{default_call(), block[kGradientsGiven] != 0};
  if (decoded.gradients_given && !spec.keeps_statistics()) {
    reject_argument(env, "gradientsGiven", "of a loss with statistics");
  }
  efl_call& call = decoded.call;
  std::size_t slot = kFirstNumber;
  for (const CallNumber& number : kCallNumbers) call.*number.field = block[slot++];
  const bool counted = block[kCountPositives] != 0;
  call.collect = static_cast<int32_t>(block[kCollect]);
  call.equalize = block[kEqualize] != 0;
  with_refusals(env, [&] { check_numbers(call, spec, decoded.gradients_given, counted); });
  return decoded;
}

// With the arrays, which the levels keep the list of.
Call decode_call(napi_env env, const CallBlock& block, const SpecView& spec, const Levels& levels,
                 const uint8_t* class_mask) {
  Call decoded = decode_numbers(env, block, spec);
  decoded.call.class_mask = class_mask;
  decoded.call.format = levels.format;
  decoded.call.levels = levels.data();
  decoded.call.level_count = levels.count();
  with_refusals(env, [&] { check_levels(decoded.call, spec, decoded.gradients_given); });
  return decoded;
}

}  // namespace

Napi::Function Criterion::define(Napi::Env env) {
  return DefineClass(env, "Criterion",
                     {
                         StaticMethod<&Criterion::run>("run"),
                         InstanceMethod<&Criterion::submit>("submit"),
                         InstanceMethod<&Criterion::run_on_device>("runOnDevice"),
                         InstanceMethod<&Criterion::check_numbers>("checkNumbers"),
                         InstanceMethod<&Criterion::wait_for_calls>("waitForCalls"),
                         InstanceMethod<&Criterion::read_statistics>("readStatistics"),
                         InstanceMethod<&Criterion::read_factors>("readFactors"),
                         InstanceMethod<&Criterion::read_parameters>("readParameters"),
                         InstanceMethod<&Criterion::restore>("restore"),
                         InstanceMethod<&Criterion::merge>("merge"),
                         InstanceMethod<&Criterion::use_ratios>("useRatios"),
                         InstanceMethod<&Criterion::collect>("collect"),
                         InstanceMethod<&Criterion::commit>("commit"),
                         InstanceMethod<&Criterion::pending_calls>("pendingCalls"),
                         InstanceMethod<&Criterion::reset>("reset"),
                         InstanceMethod<&Criterion::dispose>("dispose"),
                     });
}

// (family, options)
Criterion::Criterion(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<Criterion>(info),
      state_(std::make_shared<CriterionState>(decode_spec(info[0], info[1].As<Napi::Object>()),
                                              decode_backend(info[1].As<Napi::Object>()))),
      registry_(Environment::of(info.Env()).criteria) {
  number_ = registry_->new_number();
  accounted_memory_ = static_cast<int64_t>(state_->host().memory());
  // Defined, not set: a setter that somebody gave Object.prototype would be handed this object.
  const Napi::Number number = Napi::Number::New(info.Env(), static_cast<double>(number_));
  info.This().As<Napi::Object>().DefineProperty(
      Napi::PropertyDescriptor::Value("number", number, napi_default));
  info.This().As<Napi::Object>().DefineProperty(
      Napi::PropertyDescriptor::Value("definition", definition_of(info.Env()), napi_default));
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), accounted_memory_);
  // The last: whatever fails before takes this object away.
  registry_->add(info.Env(), number_, this, accounted_memory_);
}

// What lib has to know of the loss: { loss, rule, columns }.
Napi::Object Criterion::definition_of(Napi::Env env) const {
  const SpecView& spec = state_->spec();
  Napi::Object definition = Napi::Object::New(env);
  set_property(definition, "loss",
               with_loss(spec.loss, [](auto loss) { return decltype(loss)::kName; }));
  set_property(definition, "takesQuality", is_of_quality(spec.loss));
  set_property(definition, "rule", name_of(spec.rule.rule));
  set_property(definition, "columns", spec.columns());
  return definition;
}

void Criterion::Finalize(Napi::BasicEnv env) { free_memory(env); }

// A call at work keeps its own share of the state.
void Criterion::free_memory(Napi::BasicEnv env) {
  if (!state_) return;
  state_.reset();
  registry_->remove(number_, accounted_memory_);
  Napi::MemoryManagement::AdjustExternalMemory(env, -accounted_memory_);
}

const Criterion& Criterion::named(Napi::Env env, double number) {
  const Criterion* const criterion = Environment::of(env).criteria->find(number);
  if (!criterion) throw Napi::TypeError::New(env, "the criterion has been disposed of");
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

std::size_t Criterion::classes(Napi::Env env) const {
  return static_cast<std::size_t>(state(env).spec().convention.classes);
}

GradientStatistics Criterion::statistics(Napi::Env env) const {
  return with_device_errors(env, [&] { return state(env).statistics(); });
}

Napi::Value Criterion::run(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info.Env());
  const double number = environment.block[kCriterion];
  const SpecView& spec = named(info.Env(), number).state_->spec();
  const auto classes = static_cast<std::size_t>(spec.convention.classes);
  const Levels levels = decode_levels(info, spec.columns());
  const uint8_t* const class_mask =
      info.Length() > kClassMask ? decode_class_mask(info, classes) : nullptr;
  // Looked up again: a list can have run code that disposed of it.
  CriterionState& state = named(info.Env(), number).state_at_home(info.Env());
  const Call call = decode_call(info.Env(), environment.block, state.spec(), levels, class_mask);
  state.wait_for_calls();
  (void)call.compute(&state.host(), environment.threads, environment.block.report());
  return info.Env().Undefined();
}

// Returns the number under which the call can be cancelled.
Napi::Value Criterion::submit(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info.Env());
  const int32_t columns = state(info.Env()).spec().columns();
  auto levels = std::make_shared<const Levels>(decode_levels(info, columns));
  const SpecView& spec = state(info.Env()).spec();  // which is still there, whatever a list has run
  const Call call = decode_call(info.Env(), environment.block, spec, *levels,
                                decode_class_mask(info, classes(info.Env())));
  auto job = std::make_unique<Job>();
  job->owner = state_.get();
  job->outcome = array_argument<double>(info[kOutcome], "outcome", kReportSlots);
  job->callback = info[kDone];
  for (std::size_t index = kLogits; index <= kOutcome; ++index) {
    if (!info[index].IsUndefined()) job->to_hold.push_back(info[index]);
  }
  (void)state_at_home(info.Env());
  job->compute = [state = state_, levels, call, threads = environment.threads](efl_report* report) {
    (void)call.compute(&state->host(), threads, report);
  };
  job->done = [state = state_] { state->call_done(); };
  state_->call_submitted();
  try {
    return Napi::Number::New(info.Env(), environment.executor.submit(info.Env(), std::move(job)));
  } catch (...) {
    state_->call_done();
    throw;
  }
}

namespace {

// Memory of the device that a stream belongs to.
class DeviceArrays : public ArrayPlace {
 public:
  explicit DeviceArrays(const std::shared_ptr<Stream>& stream) : stream_(stream) {}
  void* find(Napi::Value value, const char* name, napi_typedarray_type type,
             std::size_t count) const override {
    return memory_argument(value, name, stream_, count * bytes_of_element(type));
  }
  const float* scalar(Napi::Value value, const char* name) const {
    if (value.IsUndefined()) return nullptr;
    return static_cast<const float*>(find(value, name, napi_float32_array, 1));
  }

 private:
  const std::shared_ptr<Stream>& stream_;
};

}  // namespace

// A graph that the stream is captured into keeps the part, and has the state on its device.
void Criterion::keep_in_capture(const Environment& environment, const Stream& stream,
                                const std::shared_ptr<DeviceCriterion>& part) const {
  if (!environment.capture.is_into(stream)) return;
  const auto move_state = [state = state_, device = part->device] {
    (void)state->on_device(device);
  };
  environment.capture.graph->keep(part, move_state);
}

// Puts the call into a stream.
Napi::Value Criterion::run_on_device(const Napi::CallbackInfo& info) {
  const int32_t device = int_argument(info[kDevice], "device");
  if (!device_library()) reject_argument(info.Env(), "device", "one of the opened library");
  const std::shared_ptr<Stream> stream = stream_argument(info[kStream], device);
  const DeviceArrays arrays(stream);
  const Environment& environment = Environment::of(info.Env());
  const Levels levels = decode_levels(info, state(info.Env()).spec().columns(), arrays);
  CriterionState& criterion = state(info.Env());  // as in submit
  const Call decoded = decode_call(info.Env(), environment.block, criterion.spec(), levels,
                                   decode_class_mask(info, classes(info.Env()), &arrays));
  efl_device_call call{};
  call.call = decoded.call;
  call.gradients_given = decoded.gradients_given;
  call.normalizer = arrays.scalar(info[kDeviceNormalizer], "normalizer");
  call.upstream = arrays.scalar(info[kDeviceUpstream], "gradOutput");
  call.report = static_cast<efl_device_report*>(
      memory_argument(info[kReport], "report", stream, sizeof(efl_device_report)));
  call.stream = stream->handle;
  with_device_errors(info.Env(), [&] {
    const std::shared_ptr<DeviceCriterion> part = criterion.on_device(device);
    keep_in_capture(environment, *stream, part);
    require_device(device_library()->compute(part->get(), &call));
  });
  return info.Env().Undefined();
}

Napi::Value Criterion::check_numbers(const Napi::CallbackInfo& info) {
  (void)decode_numbers(info.Env(), Environment::of(info.Env()).block, state(info.Env()).spec());
  return info.Env().Undefined();
}

Napi::Value Criterion::wait_for_calls(const Napi::CallbackInfo& info) {
  state(info.Env()).wait_for_calls();
  return info.Env().Undefined();
}

// Fills the three arrays and returns the number of steps.
Napi::Value Criterion::read_statistics(const Napi::CallbackInfo& info) {
  const std::size_t count = classes(info.Env());
  double* const positive = array_argument<double>(info[0], "positive", count);
  double* const negative = array_argument<double>(info[1], "negative", count);
  double* const ratio = array_argument<double>(info[2], "ratio", count);
  const GradientStatistics found = statistics(info.Env());
  std::copy(found.positive().begin(), found.positive().end(), positive);
  std::copy(found.negative().begin(), found.negative().end(), negative);
  std::copy(found.ratio().begin(), found.ratio().end(), ratio);
  return Napi::Number::New(info.Env(), static_cast<double>(found.steps()));
}

Napi::Value Criterion::read_factors(const Napi::CallbackInfo& info) {
  const std::size_t count = classes(info.Env());
  double* const first = array_argument<double>(info[0], "first", count);
  double* const second = array_argument<double>(info[1], "second", count);
  efl::read_factors(state(info.Env()).spec(), statistics(info.Env()), first, second);
  return info.Env().Undefined();
}

// Fills what the kernels would compute the next call with, one value for each column: gamma, the
// weights of positives and of negatives, and those of negatives in rows with a class. Returns the
// logit below which these count for nothing; undefined where they are those of all rows.
Napi::Value Criterion::read_parameters(const Napi::CallbackInfo& info) {
  const SpecView& spec = state(info.Env()).spec();
  const auto columns = static_cast<std::size_t>(spec.columns());
  float* const gamma = array_argument<float>(info[0], "gamma", columns);
  float* const positive = array_argument<float>(info[1], "positive", columns);
  float* const negative = array_argument<float>(info[2], "negative", columns);
  float* const foreground = array_argument<float>(info[3], "foreground", columns);
  ColumnParameters now(spec);
  update_parameters(spec, statistics(info.Env()).ratio(), 0, spec.convention.classes, &now);
  std::copy(now.gamma.begin(), now.gamma.end(), gamma);
  std::copy(now.positive_weight.begin(), now.positive_weight.end(), positive);
  std::copy(now.negative_weight.begin(), now.negative_weight.end(), negative);
  if (!spec.foreground_weight) return info.Env().Undefined();
  std::copy_n(spec.foreground_weight, columns, foreground);
  return Napi::Number::New(info.Env(), static_cast<double>(spec.foreground_threshold));
}

Napi::Value Criterion::restore(const Napi::CallbackInfo& info) {
  const std::size_t count = classes(info.Env());
  const double* const positive = array_argument<double>(info[0], "positive", count);
  const double* const negative = array_argument<double>(info[1], "negative", count);
  const double* const ratio = array_argument<double>(info[2], "ratio", count);
  const double steps = number_argument(info[3], "steps");
  // What is on a device is not looked at: it may be out of reach, and is to be replaced.
  CriterionState& criterion = state(info.Env());
  criterion.wait_for_calls();
  criterion.host().restore(positive, negative, ratio, static_cast<int64_t>(steps));
  criterion.leave_device();
  return info.Env().Undefined();
}

// Adds the sums of another criterion.
Napi::Value Criterion::merge(const Napi::CallbackInfo& info) {
  const std::size_t count = classes(info.Env());
  const double* const positive = array_argument<double>(info[0], "positive", count);
  const double* const negative = array_argument<double>(info[1], "negative", count);
  const double steps = number_argument(info[2], "steps");
  CriterionState& criterion = state_at_home(info.Env());
  criterion.wait_for_calls();
  criterion.host().merge(positive, negative, static_cast<int64_t>(steps));
  return info.Env().Undefined();
}

// Replaces the ratios alone, for the next call.
Napi::Value Criterion::use_ratios(const Napi::CallbackInfo& info) {
  const double* const ratio = array_argument<double>(info[0], "ratio", classes(info.Env()));
  CriterionState& criterion = state_at_home(info.Env());
  criterion.wait_for_calls();
  criterion.host().use_ratios(ratio);
  return info.Env().Undefined();
}

// Takes the sums of a call that somebody else has computed: (positive, negative, defers).
Napi::Value Criterion::collect(const Napi::CallbackInfo& info) {
  const std::size_t count = classes(info.Env());
  const double* const positive = array_argument<double>(info[0], "positive", count);
  const double* const negative = array_argument<double>(info[1], "negative", count);
  const bool defers = boolean_argument(info[2], "defers");
  CriterionState& criterion = state_at_home(info.Env());
  criterion.wait_for_calls();
  const int32_t threads = Environment::of(info.Env()).threads;
  const efl_status status = criterion.host().collect(positive, negative, defers, threads);
  if (status == EFL_OUT_OF_MEMORY) throw std::bad_alloc();
  return info.Env().Undefined();
}

// (device, stream): without a device where the state is, in the default stream.
Napi::Value Criterion::commit(const Napi::CallbackInfo& info) {
  CriterionState& criterion = state(info.Env());
  const Environment& environment = Environment::of(info.Env());
  if (info[0].IsUndefined()) {
    with_device_errors(info.Env(), [&] { criterion.commit(nullptr, environment.threads); });
    return info.Env().Undefined();
  }
  const int32_t device = int_argument(info[0], "device");
  const std::shared_ptr<Stream> stream = stream_argument(info[1], device);
  with_device_errors(info.Env(), [&] {
    keep_in_capture(environment, *stream, criterion.on_device(device));
    criterion.commit(stream->handle, environment.threads);
  });
  return info.Env().Undefined();
}

Napi::Value Criterion::pending_calls(const Napi::CallbackInfo& info) {
  const int64_t calls =
      with_device_errors(info.Env(), [&] { return state(info.Env()).pending_calls(); });
  return Napi::Number::New(info.Env(), static_cast<double>(calls));
}

Napi::Value Criterion::reset(const Napi::CallbackInfo& info) {
  CriterionState& criterion = state(info.Env());
  criterion.wait_for_calls();
  criterion.host().reset();
  criterion.leave_device();
  return info.Env().Undefined();
}

// Cancels what has not started and gives the memory back.
Napi::Value Criterion::dispose(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).executor.cancel_all(&state(info.Env()));
  state_->wait_for_calls();
  free_memory(info.Env());
  return info.Env().Undefined();
}

}  // namespace efl::node
