// What a block finds beside the sums of its columns.
#pragma once

#include <cstdint>

#include "../core/problem.h"

namespace efl::cuda {

// Within a block sums of |dL/du| are in float32, in units of 2^12: thousands of values of any size
// add up without leaving its range, and values down to 5e-35 keep all their digits.
constexpr float kPerSumUnit = 0x1p-12f;
constexpr double kSumUnit = 0x1p12;

constexpr int64_t kNoRow = INT64_MAX;

struct BlockTotals {
  double loss;  // unscaled
  uint32_t positives;
  uint32_t ignored;
  uint32_t non_finite;
  uint32_t collected;  // not 0 where a class has seen a gradient
  int64_t bad_row;     // the smallest row with a label that names nothing, or kNoRow
};

// Sums over all levels of a call, each level adding to what those before it have left.
struct CallTotals {
  double loss;  // unscaled
  int64_t positives;
  int64_t ignored;
  int64_t non_finite;
  int64_t collected;  // not 0 where a class has seen a gradient
  efl_status status;  // EFL_OK, or what the first thing out of its range is
  int64_t bad_level;  // where that is, as in efl_result
  int64_t bad_index;
  double bad_value;
};

}  // namespace efl::cuda
