// The kernels in plain C++, one element after the other with the C library's functions: what the
// others are timed against, and for a machine or compiler where a vector kernel is in doubt.
#include <cmath>
#include <cstring>

#include "../core/labels.h"
#include "../core/loss_math.h"
#include "../core/scalar_math.h"
#include "kernels.h"

namespace efl::cpu {
namespace {

// Where a row begins in each array, and what it holds. Absent arrays are null.
struct Row {
  int32_t column;
  const float* logits;
  float* gradient;
  float* elements;
  const float* grad_output;
};

Row row_of(const efl_focal_problem& problem, int64_t index) {
  const int64_t offset = index * problem.convention.classes;
  return {label_column(problem.convention, problem.labels[index]), problem.logits + offset,
          problem.gradient ? problem.gradient + offset : nullptr,
          problem.elements ? problem.elements + offset : nullptr,
          problem.grad_output ? problem.grad_output + offset : nullptr};
}

void clear_ignored(const Row& row, int32_t classes) {
  const auto bytes = static_cast<size_t>(classes) * sizeof(float);
  if (row.gradient) std::memset(row.gradient, 0, bytes);
  if (row.elements) std::memset(row.elements, 0, bytes);
}

void element(const FocalTask& task, const Row& row, int32_t c, TileSums* sums) {
  const efl_focal_problem& problem = *task.problem;
  const bool positive = c == row.column;
  const float logit = row.logits[c];
  const LossTerms<ScalarFloatMath> terms = focal_terms<ScalarFloatMath>(
      positive ? -logit : logit, problem.gamma[c],
      positive ? problem.positive_weight[c] : problem.negative_weight[c]);
  sums->loss += static_cast<double>(terms.loss());
  const bool finite = std::isfinite(logit);
  sums->non_finite += !finite;
  if (row.elements) row.elements[c] = terms.loss() * task.element_factor;
  if (!row.gradient) return;

  const float upstream = row.grad_output ? row.grad_output[c] : 1.0f;
  const float gradient = terms.gradient * task.gradient_factor * upstream;
  row.gradient[c] = positive ? -gradient : gradient;
  const float magnitude = terms.gradient * std::fabs(upstream);
  if (!sums->negative || !finite || !std::isfinite(magnitude)) return;
  (positive ? sums->positive : sums->negative)[c] += static_cast<double>(magnitude);
}

void focal(const FocalTask& task, int64_t first_row, int64_t last_row, TileSums* sums) {
  const int32_t classes = task.problem->convention.classes;
  sums->loss = 0;
  sums->non_finite = 0;
  for (int64_t r = first_row; r < last_row; ++r) {
    const Row row = row_of(*task.problem, r);
    if (row.column == kIgnored) {
      clear_ignored(row, classes);
    } else {
      for (int32_t c = 0; c < classes; ++c) element(task, row, c, sums);
    }
  }
}

void collect(const efl_collect_problem& problem, int64_t first_row, int64_t last_row,
             TileSums* sums) {
  const int32_t classes = problem.convention.classes;
  sums->loss = 0;
  sums->non_finite = 0;
  for (int64_t r = first_row; r < last_row; ++r) {
    const int32_t column = label_column(problem.convention, problem.labels[r]);
    if (column == kIgnored) continue;
    for (int32_t c = 0; c < classes; ++c) {
      const float gradient = problem.gradients[r * classes + c];
      if (!std::isfinite(gradient)) {
        ++sums->non_finite;
        continue;
      }
      (c == column ? sums->positive : sums->negative)[c] += std::fabs(gradient);
    }
  }
}

}  // namespace

const Kernels kScalarKernels = {"scalar", focal, collect};

}  // namespace efl::cpu
