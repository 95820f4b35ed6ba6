#include "survey.h"

#include "../core/labels.h"
#include "../core/layout.h"
#include "../core/selection.h"
#include "device.h"
#include "focal_thread.cuh"
#include "tuning.h"

namespace efl::cuda {
namespace {

__global__ void clear_survey_kernel(SurveyTotals* totals) { *totals = {0, 0, 0, 0, 0, kAllGood}; }

struct RowsSeen {
  uint32_t positives = 0;
  uint32_t ignored = 0;
  double weights = 0;  // of the positives
};

// The sums of a block, added to the call's; all of its threads call it, once.
EFL_DEVICE void add_rows(const RowsSeen& seen, const SurveyParams& p) {
  __shared__ uint32_t sums[2];
  __shared__ double warp_sums[kSurveyThreads / 32];
  SurveyTotals* const totals = p.totals;
  if (p.weights) {
    const double weights = block_sum(seen.weights, warp_sums);
    if (threadIdx.x == 0) p.weights[blockIdx.x] = weights;
  }
  if (threadIdx.x == 0) sums[0] = sums[1] = 0;
  __syncthreads();
  if (seen.positives) atomicAdd(&sums[0], seen.positives);
  if (seen.ignored) atomicAdd(&sums[1], seen.ignored);
  __syncthreads();
  if (threadIdx.x != 0) return;
  if (sums[0]) atomicAdd(&totals->positives, static_cast<unsigned long long>(sums[0]));
  if (sums[1]) atomicAdd(&totals->ignored, static_cast<unsigned long long>(sums[1]));
}

struct WeightsParams {
  const double* weights;
  int32_t blocks;
  SurveyTotals* totals;
};

// The weights of all blocks, by one warp in a fixed order.
__global__ void add_weights_kernel(const __grid_constant__ WeightsParams p) {
  double sum = 0;
  for (int32_t i = threadIdx.x; i < p.blocks; i += 32) sum += p.weights[i];
  for (int offset = 16; offset > 0; offset >>= 1) sum += __shfl_down_sync(0xffffffffu, sum, offset);
  if (threadIdx.x == 0) p.totals->weights += sum;
}

EFL_DEVICE float see_weight(const SurveyParams& p, int64_t row) {
  const float weight = row_weight_of(p.level, row);
  if (!is_row_weight(p.problem, weight))
    atomicMin(&p.totals->bad.weight, bad_place(p.level_index, row));
  return weight;
}

EFL_DEVICE bool is_masked_at(const SurveyParams& p, int64_t row, int32_t c) {
  if (!has_masks(p.problem, p.level)) return false;
  const int32_t columns = efl::columns_of(p.problem.convention);
  const RowPlace place = efl::row_place(p.problem.format, p.level, columns, row);
  return is_masked(p.problem, p.level, place.offset + c * place.stride, c);
}

EFL_DEVICE void see_label(const SurveyParams& p, int64_t row, RowsSeen* seen) {
  int32_t found = efl::label_column(p.problem.convention, p.level.labels[row]);
  if (found == efl::kInvalid) atomicMin(&p.totals->bad.label, bad_place(p.level_index, row));
  const float weight = see_weight(p, row);
  if (weighs_nothing(weight)) found = efl::kIgnored;
  seen->ignored += found == efl::kIgnored;
  if (found < 0) return;
  if (is_masked_at(p, row, found)) return;
  ++seen->positives;
  seen->weights += weight;
  if (!p.level.quality) return;
  const float quality = p.level.quality[row];
  if (quality >= 0 && quality <= 1) return;
  atomicMin(&p.totals->bad.quality, bad_place(p.level_index, row));
}

__global__ void __launch_bounds__(kSurveyThreads)
    labels_kernel(const __grid_constant__ SurveyParams p) {
  RowsSeen seen;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; row < p.rows;
       row += stride) {
    see_label(p, row, &seen);
  }
  add_rows(seen, p);
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    atomicAdd(&p.totals->rows, static_cast<unsigned long long>(p.rows));
  }
}

// What one lane of a warp sees of a row's targets.
struct TargetsSeen {
  int32_t column = efl::kBackground;  // of the one hard positive; kDense for anything more
  bool foreground = false;            // a class has a positive's target; objectness is none
};

EFL_DEVICE void see_target(const SurveyParams& p, int64_t at, int32_t c, TargetsSeen* seen) {
  const float target = p.level.targets[at];
  if (target == 0 || is_masked(p.problem, p.level, at, c)) return;
  if (!(target > 0 && target <= 1)) {
    atomicMin(&p.totals->bad.target, bad_place(p.level_index, at));
    return;
  }
  seen->foreground |= c < p.problem.convention.classes && target > p.problem.positive_threshold;
  seen->column = seen->column == efl::kBackground && target == 1 ? c : efl::kDense;
}

EFL_DEVICE TargetsSeen both(const TargetsSeen& a, const TargetsSeen& b) {
  TargetsSeen seen = a;
  seen.foreground |= b.foreground;
  if (a.column == efl::kBackground) {
    seen.column = b.column;
  } else if (b.column != efl::kBackground) {
    seen.column = efl::kDense;
  }
  return seen;
}

// A warp for each row.
__global__ void __launch_bounds__(kSurveyThreads)
    targets_kernel(const __grid_constant__ SurveyParams p) {
  RowsSeen rows_seen;
  const int32_t columns = efl::columns_of(p.problem.convention);
  const int32_t lane = threadIdx.x % 32;
  const int64_t warps = static_cast<int64_t>(gridDim.x) * (blockDim.x / 32);
  for (int64_t row = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
       row < p.rows; row += warps) {
    const RowPlace place = efl::row_place(p.problem.format, p.level, columns, row);
    TargetsSeen seen;
    if (weighs_nothing(row_weight_of(p.level, row))) {
      if (lane != 0) continue;
      (void)see_weight(p, row);
      ++rows_seen.ignored;
      p.dense_columns[row] = efl::kIgnored;
      continue;
    }
    for (int32_t c = lane; c < columns; c += 32) {
      see_target(p, place.offset + c * place.stride, c, &seen);
    }
    for (int offset = 16; offset > 0; offset >>= 1) {
      seen = both(seen, {__shfl_xor_sync(0xffffffffu, seen.column, offset),
                         __shfl_xor_sync(0xffffffffu, seen.foreground ? 1 : 0, offset) != 0});
    }
    if (lane != 0) continue;
    const float weight = see_weight(p, row);
    rows_seen.positives += seen.foreground;
    if (seen.foreground) rows_seen.weights += weight;
    // As a label, background would say that the objectness column is positive.
    const bool background = seen.column == efl::kBackground && p.problem.convention.has_objectness;
    const bool dense = background || seen.column == efl::kDense;
    p.dense_columns[row] = dense && !seen.foreground ? efl::kDenseBackground : seen.column;
  }
  add_rows(rows_seen, p);
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    atomicAdd(&p.totals->rows, static_cast<unsigned long long>(p.rows));
  }
}

// A warp for each row, to count what is left out of those that are not ignored.
__global__ void __launch_bounds__(kSurveyThreads)
    masked_kernel(const __grid_constant__ SurveyParams p) {
  const int32_t columns = efl::columns_of(p.problem.convention);
  const int64_t warps = static_cast<int64_t>(gridDim.x) * (blockDim.x / 32);
  unsigned long long masked = 0;
  for (int64_t row = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
       row < p.rows; row += warps) {
    if (weighs_nothing(row_weight_of(p.level, row))) continue;
    if (!p.level.targets &&
        efl::label_column(p.problem.convention, p.level.labels[row]) == efl::kIgnored) {
      continue;
    }
    const RowPlace place = efl::row_place(p.problem.format, p.level, columns, row);
    for (int32_t c = threadIdx.x % 32; c < columns; c += 32) {
      masked += is_masked(p.problem, p.level, place.offset + c * place.stride, c);
    }
  }
  if (masked) atomicAdd(&p.totals->masked, masked);
}

dim3 survey_grid(int64_t threads) {
  const int64_t blocks = (threads + kSurveyThreads - 1) / kSurveyThreads;
  return dim3(static_cast<unsigned>(blocks < 1                   ? 1
                                    : blocks > kMostSurveyBlocks ? kMostSurveyBlocks
                                                                 : blocks));
}

}  // namespace

void launch_clear_survey(SurveyTotals* totals, cudaStream_t stream) {
  EFL_LAUNCH(clear_survey_kernel, dim3(1), dim3(1), 0, stream, totals);
}

void launch_survey(const SurveyParams& params, cudaStream_t stream) {
  const dim3 by_element = survey_grid(params.rows * 32);
  const dim3 grid = params.level.targets ? by_element : survey_grid(params.rows);
  if (params.level.targets) {
    EFL_LAUNCH(targets_kernel, grid, dim3(kSurveyThreads), 0, stream, params);
  } else {
    EFL_LAUNCH(labels_kernel, grid, dim3(kSurveyThreads), 0, stream, params);
  }
  if (params.weights) {
    const WeightsParams weights = {params.weights, static_cast<int32_t>(grid.x), params.totals};
    EFL_LAUNCH(add_weights_kernel, dim3(1), dim3(32), 0, stream, weights);
  }
  if (params.problem.reduction == EFL_REDUCTION_MEAN && has_masks(params.problem, params.level)) {
    EFL_LAUNCH(masked_kernel, by_element, dim3(kSurveyThreads), 0, stream, params);
  }
}

}  // namespace efl::cuda
