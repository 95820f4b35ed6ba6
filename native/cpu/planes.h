// NCHW: the positions of a plane run along a register, and each plane has one class. What a class
// needs and its sums stay in registers from one end of the plane to the other.
#pragma once

#include "../core/labels.h"
#include "../core/layout.h"
#include "../core/selection.h"
#include "elements.h"
#include "stage.h"

namespace {

constexpr int32_t kPositions = 1024;  // of a plane at a time, for all classes

// The rows of one anchor at a run of positions of one image.
struct Positions {
  int64_t offset;  // of class 0 at the first position, in the level's arrays
  int32_t count;
  alignas(64) int32_t column[kPositions];  // of the positive, or a constant of labels.h
  alignas(64) float quality[kPositions];
  alignas(64) float weight[kPositions];  // of the row; 0 of an ignored one
};

// What needs no haste, and so is decided while it runs.
class AnyPlanes : protected Elements {
 protected:
  AnyPlanes(const FocalTask& task, int32_t level, TileSums* sums)
      : Elements(task, task.problem->levels[level], !is_seldom(task)),
        level_index_(level),
        level_(task.problem->levels[level]),
        sums_(sums),
        columns_(efl::columns_of(task.problem->convention)),
        class_stride_(efl::row_place(task.problem->format, level_, columns_, 0).stride),
        staged_(task.problem->format.dtype != EFL_FLOAT32),
        selects_(level_.row_weight || level_.mask || task.column_mask) {}

  void read(int64_t first_row, int32_t count, Positions* positions) const {
    const int64_t anchors = problem_.format.anchors;
    positions->offset = efl::row_place(problem_.format, level_, columns_, first_row).offset;
    positions->count = count;
    if (!read_labels(first_row, count, positions->column)) {
      for (int32_t i = 0; i < count; ++i) {
        const int32_t found = efl::cpu::class_of_row(task_, level_index_, first_row + i * anchors);
        positions->column[i] = efl::positive_column(problem_.convention, found);
      }
    }
    for (int32_t i = 0; i < count; ++i) {
      positions->quality[i] = level_.quality ? level_.quality[first_row + i * anchors] : 1.0f;
      const float weight = efl::row_weight_of(level_, first_row + i * anchors);
      positions->weight[i] = positions->column[i] == efl::kIgnored ? 0.0f : weight;
    }
  }

  // What class_of_row says, without a branch: every block of classes has to know it. False where
  // there is a label that it does not name.
  EFL_NEVER_INLINE bool read_labels(int64_t first_row, int32_t count, int32_t* columns) const {
    if (task_.dense_columns) return read_found(first_row, count, columns);
    return efl::label_columns(problem_.convention, level_.labels + first_row,
                              problem_.format.anchors, count, columns);
  }

  // What the survey has found of these rows.
  EFL_MEMBER bool read_found(int64_t first_row, int32_t count, int32_t* columns) const {
    const int64_t anchors = problem_.format.anchors;
    const int32_t* const found = task_.dense_columns[level_index_] + first_row;
    const int32_t at_background = efl::positive_column(problem_.convention, efl::kBackground);
    for (int32_t i = 0; i < count; ++i) {
      const int32_t column = found[i * anchors];
      columns[i] = column == efl::kBackground ? at_background : column;
    }
    return true;
  }

  // Whether no position of a register has its positive in one of these classes.
  template <int32_t kStreams>
  EFL_INLINE bool no_positive(Bits column, int32_t c) {
    return none((column >= c) & (column < c + kStreams));
  }

  template <int32_t kStreams>
  EFL_NEVER_INLINE void any(const Positions& positions, const Stream* group, int32_t c,
                            int32_t first, int32_t last) {
    Stream streams[kStreams];
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) streams[r] = group[r];
    DoublePack negative_sums[kStreams] = {}, positive_sums[kStreams] = {};
    for (int32_t at = first; at < last; at += kLanes) {
      const int32_t count = last - at < kLanes ? last - at : kLanes;
      Lanes<kStreams> lanes;
      for (int32_t r = 0; r < kStreams; ++r) {
        describe<kStreams>(positions, streams[r], c + r, at, count, r, &lanes);
      }
      const Sides<kStreams> sides = mixed<kStreams>(streams, at, count, lanes);
      EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
        add_to(&negative_sums[r], sides.negative.of[r]);
        add_to(&positive_sums[r], sides.positive.of[r]);
      }
    }
    if (!sums_->negative) return;
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
      sums_->negative[c + r] += total(negative_sums[r]);
      sums_->positive[c + r] += total(positive_sums[r]);
    }
  }

  template <int32_t kStreams>
  EFL_MEMBER void describe(const Positions& positions, const Stream& stream, int32_t c, int32_t at,
                           int32_t count, int32_t r, Lanes<kStreams>* lanes) const {
    const Bits lane_counts = lanes_below(count);
    const Bits column = load(positions.column + at);
    const Pack logits = load_lanes(stream.logits + at, count);
    lanes->logits.of[r] = logits;
    lanes->gamma.of[r] = broadcast(problem_.gamma[c]);
    lanes->positive_weight.of[r] = broadcast(problem_.positive_weight[c]);
    lanes->negative_weight.of[r] = negative_weight(c, column, logits);
    lanes->counted[r] = lane_counts & (column != efl::kIgnored);
    lanes->positive[r] = lane_counts & (column == c);
    lanes->target.of[r] = load(positions.quality + at);
    if (level_.targets) {
      const int64_t offset = positions.offset + c * class_stride_ + at;
      lanes->target.of[r] = load_lanes(level_.targets + offset, count);
      lanes->positive[r] = lanes->target.of[r] > 0;
    }
    lanes->soft[r] = lanes->positive[r] & (lanes->target.of[r] < task_.soft_below);
    if (task_.smooth) lanes->classes[r] = Bits{} - (c < problem_.convention.classes);
    if (selects_) select_lanes<kStreams>(positions, c, at, count, r, lanes);
  }

  // What the weights of the rows and masks leave of it.
  template <int32_t kStreams>
  EFL_NEVER_INLINE void select_lanes(const Positions& positions, int32_t c, int32_t at,
                                     int32_t count, int32_t r, Lanes<kStreams>* lanes) const {
    const Pack factor = load(positions.weight + at);
    lanes->positive_weight.of[r] = lanes->positive_weight.of[r] * factor;
    lanes->negative_weight.of[r] = lanes->negative_weight.of[r] * factor;
    Bits kept = Bits{} - 1;
    if (level_.mask) {
      kept = lanes_of(level_.mask + positions.offset + c * class_stride_ + at, count);
    }
    if (task_.column_mask && !task_.column_mask[c]) kept = Bits{};
    lanes->counted[r] &= kept;
    lanes->positive[r] &= kept;
    lanes->soft[r] &= kept;
  }

  EFL_MEMBER Pack negative_weight(int32_t c, Bits column, Pack logits) const {
    const Pack background = broadcast(problem_.negative_weight[c]);
    if (!problem_.foreground_weight) return background;
    const Pack foreground = broadcast(problem_.foreground_weight[c]);
    const Bits suppressed = logits < broadcast(problem_.foreground_threshold);
    const Bits is_foreground =
        (column >= 0) | (column == efl::kDense) | (column == efl::kMaskedPositive);
    return select(is_foreground, select(suppressed, Pack{}, foreground), background);
  }

  const int32_t level_index_;
  const efl_level& level_;
  TileSums* const sums_;
  const int32_t columns_;
  const int64_t class_stride_;
  const bool staged_;
  const bool selects_;  // there are weights of rows, or masks
};

template <class Outputs, class Element>
class Planes : AnyPlanes {
 public:
  static void run(const FocalTask& task, const Tile& tile, TileSums* sums) {
    Planes planes(task, tile.level, sums);
    Positions positions;
    const int64_t anchors = task.problem->format.anchors;
    const int64_t last = tile.last_row / anchors;
    const int64_t anchor = tile.first_row % anchors;
    for (int64_t p = tile.first_row / anchors; p < last;) {
      const int64_t image_end = (p / planes.level_.positions + 1) * planes.level_.positions;
      const int64_t end = image_end < last ? image_end : last;
      const int64_t count = end - p < kPositions ? end - p : kPositions;
      planes.read(p * anchors + anchor, static_cast<int32_t>(count), &positions);
      planes.classes(positions, tile.first_column, tile.last_column);
      p += count;
    }
    planes.finish(sums);
  }

 private:
  Planes(const FocalTask& task, int32_t level, TileSums* sums) : AnyPlanes(task, level, sums) {}

  void classes(const Positions& positions, int32_t c, int32_t last) {
    for (; c + kStreams <= last; c += kStreams) compute<kStreams>(positions, c);
    for (; c < last; ++c) compute<1>(positions, c);
  }

  template <int32_t kStreams>
  EFL_MEMBER void compute(const Positions& positions, int32_t c) {
    if (staged_) return staged<kStreams>(positions, c);
    Stream streams[kStreams];
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
      const int64_t offset = positions.offset + (c + r) * class_stride_;
      streams[r].logits = static_cast<const float*>(level_.logits) + offset;
      streams[r].gradient =
          Outputs::kGradient ? static_cast<float*>(level_.gradient) + offset : nullptr;
      streams[r].elements = level_.elements ? level_.elements + offset : nullptr;
      streams[r].grad_output = level_.grad_output ? level_.grad_output + offset : nullptr;
    }
    plane<kStreams>(positions, streams, c, 0, positions.count);
  }

  template <int32_t kStreams>
  EFL_NEVER_INLINE void staged(const Positions& positions, int32_t c) {
    Stage<kStreams> stage(problem_.format, level_, 1);
    Stream streams[kStreams];
    for (int32_t at = 0; at < positions.count; at += kStagedElements) {
      const int32_t rest = positions.count - at;
      const int32_t count = rest < kStagedElements ? rest : kStagedElements;
      for (int32_t r = 0; r < kStreams; ++r) {
        const int64_t offset = positions.offset + (c + r) * class_stride_ + at;
        streams[r] = stage.open(r, offset, at, count);
      }
      plane<kStreams>(positions, streams, c, at, at + count);
      for (int32_t r = 0; r < kStreams; ++r) {
        stage.close(r, positions.offset + (c + r) * class_stride_ + at, count);
      }
    }
  }

  template <int32_t kStreams>
  EFL_MEMBER void plane(const Positions& positions, const Stream* streams, int32_t c, int32_t first,
                        int32_t last) {
    const bool plain = plain_ && !level_.elements && !level_.grad_output && !level_.targets &&
                       !level_.mask && !problem_.foreground_weight;
    for (int32_t i = first; i < last;) {
      if (plain) i = negatives_from<kStreams>(positions, streams, c, i, last);
      if (i == last) break;
      const int32_t end = plain && last - i > kLanes ? i + kLanes : last;
      any<kStreams>(positions, streams, c, i, end);
      i = end;
    }
  }

  // From position `at` on, registers of moderate negatives and of ignored rows, whose weight is 0;
  // returns where that ends.
  template <int32_t kStreams>
  EFL_NEVER_INLINE int32_t negatives_from(const Positions& positions, const Stream* group,
                                          int32_t c, int32_t at, int32_t last) {
    Stream streams[kStreams];
    Group<kStreams> gamma, weight;
    DoublePack sums[kStreams];
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
      streams[r] = group[r];
      gamma.of[r] = broadcast(problem_.gamma[c + r]);
      weight.of[r] = broadcast(problem_.negative_weight[c + r]);
      sums[r] = DoublePack{};
    }
    DoublePack loss = loss_;
    for (; at + kLanes <= last; at += kLanes) {
      const Bits column = load(positions.column + at);
      if (__builtin_expect(!no_positive<kStreams>(column, c), 0)) break;
      prefetch_next<kStreams>(streams, at);
      Group<kStreams> logits, weights;
      EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) logits.of[r] = load(streams[r].logits + at);
      const bool low = Element::kLowPays && all_low(logits);
      if (!low && __builtin_expect(!all_moderate(logits), 0)) break;
      const Pack of_rows = load(positions.weight + at);
      EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) weights.of[r] = weight.of[r] * of_rows;
      const Group<kStreams> magnitude =
          low ? negatives<Outputs, Element, false, Domain::kLow, kStreams>(streams, at, logits,
                                                                           gamma, weights, &loss)
              : negatives<Outputs, Element, false, Domain::kPlain, kStreams>(streams, at, logits,
                                                                             gamma, weights, &loss);
      if constexpr (Outputs::kStatistics)
        EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) add_to(&sums[r], magnitude.of[r]);
    }
    loss_ = loss;
    if constexpr (Outputs::kStatistics)
      EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) sums_->negative[c + r] += total(sums[r]);
    return at;
  }

  // The same positions of the next planes.
  template <int32_t kStreams>
  EFL_MEMBER void prefetch_next(const Stream* streams, int32_t at) const {
    const int64_t ahead = (staged_ ? 0 : kStreams * class_stride_) + at;
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
      __builtin_prefetch(streams[r].logits + ahead, 0);
      if (Outputs::kGradient) __builtin_prefetch(streams[r].gradient + ahead, 1);
    }
  }
};

}  // namespace
