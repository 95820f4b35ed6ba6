// The end of a call: its report, and its statistics entering the state of the criterion, whole or
// not at all. The parameters of the next call follow, with no trip to the host.
#pragma once

#include "../core/class_rule.h"
#include "../core/device_library.h"
#include "scalars.h"
#include "totals.h"

namespace efl::cuda {

// Arrays have one value for each class.
struct StateArrays {
  double* negative;
  double* positive;
  double* ratio;
  int64_t* steps;
  // What the kernels read, and the weights of a class before the statistics change them.
  float* gamma;
  float* column_positive_weight;
  float* column_negative_weight;
  const double* positive_weight;
  const double* negative_weight;
};

struct SettleParams {
  ClassRule rule;
  int32_t classes;  // 0: the state stays as it is
  // Of the call: unscaled sums of |dL/du|, and what they are to be multiplied with.
  const double* negative_sums;
  const double* positive_sums;
  const CallTotals* totals;
  efl_problem problem;
  DeviceScalars scalars;
  StateArrays state;
  efl_report* report;  // or null
};

// The parameters that follow from the ratios, where these come from outside.
struct ParametersParams {
  ClassRule rule;
  int32_t classes;
  StateArrays state;
};

void launch_settle(const SettleParams& params, cudaStream_t stream);
void launch_parameters(const ParametersParams& params, cudaStream_t stream);

}  // namespace efl::cuda
