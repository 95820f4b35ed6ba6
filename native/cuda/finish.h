// From the partial sums of all blocks of some levels to those of the call, in float64 and in a
// fixed order: the same to the last bit in every run.
#pragma once

#include "survey.h"
#include "totals.h"
#include "tuning.h"

namespace efl::cuda {

// What the blocks of a level leave. A tile has the sums of `slots` columns, from that of its first
// element on and round; a chunk is one block of every tile.
struct PartialSums {
  const float* sums;  // [chunk][tile][negative, positive][slot]; none without statistics
  int32_t slots;
  int32_t tiles;
  int32_t chunks;
  int64_t tile_elements;
  const BlockTotals* totals;
  int64_t blocks;
};

struct FinishLevel {
  PartialSums partial;
  efl_level level;
  int32_t level_index;
  int64_t rows_before;  // of this level, where it comes in parts
};

struct FinishParams {
  FinishLevel levels[kMostLevelsOfLaunch];
  int32_t level_count;
  int32_t columns;
  bool first;                  // nothing has been found yet
  bool statistics;             // the levels have sums
  const SurveyTotals* survey;  // of all levels, or null
  double* negative_sums;       // per column, unscaled: of |dL/du|
  double* positive_sums;
  CallTotals* totals;
};

void launch_finish(const FinishParams& params, cudaStream_t stream);

}  // namespace efl::cuda
