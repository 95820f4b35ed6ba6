#include "criterion.h"

#include <algorithm>

namespace efl::cuda {
namespace {

ClassRule rule_of(const efl_device_rule& given) {
  return {static_cast<Rule>(given.rule), given.gamma,        given.scale_factor,
          given.map_steepness,           given.map_midpoint, given.positive_gain};
}

// g_j stays within [0, 1].
float largest_gamma(const ClassRule& rule) {
  const bool focuses = rule.rule == Rule::kEqualizedFocal;
  return efl::float_gamma(rule.gamma + (focuses ? rule.scale_factor : 0));
}

// From host memory that may be used again at once.
template <class T>
void upload(T* to, const T* from, int64_t count) {
  if (count == 0) return;
  check(cudaMemcpyAsync(to, from, count * sizeof(T), cudaMemcpyHostToDevice, nullptr));
}

template <class T>
void download(T* to, const T* from, int64_t count) {
  check(cudaMemcpyAsync(to, from, count * sizeof(T), cudaMemcpyDeviceToHost, nullptr));
}

void blank(efl_report* report) {
  efl_report nothing{};
  nothing.loss = NAN;
  nothing.status = EFL_NOT_COMPUTED;
  upload(report, &nothing, 1);
  check(cudaStreamSynchronize(nullptr));
}

}  // namespace

Criterion::Lasting::Lasting(int32_t classes, int32_t columns, int32_t ignored_count, Parts parts)
    : state{},
      foreground_weight(parts.take<float>(columns)),
      ignored(parts.take<int32_t>(ignored_count)),
      positive_weight(parts.take<double>(classes)),
      negative_weight(parts.take<double>(classes)),
      sums(columns, &parts) {
  state.negative = parts.take<double>(classes);
  state.positive = parts.take<double>(classes);
  state.ratio = parts.take<double>(classes);
  state.steps = parts.take<int64_t>(1);
  state.gamma = parts.take<float>(columns);
  state.column_positive_weight = parts.take<float>(columns);
  state.column_negative_weight = parts.take<float>(columns);
  state.positive_weight = positive_weight;
  state.negative_weight = negative_weight;
  bytes = parts.taken();
}

Criterion::Criterion(int device, const efl_device_settings& settings)
    : device_(device),
      settings_(settings),
      rule_(rule_of(settings.rule)),
      classes_(settings.convention.classes),
      columns_(efl::columns_of(settings.convention)),
      memory_(device, nullptr,
              Lasting(classes_, columns_, settings.convention.ignored_count, Parts()).bytes),
      lasting_(classes_, columns_, settings.convention.ignored_count, Parts(memory_.data())) {
  const efl_label_convention& convention = settings.convention;
  upload(lasting_.ignored, convention.ignored, convention.ignored_count);
  upload(lasting_.positive_weight, settings.positive_weight, classes_);
  upload(lasting_.negative_weight, settings.negative_weight, classes_);
  if (settings.foreground_weight) {
    upload(lasting_.foreground_weight, settings.foreground_weight, columns_);
    settings_.foreground_weight = lasting_.foreground_weight;
  }
  // A column beyond the classes is that of objectness, which no statistics change.
  const std::vector<float> zeros(columns_, 0.0f), ones(columns_, 1.0f);
  upload(lasting_.state.gamma, zeros.data(), columns_);
  upload(lasting_.state.column_positive_weight, ones.data(), columns_);
  upload(lasting_.state.column_negative_weight, ones.data(), columns_);
  settings_.convention.ignored = lasting_.ignored;
  settings_.positive_weight = settings_.negative_weight = nullptr;
  const std::vector<double> sums(classes_, 0.0), ratio(classes_, efl::initial_ratio(rule_.rule));
  write_state(sums.data(), sums.data(), ratio.data(), 0);
}

Criterion::~Criterion() {
  // Memory goes back to the default stream, which waits for no other.
  try {
    check(cudaSetDevice(device_));
    wait_for_calls();
  } catch (const CudaError&) {
    // The device has failed, or the process ends: there is nothing left to wait for.
  }
}

void Criterion::wait_for_calls() const { check(cudaEventSynchronize(last_call_)); }

void Criterion::enter(cudaStream_t stream) const {
  check(cudaStreamWaitEvent(stream, last_call_, 0));
}

void Criterion::leave(cudaStream_t stream) { check(cudaEventRecord(last_call_, stream)); }

FusedCall Criterion::fused_call(const efl_device_call& given) const {
  FusedCall call{};
  efl_problem& problem = call.problem;
  problem.convention = settings_.convention;
  problem.format = given.format;
  problem.loss = settings_.loss;
  problem.gamma = lasting_.state.gamma;
  problem.positive_weight = lasting_.state.column_positive_weight;
  problem.negative_weight = lasting_.state.column_negative_weight;
  problem.foreground_weight = settings_.foreground_weight;
  problem.foreground_threshold = settings_.foreground_threshold;
  problem.reduction = given.gradients_given ? EFL_REDUCTION_SUM : settings_.reduction;
  problem.normalizer = given.normalizer;
  problem.loss_weight = given.gradients_given ? 1.0 : settings_.loss_weight;
  problem.upstream = given.upstream;
  problem.loss_scale = given.loss_scale;
  call.scalars = {given.device_normalizer, given.device_upstream, nullptr};
  call.largest_gamma = largest_gamma(rule_);
  call.gradients_given = given.gradients_given;
  const bool has_gradient = given.level_count > 0 && given.levels[0].gradient;
  call.statistics =
      given.collect && rule_.rule != Rule::kFixed && (given.gradients_given || has_gradient);
  for (int32_t i = 0; i < given.level_count; ++i) add_level(&call, given.levels[i], i);
  if (needs_survey(call)) call.scalars.survey = lasting_.sums.survey;
  return call;
}

void Criterion::make_room(std::size_t bytes, bool capturing) {
  if (bytes > workspace_.bytes()) {
    // From the default stream, which outlives all others, and so to be waited for.
    DeviceMemory larger(device_, nullptr, bytes);
    check(cudaStreamSynchronize(nullptr));
    wait_for_calls();
    std::swap(workspace_, larger);
    if (captured_) outgrown_.push_back(std::move(larger));
  }
  captured_ = captured_ || capturing;
}

void Criterion::compute(const efl_device_call& given) {
  check(cudaSetDevice(device_));
  const cudaStream_t stream = static_cast<cudaStream_t>(given.stream);
  const bool capturing = stream && is_capturing(stream);
  const FusedCall call = fused_call(given);
  Parts needed;
  (void)Workspace(call, &needed);
  make_room(needed.taken(), capturing);
  if (capturing) {
    // A graph cannot wait for what is outside of it, and says nothing before it is launched.
    wait_for_calls();
    if (given.report) blank(given.report);
  } else {
    enter(stream);
  }

  try {
    enqueue_call(call, given.report, stream);
  } catch (const CudaError&) {
    // What is in the stream all the same uses the workspace.
    if (!capturing && cudaEventRecord(last_call_, stream) != cudaSuccess) (void)cudaGetLastError();
    throw;
  }
  if (!capturing) leave(stream);
}

void Criterion::enqueue_call(const FusedCall& call, efl_report* report, cudaStream_t stream) const {
  Parts parts(workspace_.data());
  const Workspace workspace(call, &parts);
  if (call.scalars.survey) enqueue_survey(call, lasting_.sums, workspace.dense_columns, stream);
  enqueue(call, workspace, lasting_.sums, stream);
  SettleParams settle{};
  settle.rule = rule_;
  settle.classes = call.statistics ? classes_ : 0;
  settle.negative_sums = lasting_.sums.negative;
  settle.positive_sums = lasting_.sums.positive;
  settle.totals = lasting_.sums.totals;
  settle.problem = call.problem;
  settle.scalars = call.scalars;
  settle.state = lasting_.state;
  settle.report = report;
  launch_settle(settle, stream);
  check_launches();
}

void Criterion::write_state(const double* positive, const double* negative, const double* ratio,
                            int64_t steps) {
  check(cudaSetDevice(device_));
  wait_for_calls();
  const StateArrays& state = lasting_.state;
  upload(state.positive, positive, classes_);
  upload(state.negative, negative, classes_);
  upload(state.ratio, ratio, classes_);
  upload(state.steps, &steps, 1);
  launch_parameters({rule_, classes_, state}, nullptr);
  check_launches();
  check(cudaStreamSynchronize(nullptr));
}

void Criterion::read_state(double* positive, double* negative, double* ratio, int64_t* steps) {
  check(cudaSetDevice(device_));
  wait_for_calls();
  const StateArrays& state = lasting_.state;
  download(positive, state.positive, classes_);
  download(negative, state.negative, classes_);
  download(ratio, state.ratio, classes_);
  download(steps, state.steps, 1);
  check(cudaStreamSynchronize(nullptr));
}

}  // namespace efl::cuda
