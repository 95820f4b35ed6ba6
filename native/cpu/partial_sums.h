// The partial sums of all tiles, and their sum in the order of the tiles.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <vector>

#include "../core/report.h"
#include "thread_pool.h"
#include "tiling.h"

namespace efl::cpu {

class PartialSums {
 public:
  // The blocks of a run share a row of sums per column.
  PartialSums(const Tiles& tiles, int32_t columns, bool per_column)
      : columns_(columns),
        padded_((columns + kColumnPadding - 1) / kColumnPadding * kColumnPadding),
        runs_(tiles.runs()),
        tiles_(static_cast<std::size_t>(tiles.count())) {
    // Not zeroed here: each tile's thread does so, which also places the memory near it.
    if (per_column) sums_.reset(new double[static_cast<std::size_t>(runs_) * 2 * padded_]);
  }

  TileSums* open(int64_t index, int64_t run, const Tile& tile) {
    TileSums& sums = tiles_[static_cast<std::size_t>(index)];
    if (!sums_) return &sums;
    sums.positive = positive_of(run);
    sums.negative = negative_of(run);
    const int64_t last = tile.last_column == columns_ ? padded_ : tile.last_column;
    const std::size_t bytes = static_cast<std::size_t>(last - tile.first_column) * sizeof(double);
    std::memset(sums.positive + tile.first_column, 0, bytes);
    std::memset(sums.negative + tile.first_column, 0, bytes);
    return &sums;
  }

  void finish_loss(double factor, efl_report* report) const {
    int64_t non_finite = 0;
    for (const TileSums& tile : tiles_) {
      report->loss += tile.loss;
      non_finite += tile.non_finite;
    }
    report->loss *= factor;
    report->non_finite = static_cast<double>(non_finite);
  }

  // Several threads take some columns each. A column is added in the order of the runs whoever
  // does.
  void finish_statistics(int32_t threads, double factor, double* positive, double* negative) const {
    constexpr int32_t kColumns = 256;
    constexpr int64_t kSumsLikeAnElement = 4;
    const int64_t parts = (columns_ + kColumns - 1) / kColumns;
    const int64_t work = runs_ * 2 * columns_ / kSumsLikeAnElement;
    parallel_for(useful_threads(threads, work), parts, [&](int64_t part) {
      const auto first = static_cast<int32_t>(part * kColumns);
      const int32_t count = std::min(columns_ - first, kColumns);
      add_runs(&PartialSums::positive_of, first, count, factor, positive + first);
      add_runs(&PartialSums::negative_of, first, count, factor, negative + first);
    });
  }

 private:
  double* positive_of(int64_t run) const { return sums_.get() + run * 2 * padded_; }
  double* negative_of(int64_t run) const { return positive_of(run) + padded_; }

  void add_runs(double* (PartialSums::*sums_of)(int64_t) const, int32_t first, int32_t count,
                double factor, double* total) const {
    if (runs_ == 0) std::fill_n(total, count, 0.0);
    for (int64_t run = 0; run < runs_; ++run) {
      const double* const sums = (this->*sums_of)(run) + first;
      if (run == 0) std::copy_n(sums, count, total);
      for (int32_t i = 0; run > 0 && i < count; ++i) total[i] += sums[i];
    }
    for (int32_t i = 0; i < count; ++i) total[i] *= factor;
  }

  const int32_t columns_;
  const int64_t padded_;
  const int64_t runs_;
  std::vector<TileSums> tiles_;
  std::unique_ptr<double[]> sums_;
};

}  // namespace efl::cpu
