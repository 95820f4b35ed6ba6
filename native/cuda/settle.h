// The end of a call: its report, and its statistics entering the state of the criterion, whole or
// not at all. The parameters of the next call follow, with no trip to the host.
#pragma once

#include "../core/class_rule.h"
#include "../core/device_library.h"
#include "device.h"
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
  double* positive_weight;
  double* negative_weight;
};

// What deferred calls have kept aside, for each class; zeros where there are no calls.
struct PendingArrays {
  double* negative;
  double* positive;
  int64_t* calls;
};

// The parameters that follow from the ratios, where these come from outside.
struct ParametersParams {
  ClassRule rule;
  int32_t classes;
  StateArrays state;
};

struct SettleParams : ParametersParams {  // no classes: the state stays as it is
  // Of the call: sums of |dL/du|, and what they are to be multiplied with.
  const double* negative_sums;
  const double* positive_sums;
  const CallTotals* totals;
  efl_problem problem;
  DeviceScalars scalars;
  efl_device_report* report;  // or null
  // Of all processes, or null without a reducer; with flags the sums have their scale already.
  const double* counts;
  const double* flags;
  PendingArrays pending;
  bool defers;  // the sums wait for a commit
};

// The sums that wait enter the state as one step.
struct CommitParams : ParametersParams {
  PendingArrays pending;
  // Of all processes, or null without a reducer: what enters the state in place of what waits here.
  const double* negative_sums;
  const double* positive_sums;
  const double* flags;
};

// How the call went in this process, and, as far as is known, in the others.
EFL_DEVICE efl_status status_of(const SettleParams& p) {
  if (p.totals->status != EFL_OK) return p.totals->status;
  const float* const normalizer = p.scalars.normalizer;
  if (normalizer && !(*normalizer > 0 && isfinite(*normalizer))) return EFL_BAD_NORMALIZER;
  if (p.counts && p.counts[kFailedSurveys] > 0) return EFL_PEER_FAILED;
  return p.flags && p.flags[kFailedFlag] > 0 ? EFL_PEER_FAILED : EFL_OK;
}

// The factor on the sums of a call of this process that went so. 0: nothing enters the state, as
// where the scale is not a number, or no class has seen a gradient.
EFL_DEVICE double statistics_scale(const SettleParams& p, efl_status status, const Scales& scales) {
  const double scale = scales.statistics;
  return status == EFL_OK && isfinite(scale) && p.totals->collected ? scale : 0;
}

void launch_settle(const SettleParams& params, cudaStream_t stream);
void launch_commit(const CommitParams& params, cudaStream_t stream);
void launch_parameters(const ParametersParams& params, cudaStream_t stream);

}  // namespace efl::cuda
