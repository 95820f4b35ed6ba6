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

__global__ void __launch_bounds__(kSettleThreads)
    settle_kernel(const __grid_constant__ SettleParams p) {
  const Scales scales = scales_on_device(p.problem, p.scalars);
  const efl_status status = status_of(p);
  const int32_t j = blockIdx.x * blockDim.x + threadIdx.x;
  if (j == 0 && p.report) write_report(p, status, scales.loss);
  const double scale =
      p.flags ? status == EFL_OK && p.flags[kSeenFlag] > 0 : statistics_scale(p, status, scales);
  if (scale == 0 || j >= p.classes) return;
  const StateArrays& state = p.state;
  if (j == 0) *state.steps = efl::more_steps(*state.steps, 1);
  state.positive[j] = efl::accumulated(state.positive[j], p.positive_sums[j] * scale);
  state.negative[j] = efl::accumulated(state.negative[j], p.negative_sums[j] * scale);
  update_class(p.rule, state, j,
               efl::class_ratio(p.rule.rule, state.positive[j], state.negative[j]));
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
}

void launch_parameters(const ParametersParams& params, cudaStream_t stream) {
  EFL_LAUNCH(parameters_kernel, settle_grid(params.classes), dim3(kSettleThreads), 0, stream,
             params);
}

}  // namespace efl::cuda
