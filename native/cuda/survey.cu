#include "survey.h"

#include "../core/labels.h"
#include "../core/layout.h"
#include "device.h"
#include "tuning.h"

namespace efl::cuda {
namespace {

__global__ void clear_survey_kernel(SurveyTotals* totals) {
  *totals = {0, 0, 0, {kNothingBad, kNothingBad, kNothingBad}};
}

struct RowsSeen {
  uint32_t positives = 0;
  uint32_t ignored = 0;
};

// The sums of a block, added to the call's; all of its threads call it, once.
EFL_DEVICE void add_rows(const RowsSeen& seen, SurveyTotals* totals) {
  __shared__ uint32_t sums[2];
  if (threadIdx.x == 0) sums[0] = sums[1] = 0;
  __syncthreads();
  if (seen.positives) atomicAdd(&sums[0], seen.positives);
  if (seen.ignored) atomicAdd(&sums[1], seen.ignored);
  __syncthreads();
  if (threadIdx.x != 0) return;
  if (sums[0]) atomicAdd(&totals->positives, static_cast<unsigned long long>(sums[0]));
  if (sums[1]) atomicAdd(&totals->ignored, static_cast<unsigned long long>(sums[1]));
}

EFL_DEVICE void see_label(const SurveyParams& p, int64_t row, RowsSeen* seen) {
  const int32_t found = efl::label_column(p.convention, p.level.labels[row]);
  if (found == efl::kInvalid) atomicMin(&p.totals->bad.label, bad_place(p.level_index, row));
  seen->positives += found >= 0;
  seen->ignored += found == efl::kIgnored;
  if (found < 0 || !p.level.quality) return;
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
  add_rows(seen, p.totals);
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
  if (target == 0) return;
  if (!(target > 0 && target <= 1)) {
    atomicMin(&p.totals->bad.target, bad_place(p.level_index, at));
    return;
  }
  seen->foreground |= c < p.convention.classes && target > p.positive_threshold;
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
  const int32_t columns = efl::columns_of(p.convention);
  const int32_t lane = threadIdx.x % 32;
  const int64_t warps = static_cast<int64_t>(gridDim.x) * (blockDim.x / 32);
  for (int64_t row = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
       row < p.rows; row += warps) {
    const RowPlace place = efl::row_place(p.format, p.level, columns, row);
    TargetsSeen seen;
    for (int32_t c = lane; c < columns; c += 32) {
      see_target(p, place.offset + c * place.stride, c, &seen);
    }
    for (int offset = 16; offset > 0; offset >>= 1) {
      seen = both(seen, {__shfl_xor_sync(0xffffffffu, seen.column, offset),
                         __shfl_xor_sync(0xffffffffu, seen.foreground ? 1 : 0, offset) != 0});
    }
    if (lane != 0) continue;
    rows_seen.positives += seen.foreground;
    // As a label, background would say that the objectness column is positive.
    const bool background = seen.column == efl::kBackground && p.convention.has_objectness;
    const bool dense = background || seen.column == efl::kDense;
    p.dense_columns[row] = dense && !seen.foreground ? efl::kDenseBackground : seen.column;
  }
  add_rows(rows_seen, p.totals);
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    atomicAdd(&p.totals->rows, static_cast<unsigned long long>(p.rows));
  }
}

}  // namespace

void launch_clear_survey(SurveyTotals* totals, cudaStream_t stream) {
  EFL_LAUNCH(clear_survey_kernel, dim3(1), dim3(1), 0, stream, totals);
}

void launch_survey(const SurveyParams& params, cudaStream_t stream) {
  const int64_t threads = params.level.targets ? params.rows * 32 : params.rows;
  const int64_t blocks = (threads + kSurveyThreads - 1) / kSurveyThreads;
  const dim3 grid(static_cast<unsigned>(blocks < 1                   ? 1
                                        : blocks > kMostSurveyBlocks ? kMostSurveyBlocks
                                                                     : blocks));
  if (params.level.targets) {
    EFL_LAUNCH(targets_kernel, grid, dim3(kSurveyThreads), 0, stream, params);
  } else {
    EFL_LAUNCH(labels_kernel, grid, dim3(kSurveyThreads), 0, stream, params);
  }
}

}  // namespace efl::cuda
