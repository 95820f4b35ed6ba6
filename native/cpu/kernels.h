// What the kernels of one instruction set offer to the CPU backend.
//
// The object files behind these tables are compiled with flags of their instruction set, so neither
// they nor this header may use inline functions or templates of the standard library: the linker
// could keep such a copy, with instructions the machine lacks, for the whole program.
#pragma once

#include "../core/labels.h"
#include "../core/loss_math.h"
#include "../core/problem.h"

namespace efl::cpu {

// A row of per-column sums is padded to this many doubles, so that kernels add whole registers.
constexpr int32_t kColumnPadding = 16;

// Rows first_row, first_row + row_step, ... below last_row of one level: all of a run, or in NCHW
// those of one anchor. Of them columns first_column to last_column - 1.
struct Tile {
  int32_t level;
  int64_t first_row;
  int64_t last_row;
  int32_t row_step;
  int32_t first_column;
  int32_t last_column;
};

// The partial result of one tile.
struct TileSums {
  double loss;  // unscaled
  int64_t non_finite;
  // Sums of |dL/du| by column, all columns of a row; those of the tile are zeroed, with the padding
  // after the last. Null without statistics.
  double* positive;
  double* negative;
};

struct FocalTask {
  const efl_problem* problem;
  float gradient_factor;  // |dL/du| -> gradient
  float element_factor;   // element loss -> element
  HardLoss hard_loss;
  bool square;       // gamma is that of every column whose powers are products
  float soft_below;  // positives with a lower target, or quality, are not hard
  float largest_gamma;
  float largest_weight;
  // With targets, weights or masks: what the rows of each level are, as label_column says it, or
  // kDense.
  const int32_t* const* dense_columns;
  bool by_row;  // negatives of a column do not all weigh the same
  // Of each column, 0: left out. A register may be read where the last column is. Or null.
  const uint8_t* column_mask;
  bool smooth;  // targets are smoothed, by these three numbers: see Smoothing
  float kept, spread, rest;
};

// The class of a row, or one of the constants of labels.h.
EFL_ALWAYS_INLINE int32_t class_of_row(const FocalTask& task, int32_t level, int64_t row) {
  if (task.dense_columns) return task.dense_columns[level][row];
  return label_column(task.problem->convention, task.problem->levels[level].labels[row]);
}

// An element with a soft target or a quality, in float64: there are few of them, and where the
// probability meets the target float32 would lose its digits. `gradient` is signed.
struct SoftElement {
  double loss;
  double gradient;
  double share;  // of the gradient that counts as a positive's in the statistics
};
SoftElement soft_element(const efl_problem& problem, double logit, double target, double gamma,
                         double positive_weight, double negative_weight);

struct Kernels {
  const char* name;
  void (*focal)(const FocalTask& task, const Tile& tile, TileSums* sums);
  void (*collect)(const efl_problem& problem, const Tile& tile, TileSums* sums);
};

extern const Kernels kScalarKernels;
extern const Kernels kBaselineKernels;
#if defined(__x86_64__) && !defined(EFL_PORTABLE)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#endif

}  // namespace efl::cpu
