// The state of a criterion on the device: what a call has found enters it, whole or not at all, and
// the next call's parameters follow, with no trip to the host.
#pragma once

#include "../core/class_rule.h"
#include "focal_thread.cuh"
#include "totals.cuh"

namespace efl::cuda {

// Arrays have one value for each class.
struct StateParams {
  ClassRule rule;
  int32_t classes;
  // Of the call: unscaled sums of |dL/du|, and what they are to be multiplied with.
  const double* negative_sums;
  const double* positive_sums;
  const CallTotals* totals;
  efl_focal_problem problem;
  DeviceScalars scalars;
  int64_t rows;
  // The state.
  double* negative;
  double* positive;
  double* ratio;
  int64_t* steps;
  // What the kernels read; the factors of a class times its own weights.
  const double* positive_weight;
  const double* negative_weight;
  float* gamma;
  float* column_positive_weight;
  float* column_negative_weight;
};

constexpr int32_t kStateThreads = 128;

// A call with something out of its range, with a scale that is not a number, or without a row that
// counts leaves everything as it is.
EFL_DEVICE bool enters_state(const StateParams& p, double scale) {
  if (p.totals->bad_level >= 0 || !isfinite(scale)) return false;
  if (p.scalars.normalizer && !(*p.scalars.normalizer > 0)) return false;
  if (p.scalars.survey) {
    const FirstBad& bad = p.scalars.survey->bad;
    if (bad.label != kNothingBad || bad.quality != kNothingBad) return false;
    if (bad.target != kNothingBad) return false;
  }
  return p.totals->ignored < p.rows;
}

__global__ void __launch_bounds__(kStateThreads)
    state_kernel(const __grid_constant__ StateParams p) {
  const double scale = scales_on_device(p.problem, p.scalars).statistics;
  if (!enters_state(p, scale)) return;
  const int32_t j = blockIdx.x * blockDim.x + threadIdx.x;
  if (j == 0) ++*p.steps;
  if (j >= p.classes) return;
  const double positive = p.positive[j] + p.positive_sums[j] * scale;
  const double negative = p.negative[j] + p.negative_sums[j] * scale;
  const double ratio = efl::class_ratio(p.rule.rule, positive, negative);
  const ClassFactors factors = efl::class_factors(p.rule, ratio);
  p.positive[j] = positive;
  p.negative[j] = negative;
  p.ratio[j] = ratio;
  p.gamma[j] = efl::float_gamma(factors.gamma);
  p.column_positive_weight[j] = static_cast<float>(p.positive_weight[j] * factors.positive);
  p.column_negative_weight[j] = static_cast<float>(p.negative_weight[j] * factors.negative);
}

}  // namespace efl::cuda
