// Scalars of a call that are on the device.
#pragma once

#include "../core/reduction.h"
#include "survey.h"

namespace efl::cuda {

// Null where the problem's own counts.
struct DeviceScalars {
  const float* normalizer;
  const float* upstream;
  const SurveyTotals* survey;  // of all levels, where the divisor depends on it
};

EFL_HOST_DEVICE Scales scales_on_device(efl_problem problem, const DeviceScalars& scalars) {
  if (scalars.normalizer) problem.normalizer = *scalars.normalizer;
  if (scalars.upstream) problem.upstream = *scalars.upstream;
  RowCounts counts;
  if (scalars.survey) {
    counts.rows = static_cast<int64_t>(scalars.survey->rows);
    counts.positives = static_cast<int64_t>(scalars.survey->positives);
    counts.ignored = static_cast<int64_t>(scalars.survey->ignored);
    counts.weights = scalars.survey->weights;
    counts.masked = static_cast<int64_t>(scalars.survey->masked);
  }
  return scales_of(problem, counts);
}

}  // namespace efl::cuda
