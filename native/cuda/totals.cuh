// What a block finds beside the sums of its columns.
#pragma once

#include <cstdint>

#include "../core/problem.h"
#include "device.h"

namespace efl::cuda {

constexpr int64_t kNoRow = INT64_MAX;

struct BlockTotals {
  double loss;  // unscaled
  uint32_t positives;
  uint32_t ignored;
  uint32_t non_finite;
  int64_t bad_row;  // the smallest row with a label that names nothing, or kNoRow
};

// Sums over all levels of a call, each level adding to what those before it have left.
struct CallTotals {
  double loss;  // unscaled
  int64_t positives;
  int64_t ignored;
  int64_t non_finite;
  int64_t bad_level;  // -1: none
  int64_t bad_row;
};

// Sums over a block in a fixed order; thread 0 has the result.
EFL_DEVICE double block_sum(double value, double* warp_sums) {
  for (int offset = 16; offset > 0; offset >>= 1) {
    value += __shfl_down_sync(0xffffffffu, value, offset);
  }
  if ((threadIdx.x & 31) == 0) warp_sums[threadIdx.x >> 5] = value;
  __syncthreads();
  double total = 0;
  if (threadIdx.x == 0) {
    for (unsigned warp = 0; warp < blockDim.x / 32; ++warp) total += warp_sums[warp];
  }
  return total;
}

}  // namespace efl::cuda
