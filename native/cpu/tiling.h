// How a problem is cut into tiles: runs of rows, each cut into blocks of columns.
//
// The cut depends on the problem alone, never on the number of threads. Gradients and statistics do
// not depend on where columns are cut, either; the sum of the loss does, in its last digits: it is
// added tile by tile.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "../core/labels.h"
#include "../core/layout.h"
#include "kernels.h"

namespace efl::cpu {

constexpr int64_t kElementsWorthATile = 64 * 1024;     // less than so many are one tile
constexpr int64_t kElementsPerTile = 16 * 1024;        // large against the cost of a hand-over
constexpr int64_t kElementsOfMany = 960 * 1024;        // from here on there are many tiles
constexpr int64_t kManyTiles = 128;                    // by blocks, where runs do not give them
constexpr int64_t kMostTiles = 256;                    // by runs; rounding may give some more
constexpr int64_t kPartialSumBytes = 3 * 1024 * 1024;  // for the sums per column of all runs
constexpr int64_t kMinRuns = 4;                        // even where those take more

// What a kernel is at its best with.
struct Grain {
  int64_t rows;           // taken at once: a run has a multiple of them
  int64_t least_rows;     // of a run
  int32_t columns;        // likewise of a block
  int32_t least_columns;  // of a block
  // Each column of a tile costs something, and each row: the cost is least at this many rows for
  // one column.
  double rows_per_column;
};

// Rows in lock-step, 4 or 5 of them, or short ones by the block; whole registers of columns.
constexpr Grain kRowsGrain = {20, 20, kColumnPadding, 128, 1.0 / 7};
constexpr Grain kShortRowsGrain = {64, 64, kColumnPadding, 128, 1.0 / 7};
// Planes in lock-step, 4 or 5 of them; whole registers of positions.
constexpr Grain kPlanesGrain = {16, 192, 20, 20, 12.0};

struct Tiling {
  int64_t rows_per_run;
  int32_t columns_per_block;  // the last block of a run takes what is left, too

  int32_t blocks(int32_t columns) const { return std::max(1, columns / columns_per_block); }
};

inline int64_t tiles_wanted(int64_t elements) {
  if (elements < kElementsWorthATile) return 1;
  const int64_t wanted = (elements + kElementsPerTile - 1) / kElementsPerTile;
  return std::clamp(wanted, elements < kElementsOfMany ? 1 : kManyTiles, kMostTiles);
}

// Into how many blocks a run is cut where nothing stands against the best shape of a tile.
inline int64_t best_blocks(int64_t elements, int64_t tiles, int32_t columns, const Grain& grain) {
  const double size = static_cast<double>(elements) / static_cast<double>(tiles);
  const double width = std::sqrt(size / grain.rows_per_column);
  return std::llround(columns / std::max(1.0, width));
}

// `least_runs`: so many there are whatever their length.
inline Tiling tiling_of(int64_t rows, int32_t columns, const Grain& grain, int64_t least_runs) {
  const auto ratio = [](int64_t a, int64_t b) { return (a + b - 1) / b; };
  const auto whole = [](int64_t a, int64_t b) { return a / b * b; };
  const auto from_one_to = [](int64_t most, int64_t wanted) {
    return std::max<int64_t>(1, std::min(wanted, most));
  };
  const int64_t elements = rows * columns;
  const int64_t wanted = tiles_wanted(elements);
  const int64_t many = std::min(wanted, kManyTiles);
  const int64_t most_blocks = std::min<int64_t>(columns / grain.least_columns, many);
  const int64_t bytes_per_run = 2 * static_cast<int64_t>(sizeof(double)) * columns;
  const int64_t most_runs =
      std::min(std::max(kPartialSumBytes / bytes_per_run, kMinRuns), ratio(rows, grain.least_rows));
  const int64_t best = from_one_to(most_blocks, best_blocks(elements, many, columns, grain));
  const int64_t runs = from_one_to(most_runs, ratio(wanted, best));
  // More blocks where there are no more runs.
  const int64_t blocks = from_one_to(most_blocks, ratio(many, std::max(runs, least_runs)));
  // Rounded down, so that there are not less than wanted.
  return {std::max(grain.least_rows, whole(rows / runs, grain.rows)),
          static_cast<int32_t>(
              std::max<int64_t>(grain.columns, whole(columns / blocks, grain.columns)))};
}

// The tiles of all levels: runs of rows in their order, and their blocks.
class Tiles {
 public:
  Tiles(const efl_format& format, const efl_level* levels, int32_t level_count, int32_t columns) {
    int64_t rows = 0;
    for (int32_t i = 0; i < level_count; ++i) rows += rows_of(format, levels[i]);
    elements_ = rows * columns;
    const bool planes = format.layout == EFL_LAYOUT_NCHW;
    const int64_t least_runs = planes ? format.anchors : 1;
    const Tiling tiling = tiling_of(rows, columns, grain_of(format, columns), least_runs);
    blocks_ = tiling.blocks(columns);
    for (int32_t i = 0; i < level_count; ++i) {
      if (planes) {
        add_planes(i, levels[i], format.anchors, columns, tiling);
      } else {
        const int64_t rows_of_level = rows_of(format, levels[i]);
        for (int64_t first = 0; first < rows_of_level; first += tiling.rows_per_run) {
          const int64_t last = std::min(rows_of_level, first + tiling.rows_per_run);
          add_run({i, first, last, 1, 0, columns}, tiling);
        }
      }
    }
  }

  int64_t elements() const { return elements_; }
  int64_t count() const { return static_cast<int64_t>(tiles_.size()); }
  int64_t runs() const { return count() / blocks_; }
  int64_t run_of(int64_t index) const { return index / blocks_; }
  const Tile& operator[](int64_t index) const { return tiles_[static_cast<std::size_t>(index)]; }

 private:
  // A run of positions, for one anchor: an even part of a plane, or whole ones.
  void add_planes(int32_t index, const efl_level& level, int32_t anchors, int32_t columns,
                  const Tiling& tiling) {
    if (level.positions == 0) return;
    const int64_t most = tiling.rows_per_run;
    const int64_t parts = (level.positions + most - 1) / most;
    const int64_t planes = parts == 1 ? most / level.positions : 1;
    const int64_t even = (level.positions + parts - 1) / parts;
    const int64_t grain = kPlanesGrain.rows;
    const int64_t length = parts == 1 ? even : (even + grain - 1) / grain * grain;
    for (int64_t image = 0; image < level.images; image += planes) {
      const int64_t positions = std::min(planes, level.images - image) * level.positions;
      for (int64_t p = 0; p < positions; p += planes * length) {
        const int64_t first = (image * level.positions + p) * anchors;
        const int64_t last = first + std::min(planes * length, positions - p) * anchors;
        for (int32_t a = 0; a < anchors; ++a) {
          add_run({index, first + a, last, anchors, 0, columns}, tiling);
        }
      }
    }
  }

  void add_run(Tile tile, const Tiling& tiling) {
    const int32_t columns = tile.last_column;
    for (int32_t block = 0; block < blocks_; ++block) {
      tile.first_column = block * tiling.columns_per_block;
      tile.last_column = tile.first_column + tiling.columns_per_block;
      if (block == blocks_ - 1) tile.last_column = columns;
      tiles_.push_back(tile);
    }
  }

  static const Grain& grain_of(const efl_format& format, int32_t columns) {
    if (format.layout == EFL_LAYOUT_NCHW) return kPlanesGrain;
    return columns < 2 * kColumnPadding ? kShortRowsGrain : kRowsGrain;
  }

  int64_t elements_ = 0;
  int32_t blocks_ = 1;
  std::vector<Tile> tiles_;
};

}  // namespace efl::cpu
