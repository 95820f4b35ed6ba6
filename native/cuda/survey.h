// What labels and targets say before anything is computed: the counts that the divisor of a call
// may depend on, what each row with dense targets is, and whether anything is out of its range.
#pragma once

#include <cstdint>

#include "../core/host_device.h"
#include "../core/problem.h"
#include "runtime.h"

namespace efl::cuda {

// The first thing out of its range, by level and then by place.
struct FirstBad {
  unsigned long long label;    // of a row
  unsigned long long quality;  // of a row
  unsigned long long target;   // of an element
  unsigned long long weight;   // of a row
};
constexpr unsigned long long kNothingBad = ~0ull;
constexpr FirstBad kAllGood = {kNothingBad, kNothingBad, kNothingBad, kNothingBad};
constexpr int kPlaceBits = 48;
constexpr int32_t kMostLevels = (1 << (64 - kPlaceBits)) - 1;  // of a call

EFL_HOST_DEVICE unsigned long long bad_place(int32_t level, int64_t place) {
  return static_cast<unsigned long long>(level) << kPlaceBits |
         static_cast<unsigned long long>(place);
}

// Whole numbers, which have the same sum in any order, blocks add to directly.
struct SurveyTotals {
  unsigned long long rows;
  unsigned long long positives;
  unsigned long long ignored;
  unsigned long long masked;  // as in efl_survey
  double weights;
  FirstBad bad;
};

struct SurveyParams {
  efl_problem problem;
  efl_level level;
  int32_t level_index;
  int64_t rows;
  int32_t* dense_columns;  // receives what each row is, as label_column says it, or kDense
  SurveyTotals* totals;
  double* weights;  // of each block, on their way to the totals; or null
};

void launch_clear_survey(SurveyTotals* totals, cudaStream_t stream);
void launch_survey(const SurveyParams& params, cudaStream_t stream);

}  // namespace efl::cuda
