// How element losses become the loss, and what that means for the gradient and the statistics.
#pragma once

#include <cmath>

#include "host_device.h"
#include "labels.h"
#include "problem.h"

namespace efl {

// What the labels of all levels say.
struct RowCounts {
  int64_t rows = 0;
  int64_t positives = 0;
  int64_t ignored = 0;
  double weights = 0;  // of the positives
  int64_t masked = 0;  // elements left out in rows that are not ignored
};

// The number by which the sum of the elements is divided. Never 0: an average over nothing is 0.
EFL_HOST_DEVICE double loss_divisor(const efl_problem& problem, const RowCounts& counts) {
  if (problem.reduction == EFL_REDUCTION_NONE) return 1.0;
  if (problem.reduction == EFL_REDUCTION_MEAN) {
    const int64_t counted =
        (counts.rows - counts.ignored) * columns_of(problem.convention) - counts.masked;
    return counted > 0 ? static_cast<double>(counted) : 1.0;
  }
  if (problem.normalizer == EFL_NORMALIZER_POSITIVES) {
    return counts.positives > 0 ? static_cast<double>(counts.positives) : 1.0;
  }
  if (problem.normalizer == EFL_NORMALIZER_WEIGHTS)
    return counts.weights > 0 ? counts.weights : 1.0;
  return problem.normalizer;
}

struct Scales {
  double loss;        // factor on the sum of the elements
  double element;     // factor on one element
  double gradient;    // factor on |dL/du| in the gradient
  double statistics;  // factor on the sums of |dL/du|; the mixed-precision loss scale is not in it
};

// A normalizer that is a number is checked with its factors; one of small weights may be too small
// for them. An infinite factor would make the gradient of what is left out no number.
EFL_HOST_DEVICE double within_float(double factor) {
  constexpr double kLargest = 3.4028234663852886e38;
  return factor > kLargest ? kLargest : factor < -kLargest ? -kLargest : factor;
}

EFL_HOST_DEVICE Scales scales_of(const efl_problem& problem, const RowCounts& counts) {
  const double divisor = loss_divisor(problem, counts);
  const double gradient = problem.loss_weight * problem.upstream / divisor;
  return {problem.loss_weight / divisor, problem.loss_weight,
          within_float(gradient * problem.loss_scale), std::fabs(gradient)};
}

}  // namespace efl
