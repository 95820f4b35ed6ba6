// What of a call counts: rows may have a weight, and elements may be masked.
#pragma once

#include <cfloat>

#include "host_device.h"
#include "problem.h"

namespace efl {

// What the survey lets pass. An infinite product of weights would turn a modulator of 0 into NaN.
EFL_HOST_DEVICE bool is_row_weight(const efl_problem& problem, float weight) {
  return weight >= 0 && weight <= FLT_MAX && weight * problem.range.largest_weight <= FLT_MAX;
}

// Such a row is ignored. Kernels take what is less than a normal number for 0.
EFL_HOST_DEVICE bool weighs_nothing(float weight) { return weight < FLT_MIN; }

EFL_HOST_DEVICE float row_weight_of(const efl_level& level, int64_t row) {
  return level.row_weight ? level.row_weight[row] : 1.0f;
}

// Whether elements of the level may be left out.
EFL_HOST_DEVICE bool has_masks(const efl_problem& problem, const efl_level& level) {
  return level.mask || problem.class_mask;
}

// Whether element `at` of the level, which is in column c, is left out. The objectness column is
// that of no class.
EFL_HOST_DEVICE bool is_masked(const efl_problem& problem, const efl_level& level, int64_t at,
                               int32_t c) {
  if (level.mask && !level.mask[at]) return true;
  return problem.class_mask && c < problem.convention.classes && !problem.class_mask[c];
}

}  // namespace efl
