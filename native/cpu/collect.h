// Sums of |gradient| for gradients from elsewhere; those that are not finite count as such only.
#pragma once

#include "../core/labels.h"
#include "../core/layout.h"
#include "elements.h"
#include "planes.h"
#include "stage.h"

namespace {

class Collect {
 public:
  static void run(const efl_problem& problem, const Tile& tile, TileSums* sums) {
    Collect collect(problem, tile, sums);
    if (problem.format.layout == EFL_LAYOUT_NHWC) {
      for (int64_t row = tile.first_row; row < tile.last_row; ++row) collect.row(row);
    } else {
      collect.planes(tile);
    }
    sums->loss = 0;
    sums->non_finite = collect.non_finite_;
  }

 private:
  Collect(const efl_problem& problem, const Tile& tile, TileSums* sums)
      : problem_(problem),
        level_(problem.levels[tile.level]),
        sums_(sums),
        columns_(efl::columns_of(problem.convention)),
        first_column_(tile.first_column),
        last_column_(tile.last_column),
        stride_(efl::row_place(problem.format, level_, columns_, 0).stride) {}

  void row(int64_t index) {
    const int32_t column = column_of(index);
    if (column == efl::kIgnored) return;
    const int64_t offset = efl::row_place(problem_.format, level_, columns_, index).offset;
    for (int32_t first = first_column_; first < last_column_; first += kStagedElements) {
      const int32_t rest = last_column_ - first;
      const int32_t count = rest < kStagedElements ? rest : kStagedElements;
      const float* const values = staged(offset + first * stride_, stride_, count);
      part_of_row(values, first, count, column);
    }
  }

  void part_of_row(const float* values, int32_t first, int32_t count, int32_t column) {
    for (int32_t i = 0; i < count; i += kLanes) {
      const int32_t lanes = count - i < kLanes ? count - i : kLanes;
      Pack counted = counted_magnitude(load_lanes(values + i, lanes), Bits{} - 1);
      const int32_t lane = column - first - i;
      if (static_cast<uint32_t>(lane) < static_cast<uint32_t>(lanes)) {
        sums_->positive[column] += static_cast<double>(counted[lane]);
        counted = select(lane_is(lane), Pack{}, counted);
      }
      add_to(sums_->negative + first + i, counted);
    }
  }

  void planes(const Tile& tile) {
    const int64_t anchors = problem_.format.anchors;
    const int64_t last = tile.last_row / anchors;
    for (int64_t p = tile.first_row / anchors; p < last;) {
      const int64_t image_end = (p / level_.positions + 1) * level_.positions;
      const int64_t end = image_end < last ? image_end : last;
      const auto count = static_cast<int32_t>(end - p < kPositions ? end - p : kPositions);
      planes_of_anchor(p * anchors + tile.first_row % anchors, count);
      p += count;
    }
  }

  void planes_of_anchor(int64_t first_row, int32_t count) {
    for (int32_t i = 0; i < count; ++i) {
      column_[i] = column_of(first_row + i * problem_.format.anchors);
    }
    const int64_t offset = efl::row_place(problem_.format, level_, columns_, first_row).offset;
    for (int32_t c = first_column_; c < last_column_; ++c) {
      part_of_plane(staged(offset + c * stride_, 1, count), c, count);
    }
  }

  void part_of_plane(const float* values, int32_t c, int32_t count) {
    DoublePack negative = {}, positive = {};
    for (int32_t i = 0; i < count; i += kLanes) {
      const int32_t lanes = count - i < kLanes ? count - i : kLanes;
      const Bits column = load(column_ + i);
      const Bits counts = lanes_below(lanes) & (column != efl::kIgnored);
      const Pack counted = counted_magnitude(load_lanes(values + i, lanes), counts);
      add_to(&negative, select(column == c, Pack{}, counted));
      add_to(&positive, select(column == c, counted, Pack{}));
    }
    sums_->negative[c] += total(negative);
    sums_->positive[c] += total(positive);
  }

  EFL_MEMBER Pack counted_magnitude(Pack gradient, Bits counts) {
    const Pack magnitude = absolute(gradient);
    const Bits finite = is_finite(magnitude);
    non_finite_ += lanes_set(~finite & counts);
    return select(finite & counts, magnitude, Pack{});
  }

  int32_t column_of(int64_t row) const {
    const int32_t found = efl::label_column(problem_.convention, level_.labels[row]);
    return efl::positive_column(problem_.convention, found);
  }

  // The values themselves, where they are float32 side by side.
  const float* staged(int64_t offset, int64_t stride, int32_t count) {
    const Staging staging = {problem_.format.dtype, stride};
    if (!staging.needed()) return static_cast<const float*>(level_.logits) + offset;
    stage(staging, level_.logits, offset, values_, count);
    return values_;
  }

  const efl_problem& problem_;
  const efl_level& level_;
  TileSums* const sums_;
  const int32_t columns_;
  const int32_t first_column_;  // of the tile
  const int32_t last_column_;
  const int64_t stride_;
  int64_t non_finite_ = 0;
  alignas(64) int32_t column_[kPositions] = {};
  alignas(64) float values_[kPositions];
};

}  // namespace
