// From the partial sums of all blocks of a level to those of the call, in float64 and in a fixed
// order: the same to the last bit in every run.
#pragma once

#include "totals.cuh"

namespace efl::cuda {

// What the blocks of a level leave. A tile has the sums of `slots` columns, from that of its first
// element on and round; a chunk is one block of every tile.
struct PartialSums {
  const float* sums;  // [chunk][tile][negative, positive][slot], or null without statistics
  int32_t slots;
  int32_t tiles;
  int32_t chunks;
  int64_t tile_elements;
  const BlockTotals* totals;
  int64_t blocks;
};

struct FinishParams {
  PartialSums partial;
  int32_t columns;
  int32_t level;
  double* negative_sums;  // per column, unscaled: of |dL/du|
  double* positive_sums;
  CallTotals* totals;
};

constexpr int32_t kFinishColumns = 32;  // of a block
constexpr int32_t kFinishShares = 32;   // of the chunks

struct ColumnSums {
  double negative;
  double positive;
};

// Every kFinishShares-th chunk's part of a column.
EFL_DEVICE ColumnSums share_of_column(const FinishParams& p, int32_t column, int32_t share) {
  ColumnSums sums{};
  const PartialSums& partial = p.partial;
  for (int32_t tile = 0; tile < partial.tiles; ++tile) {
    const auto start = static_cast<int32_t>(tile * partial.tile_elements % p.columns);
    const int32_t slot = column >= start ? column - start : column + p.columns - start;
    if (slot >= partial.slots) continue;
    for (int32_t chunk = share; chunk < partial.chunks; chunk += kFinishShares) {
      const float* const from =
          partial.sums + (static_cast<int64_t>(chunk) * partial.tiles + tile) * 2 * partial.slots;
      sums.negative += static_cast<double>(from[slot]);
      sums.positive += static_cast<double>(from[partial.slots + slot]);
    }
  }
  return sums;
}

// The totals of all blocks, by one warp.
EFL_DEVICE void finish_totals(const FinishParams& p) {
  double loss = 0;
  unsigned long long positives = 0, ignored = 0, non_finite = 0, bad_row = kNoRow;
  for (int64_t i = threadIdx.x; i < p.partial.blocks; i += 32) {
    const BlockTotals& block = p.partial.totals[i];
    loss += block.loss;
    positives += block.positives;
    ignored += block.ignored;
    non_finite += block.non_finite;
    bad_row = min(bad_row, static_cast<unsigned long long>(block.bad_row));
  }
  for (int offset = 16; offset > 0; offset >>= 1) {
    loss += __shfl_down_sync(0xffffffffu, loss, offset);
    positives += __shfl_down_sync(0xffffffffu, positives, offset);
    ignored += __shfl_down_sync(0xffffffffu, ignored, offset);
    non_finite += __shfl_down_sync(0xffffffffu, non_finite, offset);
    bad_row = min(bad_row, __shfl_down_sync(0xffffffffu, bad_row, offset));
  }
  if (threadIdx.x != 0) return;
  CallTotals& totals = *p.totals;
  totals.loss += loss;
  totals.positives += static_cast<int64_t>(positives);
  totals.ignored += static_cast<int64_t>(ignored);
  totals.non_finite += static_cast<int64_t>(non_finite);
  if (totals.bad_level < 0 && static_cast<int64_t>(bad_row) != kNoRow) {
    totals.bad_level = p.level;
    totals.bad_row = static_cast<int64_t>(bad_row);
  }
}

// grid = columns / kFinishColumns, rounded up; block = (kFinishColumns, kFinishShares).
__global__ void __launch_bounds__(kFinishColumns* kFinishShares)
    finish_kernel(const __grid_constant__ FinishParams p) {
  __shared__ ColumnSums shares[kFinishShares][kFinishColumns + 1];
  const int32_t column = static_cast<int32_t>(blockIdx.x) * kFinishColumns + threadIdx.x;
  const bool mine = p.partial.sums && column < p.columns;
  shares[threadIdx.y][threadIdx.x] =
      mine ? share_of_column(p, column, static_cast<int32_t>(threadIdx.y)) : ColumnSums{};
  __syncthreads();
  if (threadIdx.y != 0) return;
  if (mine) {
    ColumnSums sums{};
    for (int32_t share = 0; share < kFinishShares; ++share) {
      sums.negative += shares[share][threadIdx.x].negative;
      sums.positive += shares[share][threadIdx.x].positive;
    }
    p.negative_sums[column] += sums.negative;
    p.positive_sums[column] += sums.positive;
  }
  if (blockIdx.x == 0) finish_totals(p);
}

}  // namespace efl::cuda
