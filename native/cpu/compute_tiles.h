// Each tile of a problem on one of the threads.
#pragma once

#include "partial_sums.h"
#include "thread_pool.h"

namespace efl::cpu {

// `cost`: of an element, where it is more than that of others.
template <class Compute>
void compute_tiles(int32_t threads, const Tiles& tiles, PartialSums* partial,
                   const Compute& compute, int64_t cost = 1) {
  const int32_t useful = useful_threads(threads, cost * tiles.elements());
  parallel_for(useful, tiles.count(), [&](int64_t index) {
    const Tile& tile = tiles[index];
    compute(tile, partial->open(index, tiles.run_of(index), tile));
  });
}

}  // namespace efl::cpu
