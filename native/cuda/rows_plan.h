// How the rows of a level are cut into blocks. The same on every machine, whatever its GPU.
//
// Rows of C elements lie one after another, so a level is one flat array. A step is a run of rows
// that is a whole number of vectors, and a thread has the same vector of every step: all accesses
// are aligned for any C, and a thread's columns never change. A tile is one block's part of a step;
// a chunk is every so many steps.
#pragma once

#include <cstdint>
#include <numeric>

#include "tuning.h"

namespace efl::cuda {

struct RowsPlan {
  int32_t lanes;  // elements in a vector
  int32_t threads;
  int32_t tiles;
  int32_t chunks;
  int32_t rows_per_step;
  int32_t vectors_per_step;
  int32_t slots;  // sums in a block's partial: min(columns, threads x lanes)
  int64_t blocks;
  int64_t partial_floats;
  int32_t shared_bytes;
};

// `aligned`: logits and gradient start at multiples of 16 bytes.
inline RowsPlan plan_rows(int64_t rows, int32_t columns, int32_t element_bytes, bool aligned,
                          int64_t fewest_blocks = kFewestBlocks) {
  RowsPlan plan{};
  plan.lanes = aligned ? 16 / element_bytes : 1;
  const int32_t common = std::gcd(columns, plan.lanes);
  const int32_t period_rows = plan.lanes / common;
  const int32_t period = columns / common;  // vectors
  double best = 0;
  for (int32_t threads = 128; threads <= kMostRowsThreads; threads += 32) {
    const int32_t repeats = threads > period ? threads / period : 1;
    const int32_t tiles = (period + threads - 1) / threads;
    const double used =
        static_cast<double>(repeats) * period / (static_cast<double>(tiles) * threads);
    if (used <= best) continue;
    best = used;
    plan.threads = threads;
    plan.tiles = tiles;
    plan.rows_per_step = repeats * period_rows;
    plan.vectors_per_step = repeats * period;
  }
  const int64_t steps = (rows + plan.rows_per_step - 1) / plan.rows_per_step;
  const int64_t long_enough = (steps + kStepsPerChunk - 1) / kStepsPerChunk;
  const int64_t many = (fewest_blocks + plan.tiles - 1) / plan.tiles;
  const int64_t wanted = long_enough > many ? long_enough : many;
  plan.chunks = static_cast<int32_t>(steps < wanted ? (steps > 0 ? steps : 1) : wanted);
  const int32_t tile_elements = plan.threads * plan.lanes;
  plan.slots = columns < tile_elements ? columns : tile_elements;
  plan.blocks = static_cast<int64_t>(plan.chunks) * plan.tiles;
  plan.partial_floats = plan.blocks * 2 * plan.slots;
  plan.shared_bytes =
      plan.threads * (2 * plan.lanes * 4 + kRing * (plan.lanes * element_bytes + 4));
  return plan;
}

}  // namespace efl::cuda
