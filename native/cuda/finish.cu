#include "finish.h"

#include "device.h"

namespace efl::cuda {
namespace {

struct ColumnSums {
  double negative;
  double positive;
};

// Every kFinishShares-th chunk's part of a column, level by level.
EFL_DEVICE void add_share_of_column(const PartialSums& partial, int32_t columns, int32_t column,
                                    int32_t share, ColumnSums* sums) {
  for (int32_t tile = 0; tile < partial.tiles; ++tile) {
    const auto start = static_cast<int32_t>(tile * partial.tile_elements % columns);
    const int32_t slot = column >= start ? column - start : column + columns - start;
    if (slot >= partial.slots) continue;
    for (int32_t chunk = share; chunk < partial.chunks; chunk += kFinishShares) {
      const float* const from =
          partial.sums + (static_cast<int64_t>(chunk) * partial.tiles + tile) * 2 * partial.slots;
      sums->negative += static_cast<double>(from[slot]);
      sums->positive += static_cast<double>(from[partial.slots + slot]);
    }
  }
}

// What is out of its range in a level.
EFL_DEVICE void find_bad(const FinishLevel& level, const SurveyTotals* survey, int64_t bad_row,
                         CallTotals* totals) {
  const auto report = [&](efl_status status, int64_t index, int64_t before, double value) {
    totals->status = status;
    totals->bad_level = level.level_index;
    totals->bad_index = before + index;
    totals->bad_value = value;
  };
  if (bad_row != kNoRow) {
    return report(EFL_BAD_LABEL, bad_row, level.rows_before, level.level.labels[bad_row]);
  }
  if (!survey) return;
  const FirstBad& bad = survey->bad;
  const auto is_here = [&](unsigned long long place) {
    return place != kNothingBad && static_cast<int32_t>(place >> kPlaceBits) == level.level_index;
  };
  const auto index_of = [](unsigned long long place) {
    return static_cast<int64_t>(place & ((1ull << kPlaceBits) - 1));
  };
  if (is_here(bad.target)) {
    const int64_t at = index_of(bad.target);
    return report(EFL_BAD_TARGET, at, 0, static_cast<double>(level.level.targets[at]));
  }
  if (is_here(bad.weight)) {
    const int64_t row = index_of(bad.weight);
    return report(EFL_BAD_WEIGHT, row, 0, static_cast<double>(level.level.row_weight[row]));
  }
  if (is_here(bad.quality)) {
    const int64_t row = index_of(bad.quality);
    report(EFL_BAD_QUALITY, row, 0, static_cast<double>(level.level.quality[row]));
  }
}

// The totals of all blocks of a level, by one warp; lane 0 has them.
EFL_DEVICE void add_totals(const FinishLevel& level, const SurveyTotals* survey,
                           CallTotals* totals) {
  double loss = 0;
  unsigned long long positives = 0, ignored = 0, non_finite = 0, bad_row = kNoRow;
  uint32_t collected = 0;
  for (int64_t i = threadIdx.x; i < level.partial.blocks; i += 32) {
    const BlockTotals& block = level.partial.totals[i];
    loss += block.loss;
    positives += block.positives;
    ignored += block.ignored;
    non_finite += block.non_finite;
    collected |= block.collected;
    bad_row = min(bad_row, static_cast<unsigned long long>(block.bad_row));
  }
  for (int offset = 16; offset > 0; offset >>= 1) {
    loss += __shfl_down_sync(0xffffffffu, loss, offset);
    positives += __shfl_down_sync(0xffffffffu, positives, offset);
    ignored += __shfl_down_sync(0xffffffffu, ignored, offset);
    non_finite += __shfl_down_sync(0xffffffffu, non_finite, offset);
    collected |= __shfl_down_sync(0xffffffffu, collected, offset);
    bad_row = min(bad_row, __shfl_down_sync(0xffffffffu, bad_row, offset));
  }
  if (threadIdx.x != 0) return;
  totals->loss += loss;
  totals->positives += static_cast<int64_t>(positives);
  totals->ignored += static_cast<int64_t>(ignored);
  totals->non_finite += static_cast<int64_t>(non_finite);
  totals->collected |= collected;
  if (level.level.targets && survey) totals->positives = static_cast<int64_t>(survey->positives);
  if (totals->status == EFL_OK) find_bad(level, survey, static_cast<int64_t>(bad_row), totals);
}

EFL_DEVICE void finish_totals(const FinishParams& p) {
  CallTotals totals = p.first ? CallTotals{} : *p.totals;
  for (int32_t i = 0; i < p.level_count; ++i) add_totals(p.levels[i], p.survey, &totals);
  if (threadIdx.x == 0) *p.totals = totals;
}

// grid = columns / kFinishColumns, rounded up; block = (kFinishColumns, kFinishShares).
__global__ void __launch_bounds__(kFinishColumns* kFinishShares)
    finish_kernel(const __grid_constant__ FinishParams p) {
  __shared__ ColumnSums shares[kFinishShares][kFinishColumns + 1];
  const int32_t column = static_cast<int32_t>(blockIdx.x) * kFinishColumns + threadIdx.x;
  const bool mine = p.statistics && column < p.columns;
  ColumnSums share{};
  for (int32_t i = 0; mine && i < p.level_count; ++i) {
    add_share_of_column(p.levels[i].partial, p.columns, column, static_cast<int32_t>(threadIdx.y),
                        &share);
  }
  shares[threadIdx.y][threadIdx.x] = share;
  __syncthreads();
  if (threadIdx.y != 0) return;
  if (mine) {
    ColumnSums sums{};
    for (int32_t i = 0; i < kFinishShares; ++i) {
      sums.negative += shares[i][threadIdx.x].negative;
      sums.positive += shares[i][threadIdx.x].positive;
    }
    p.negative_sums[column] = sums.negative * kSumUnit + (p.first ? 0 : p.negative_sums[column]);
    p.positive_sums[column] = sums.positive * kSumUnit + (p.first ? 0 : p.positive_sums[column]);
  }
  if (blockIdx.x == 0) finish_totals(p);
}

}  // namespace

void launch_finish(const FinishParams& params, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>((params.columns + kFinishColumns - 1) / kFinishColumns));
  EFL_LAUNCH(finish_kernel, grid, dim3(kFinishColumns, kFinishShares), 0, stream, params);
}

}  // namespace efl::cuda
