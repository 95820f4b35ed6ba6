#include "criterion.h"

#include <optional>
#include <utility>

#include "../core/call.h"

namespace efl::cuda {
namespace {

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

void blank(efl_device_report* report) {
  efl_device_report nothing{NAN, {}};
  nothing.report.status = EFL_NOT_COMPUTED;
  nothing.report.loss = NAN;
  upload(report, &nothing, 1);
  check(cudaStreamSynchronize(nullptr));
}

}  // namespace

Criterion::Arrays::Arrays(const SpecView& spec, Parts parts)
    : state{},
      foreground_weight(parts.take<float>(spec.columns())),
      ignored(parts.take<int32_t>(spec.convention.ignored_count)),
      sums(spec.columns(), &parts),
      reduction(&parts) {
  const int32_t classes = spec.convention.classes, columns = spec.columns();
  state.negative = parts.take<double>(classes);
  state.positive = parts.take<double>(classes);
  state.ratio = parts.take<double>(classes);
  state.steps = parts.take<int64_t>(1);
  state.gamma = parts.take<float>(columns);
  state.column_positive_weight = parts.take<float>(columns);
  state.column_negative_weight = parts.take<float>(columns);
  state.positive_weight = parts.take<double>(classes);
  state.negative_weight = parts.take<double>(classes);
  bytes = parts.taken();
}

Criterion::Criterion(int device, const SpecView& spec)
    : device_(device),
      spec_(spec),
      classes_(spec.convention.classes),
      class_gamma_(spec.class_gamma, spec.class_gamma + (spec.class_gamma ? classes_ : 0)),
      memory_(device, nullptr, Arrays(spec, Parts()).bytes),
      arrays_(spec, Parts(memory_.data())) {
  const int32_t columns = spec.columns();
  upload(arrays_.ignored, spec.convention.ignored, spec.convention.ignored_count);
  upload(arrays_.state.positive_weight, spec.positive_weight, classes_);
  upload(arrays_.state.negative_weight, spec.negative_weight, classes_);
  spec_.convention.ignored = arrays_.ignored;
  spec_.positive_weight = arrays_.state.positive_weight;
  spec_.negative_weight = arrays_.state.negative_weight;
  if (spec.foreground_weight) {
    upload(arrays_.foreground_weight, spec.foreground_weight, columns);
    spec_.foreground_weight = arrays_.foreground_weight;
  }
  // A column beyond the classes is that of objectness, which no statistics change.
  const std::vector<float> gamma(columns, spec.objectness_gamma),
      weight(columns, spec.objectness_weight);
  upload(arrays_.state.gamma, gamma.data(), columns);
  upload(arrays_.state.column_positive_weight, weight.data(), columns);
  upload(arrays_.state.column_negative_weight, weight.data(), columns);
  const std::vector<double> sums(classes_, 0.0), ratio(classes_, initial_ratio(spec.rule.rule));
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

bool Criterion::wants_statistics(const efl_device_call& given) const {
  return spec_.keeps_statistics() &&
         (given.gradients_given || (given.call.collect && has_gradient(given.call)));
}

FusedCall Criterion::fused_call(const efl_device_call& given) const {
  FusedCall call{};
  efl_problem& problem = call.problem;
  problem = problem_of(spec_, given.call, given.gradients_given);
  problem.gamma = arrays_.state.gamma;
  problem.positive_weight = arrays_.state.column_positive_weight;
  problem.negative_weight = arrays_.state.column_negative_weight;
  // All that kernels ask of the range: the gamma of a class without positives is the largest.
  problem.range.largest_gamma = float_gamma(class_factors(spec_.rule, 0).gamma);
  call.scalars = {given.normalizer, given.upstream, nullptr};
  call.statistics = wants_statistics(given);
  for (int32_t i = 0; i < given.call.level_count; ++i) {
    add_level(&call, used_level(problem, given.call.levels[i]), i);
  }
  if (given.reducer) {
    call.scalars.survey = arrays_.reduction.survey;
  } else if (needs_survey(call)) {
    call.scalars.survey = arrays_.sums.survey;
  }
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
  std::optional<Reduction> reduction;
  if (given.reducer) {
    reduction.emplace(given, device_, arrays_.reduction, arrays_.sums, wants_statistics(given));
  }
  try {
    if (!capturing) enter(stream);
    const FusedCall call = fused_call(given);
    Parts needed;
    (void)Workspace(call, &needed);
    make_room(needed.taken(), capturing);
    if (capturing) {
      // A graph cannot wait for what is outside of it, and says nothing before it is launched.
      wait_for_calls();
      if (given.report) blank(given.report);
    }
    enqueue_call(given, call, reduction ? &*reduction : nullptr);
  } catch (...) {
    if (!capturing) {
      if (reduction) reduction->fail();
      // What is in the stream all the same uses the workspace.
      if (cudaEventRecord(last_call_, stream) != cudaSuccess) (void)cudaGetLastError();
    }
    throw;
  }
  if (!capturing) leave(stream);
}

void Criterion::enqueue_call(const efl_device_call& given, const FusedCall& call,
                             Reduction* reduction) const {
  const cudaStream_t stream = static_cast<cudaStream_t>(given.stream);
  const Sums& sums = arrays_.sums;
  Parts parts(workspace_.data());
  const Workspace workspace(call, &parts);
  if (call.scalars.survey) enqueue_survey(call, sums, workspace.dense_columns, stream);
  if (reduction) reduction->add_up_counts();
  enqueue(call, workspace, sums, stream);
  SettleParams settle{};
  settle.rule = spec_.rule;
  settle.classes = call.statistics ? classes_ : 0;
  settle.negative_sums = sums.negative();
  settle.positive_sums = sums.positive();
  settle.totals = sums.totals;
  settle.problem = call.problem;
  settle.scalars = call.scalars;
  settle.state = arrays_.state;
  settle.report = given.report;
  if (reduction) reduction->add_up_sums(&settle);
  launch_settle(settle, stream);
  check_launches();
}

void Criterion::write_state(const double* positive, const double* negative, const double* ratio,
                            int64_t steps) {
  check(cudaSetDevice(device_));
  wait_for_calls();
  const StateArrays& state = arrays_.state;
  upload(state.positive, positive, classes_);
  upload(state.negative, negative, classes_);
  upload(state.ratio, ratio, classes_);
  upload(state.steps, &steps, 1);
  launch_parameters({spec_.rule, classes_, state}, nullptr);
  upload(state.gamma, class_gamma_.data(), static_cast<int64_t>(class_gamma_.size()));
  check_launches();
  check(cudaStreamSynchronize(nullptr));
}

void Criterion::read_state(double* positive, double* negative, double* ratio, int64_t* steps) {
  check(cudaSetDevice(device_));
  wait_for_calls();
  const StateArrays& state = arrays_.state;
  download(positive, state.positive, classes_);
  download(negative, state.negative, classes_);
  download(ratio, state.ratio, classes_);
  download(steps, state.steps, 1);
  check(cudaStreamSynchronize(nullptr));
}

}  // namespace efl::cuda
