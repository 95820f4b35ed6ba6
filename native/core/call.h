// What a call is: efl_call, checked, and in the terms of the kernels.
#pragma once

#include <cmath>

#include "spec.h"

namespace efl {

efl_call default_call();

// These throw ArgumentError.
// The values of a call that are one number each.
void check_scalars(const efl_call& call, const SpecView& spec, bool gradients_given);
// The place of a bad normalizer, also of a 0 that is meant as a number.
[[noreturn]] void reject_normalizer(double received);
// Levels and format, and whether each level has the arrays it has to have.
void check_levels(const efl_call& call, const SpecView& spec, bool gradients_given);

// The call of a criterion, without the parameters that follow from its state. Of gradients that are
// given the loss scale is divided out; else no factor is theirs.
inline efl_problem problem_of(const SpecView& spec, const efl_call& call, bool gradients_given) {
  efl_problem problem{};
  problem.convention = spec.convention;
  problem.format = call.format;
  problem.levels = call.levels;
  problem.level_count = call.level_count;
  problem.loss = spec.loss;
  problem.foreground_weight = spec.foreground_weight;
  problem.foreground_threshold = spec.foreground_threshold;
  problem.reduction = gradients_given ? EFL_REDUCTION_SUM : spec.reduction;
  problem.normalizer = gradients_given ? 1 : call.normalizer;
  problem.loss_weight = gradients_given ? 1 : spec.loss_weight;
  problem.upstream = gradients_given ? 1 / std::fabs(call.loss_scale) : call.upstream;
  problem.loss_scale = gradients_given ? 1 : call.loss_scale;
  problem.gradients_given = gradients_given;
  return problem;
}

inline bool has_gradient(const efl_call& call) {
  for (int32_t i = 0; i < call.level_count; ++i) {
    if (call.levels[i].gradient) return true;
  }
  return false;
}

}  // namespace efl
