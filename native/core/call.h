// What a call is: efl_call, checked, and in the terms of the kernels.
#pragma once

#include <cmath>

#include "spec.h"

namespace efl {

// An option of a call that is one number: a field of efl_call.
struct CallNumber {
  using Field = double efl_call::*;
  const char* name;  // of the field
  Field field;
  double fallback;       // its default
  const char* expected;  // what it may be
  bool (*accepts)(double value);
  bool of_gradients = false;  // whether a call whose logits are gradients has it, too
};

inline bool is_finite_factor(double value) {
  return is_finite_float(value) && static_cast<float>(value) != 0;
}
// The kernels multiply with 1 / normalizer.
inline bool is_normalizer(double value) {
  return value > 0 && is_finite_float(value) && is_finite_float(1 / value);
}

inline constexpr CallNumber kCallNumbers[] = {
    {"normalizer", &efl_call::normalizer, 1, "a finite number > 0, {positives} or {weights}",
     is_normalizer},
    {"upstream", &efl_call::upstream, 1, "a finite number", is_finite_float},
    {"loss_scale", &efl_call::loss_scale, 1, "a finite number other than 0", is_finite_factor,
     true},
};

efl_call default_call();

// These throw ArgumentError.
// The numbers of a call. `counts_positives` says that the normalizer is EFL_NORMALIZER_POSITIVES or
// EFL_NORMALIZER_WEIGHTS and no number.
void check_numbers(const efl_call& call, const SpecView& spec, bool gradients_given,
                   bool counts_positives);
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
  problem.constants = spec.constants;
  problem.foreground_weight = spec.foreground_weight;
  problem.foreground_threshold = spec.foreground_threshold;
  problem.reduction = gradients_given ? EFL_REDUCTION_SUM : spec.reduction;
  problem.normalizer = gradients_given ? 1 : call.normalizer;
  problem.loss_weight = gradients_given ? 1 : spec.loss_weight;
  problem.upstream = gradients_given ? 1 / std::fabs(call.loss_scale) : call.upstream;
  problem.loss_scale = gradients_given ? 1 : call.loss_scale;
  problem.gradients_given = gradients_given;
  problem.class_mask = gradients_given ? nullptr : call.class_mask;
  problem.positive_threshold = spec.positive_threshold;
  problem.label_smoothing = spec.label_smoothing;
  return problem;
}

// Whether the normalizer stands for what is counted in the call.
inline bool is_counted_normalizer(double normalizer) {
  return normalizer == EFL_NORMALIZER_POSITIVES || normalizer == EFL_NORMALIZER_WEIGHTS;
}

inline bool has_gradient(const efl_call& call) {
  for (int32_t i = 0; i < call.level_count; ++i) {
    if (call.levels[i].gradient) return true;
  }
  return false;
}

inline bool wants_statistics(const SpecView& spec, const efl_call& call, bool gradients_given) {
  return spec.keeps_statistics() && (gradients_given || (call.collect && has_gradient(call)));
}

// Whether the call's statistics, where it has any, wait for a commit.
inline bool defers(const efl_call& call) { return call.collect == EFL_COLLECT_DEFER; }

}  // namespace efl
