// How the rows of a problem are cut into tiles.
//
// The cut depends on the problem alone, never on the number of threads: partial sums of tiles are
// added in tile order, so every result is the same, to the last bit, however many threads there
// are.
#pragma once

#include <algorithm>
#include <cstdint>

namespace efl::cpu {

constexpr int64_t kElementsPerTile = 32 * 1024;        // large against the cost of a hand-over
constexpr int64_t kPartialSumBytes = 2 * 1024 * 1024;  // for the per-class sums of all tiles
constexpr int64_t kMinTiles = 8;                       // even where those take more
constexpr int64_t kMaxTiles = 256;

struct Tiling {
  int64_t tiles;
  int64_t rows_per_tile;

  int64_t first_row(int64_t tile) const { return tile * rows_per_tile; }
  int64_t last_row(int64_t tile, int64_t rows) const {
    return std::min(rows, (tile + 1) * rows_per_tile);
  }
};

inline Tiling tile_rows(int64_t rows, int64_t row_length) {
  const int64_t bytes_per_tile = 2 * static_cast<int64_t>(sizeof(double)) * row_length;
  const int64_t most = std::clamp(kPartialSumBytes / bytes_per_tile, kMinTiles, kMaxTiles);
  const int64_t wanted = (rows * row_length + kElementsPerTile - 1) / kElementsPerTile;
  const int64_t tiles = std::clamp<int64_t>(std::min(wanted, rows), 1, most);
  const int64_t rows_per_tile = std::max<int64_t>(1, (rows + tiles - 1) / tiles);
  // Rounding up may leave the last tiles empty.
  return {std::max<int64_t>(1, (rows + rows_per_tile - 1) / rows_per_tile), rows_per_tile};
}

}  // namespace efl::cpu
