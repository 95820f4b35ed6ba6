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
      pending{},
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
  const int32_t kept = spec.keeps_statistics() ? classes : 0;
  pending.negative = parts.take<double>(kept);
  pending.positive = parts.take<double>(kept);
  pending.calls = parts.take<int64_t>(1);
  // Without statistics there are no others.
  const bool moves = spec.keeps_statistics();
  base_gamma = moves ? parts.take<float>(columns) : state.gamma;
  base_positive_weight = moves ? parts.take<float>(columns) : state.column_positive_weight;
  base_negative_weight = moves ? parts.take<float>(columns) : state.column_negative_weight;
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
  StateArrays base = arrays_.state;
  base.gamma = arrays_.base_gamma;
  base.column_positive_weight = arrays_.base_positive_weight;
  base.column_negative_weight = arrays_.base_negative_weight;
  fill_columns(base);
  fill_columns(arrays_.state);
  const std::vector<double> sums(classes_, 0.0), ratio(classes_, initial_ratio(spec.rule.rule));
  if (spec.keeps_statistics()) write_pending(sums.data(), sums.data(), 0);
  write_state(sums.data(), sums.data(), ratio.data(), 0);
  ClassRule fixed = spec.rule;
  fixed.rule = Rule::kFixed;
  write_parameters(fixed, base);
}

// A column beyond the classes is that of objectness, which no statistics change.
void Criterion::fill_columns(const StateArrays& state) const {
  const std::vector<float> gamma(spec_.columns(), spec_.objectness_gamma),
      weight(spec_.columns(), spec_.objectness_weight);
  upload(state.gamma, gamma.data(), spec_.columns());
  upload(state.column_positive_weight, weight.data(), spec_.columns());
  upload(state.column_negative_weight, weight.data(), spec_.columns());
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
  problem = problem_of(spec_, given.call, given.gradients_given);
  const bool equalize = given.call.equalize != 0;
  problem.gamma = equalize ? arrays_.state.gamma : arrays_.base_gamma;
  problem.positive_weight =
      equalize ? arrays_.state.column_positive_weight : arrays_.base_positive_weight;
  problem.negative_weight =
      equalize ? arrays_.state.column_negative_weight : arrays_.base_negative_weight;
  // All that kernels ask of the range: the gamma of a class without positives is the largest.
  problem.range.largest_gamma = float_gamma(class_factors(spec_.rule, 0).gamma);
  call.scalars = {given.normalizer, given.upstream, nullptr};
  call.statistics = wants_statistics(spec_, given.call, given.gradients_given);
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

template <class Work>
void Criterion::in_order(cudaStream_t stream, Reduction* reduction, const Work& work) {
  const bool capturing = stream && is_capturing(stream);
  try {
    if (!capturing) enter(stream);
    work(capturing);
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

void Criterion::compute(const efl_device_call& given) {
  check(cudaSetDevice(device_));
  const cudaStream_t stream = static_cast<cudaStream_t>(given.stream);
  std::optional<Reduction> reduction;
  if (given.reducer) {
    const bool steps =
        wants_statistics(spec_, given.call, given.gradients_given) && !defers(given.call);
    reduction.emplace(*given.reducer, stream, device_, arrays_.reduction, arrays_.sums, true,
                      steps);
  }
  in_order(stream, reduction ? &*reduction : nullptr, [&](bool capturing) {
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
  });
}

void Criterion::commit(cudaStream_t stream, const efl_reducer* reducer) {
  check(cudaSetDevice(device_));
  if (!spec_.keeps_statistics()) return;
  std::optional<Reduction> reduction;
  if (reducer) {
    reduction.emplace(*reducer, stream, device_, arrays_.reduction, arrays_.sums, false, true);
  }
  in_order(stream, reduction ? &*reduction : nullptr, [&](bool capturing) {
    if (capturing) wait_for_calls();
    CommitParams commit{};
    commit.rule = spec_.rule;
    commit.classes = classes_;
    commit.state = arrays_.state;
    commit.pending = arrays_.pending;
    commit.negative_sums = arrays_.pending.negative;
    commit.positive_sums = arrays_.pending.positive;
    if (reduction) reduction->add_up_pending(&commit);
    launch_commit(commit, stream);
    check_launches();
  });
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
  settle.pending = arrays_.pending;
  settle.defers = defers(given.call);
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
  write_parameters(spec_.rule, state);
}

void Criterion::write_parameters(const ClassRule& rule, const StateArrays& state) const {
  launch_parameters({rule, classes_, state}, nullptr);
  upload(state.gamma, class_gamma_.data(), static_cast<int64_t>(class_gamma_.size()));
  check_launches();
  check(cudaStreamSynchronize(nullptr));
}

void Criterion::write_pending(const double* positive, const double* negative, int64_t calls) {
  check(cudaSetDevice(device_));
  wait_for_calls();
  const PendingArrays& pending = arrays_.pending;
  const std::vector<double> none(calls > 0 ? 0 : classes_, 0.0);
  upload(pending.positive, calls > 0 ? positive : none.data(), classes_);
  upload(pending.negative, calls > 0 ? negative : none.data(), classes_);
  upload(pending.calls, &calls, 1);
  check(cudaStreamSynchronize(nullptr));
}

void Criterion::read_pending(double* positive, double* negative, int64_t* calls) {
  check(cudaSetDevice(device_));
  wait_for_calls();
  const PendingArrays& pending = arrays_.pending;
  download(positive, pending.positive, classes_);
  download(negative, pending.negative, classes_);
  download(calls, pending.calls, 1);
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
