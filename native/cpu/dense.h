// Focal Loss with a target in [0, 1] for each element, without state.
#pragma once

#include "../core/report.h"

namespace efl::cpu {

struct DenseProblem {
  int64_t elements_count;
  const float* logits;
  const float* targets;
  float* gradient;           // or null; may be the logits
  float* elements;           // or null
  const float* grad_output;  // or null: upstream gradient of each element
  double gamma;
  double alpha;             // negative: no alpha
  efl_reduction reduction;  // 'mean' divides by the number of elements
  double upstream;
  int32_t threads;
};

efl_status compute_dense(const DenseProblem& problem, efl_report* report);

}  // namespace efl::cpu
