#include "settle.h"

#include "device.h"
#include "tuning.h"

namespace efl::cuda {
namespace {

EFL_DEVICE void update_class(const ClassRule& rule, const StateArrays& state, int32_t j,
                             double ratio) {
  const ClassFactors factors = efl::class_factors(rule, ratio);
  state.ratio[j] = ratio;
  state.gamma[j] = efl::float_gamma(factors.gamma);
  state.column_positive_weight[j] = static_cast<float>(state.positive_weight[j] * factors.positive);
  state.column_negative_weight[j] = static_cast<float>(state.negative_weight[j] * factors.negative);
}

// One step's sums of a class. The steps are counted when all classes have read them.
EFL_DEVICE void step_class(const ParametersParams& p, int32_t j, double positive, double negative) {
  const StateArrays& state = p.state;
  state.positive[j] = efl::accumulated(state.positive[j] * p.rule.decay, positive);
  state.negative[j] = efl::accumulated(state.negative[j] * p.rule.decay, negative);
  if (p.rule.start_after > 0 && efl::holds_ratios(p.rule, *state.steps)) return;
  update_class(p.rule, state, j,
               efl::class_ratio(p.rule.rule, state.positive[j], state.negative[j]));
}

EFL_DEVICE void count_one(int64_t* count) { *count = efl::more_steps(*count, 1); }

EFL_DEVICE void write_report(const SettleParams& p, efl_status status, double loss_scale) {
  const CallTotals& totals = *p.totals;
  efl_report report{};
  report.status = status;
  report.loss = status == EFL_OK ? totals.loss * loss_scale : NAN;
  report.positives = static_cast<double>(totals.positives);
  report.ignored = static_cast<double>(totals.ignored);
  report.non_finite = static_cast<double>(totals.non_finite);
  report.bad_level = static_cast<double>(totals.bad_level);
  report.bad_index = static_cast<double>(totals.bad_index);
  report.bad_value = status == EFL_BAD_NORMALIZER ? *p.scalars.normalizer : totals.bad_value;
  *p.report = {static_cast<float>(report.loss), report};
}

EFL_DEVICE double scale_of(const SettleParams& p, efl_status status, const Scales& scales) {
  return p.flags ? status == EFL_OK && p.flags[kSeenFlag] > 0 : statistics_scale(p, status, scales);
}

__global__ void __launch_bounds__(kSettleThreads)
    settle_kernel(const __grid_constant__ SettleParams p) {
  const Scales scales = scales_on_device(p.problem, p.scalars);
  const efl_status status = status_of(p);
  const int32_t j = blockIdx.x * blockDim.x + threadIdx.x;
  if (j == 0 && p.report) write_report(p, status, scales.loss);
  const double scale = scale_of(p, status, scales);
  if (scale == 0 || j >= p.classes) return;
  const double positive = p.positive_sums[j] * scale, negative = p.negative_sums[j] * scale;
  if (p.defers) {
    if (j == 0) count_one(p.pending.calls);
    p.pending.positive[j] = efl::accumulated(p.pending.positive[j], positive);
    p.pending.negative[j] = efl::accumulated(p.pending.negative[j], negative);
    return;
  }
  if (j == 0 && p.rule.start_after == 0) count_one(p.state.steps);
  step_class(p, j, positive, negative);
}

// Of a criterion whose classes read the number of steps.
__global__ void count_step_kernel(const __grid_constant__ SettleParams p) {
  const Scales scales = scales_on_device(p.problem, p.scalars);
  if (scale_of(p, status_of(p), scales) != 0) count_one(p.state.steps);
}

EFL_DEVICE bool is_due(const CommitParams& p) {
  return p.flags ? p.flags[kSeenFlag] > 0 && p.flags[kFailedFlag] == 0 : *p.pending.calls > 0;
}

__global__ void __launch_bounds__(kSettleThreads)
    commit_kernel(const __grid_constant__ CommitParams p) {
  const int32_t j = blockIdx.x * blockDim.x + threadIdx.x;
  if (j >= p.classes || !is_due(p)) return;
  step_class(p, j, p.positive_sums[j], p.negative_sums[j]);
  p.pending.positive[j] = 0;
  p.pending.negative[j] = 0;
}

__global__ void end_commit_kernel(const __grid_constant__ CommitParams p) {
  if (!is_due(p)) return;
  count_one(p.state.steps);
  *p.pending.calls = 0;
}

__global__ void __launch_bounds__(kSettleThreads)
    parameters_kernel(const __grid_constant__ ParametersParams p) {
  const int32_t j = blockIdx.x * blockDim.x + threadIdx.x;
  if (j < p.classes) update_class(p.rule, p.state, j, p.state.ratio[j]);
}

dim3 settle_grid(int32_t classes) {
  const int32_t blocks = (classes + kSettleThreads - 1) / kSettleThreads;
  return dim3(static_cast<unsigned>(blocks < 1 ? 1 : blocks));
}

}  // namespace

void launch_settle(const SettleParams& params, cudaStream_t stream) {
  EFL_LAUNCH(settle_kernel, settle_grid(params.classes), dim3(kSettleThreads), 0, stream, params);
  if (params.classes == 0 || params.defers || params.rule.start_after == 0) return;
  EFL_LAUNCH(count_step_kernel, dim3(1), dim3(1), 0, stream, params);
}

void launch_commit(const CommitParams& params, cudaStream_t stream) {
  EFL_LAUNCH(commit_kernel, settle_grid(params.classes), dim3(kSettleThreads), 0, stream, params);
  EFL_LAUNCH(end_commit_kernel, dim3(1), dim3(1), 0, stream, params);
}

void launch_parameters(const ParametersParams& params, cudaStream_t stream) {
  EFL_LAUNCH(parameters_kernel, settle_grid(params.classes), dim3(kSettleThreads), 0, stream,
             params);
}

}  // namespace efl::cuda
