// Rows shorter than a register, which one after the other would leave most lanes idle.
//
// So many of them are taken at once that they fill whole registers: four times as many rows as a
// register has lanes, and hence 4 C registers. What a kernel keeps per column is kept per element
// of such a block, and folded at the end. Columns and rows run across registers, so that there is
// no register of negatives alone: all is done with masks.
#pragma once

#include "../core/labels.h"
#include "../core/layout.h"
#include "../core/selection.h"
#include "elements.h"
#include "stage.h"

namespace {

class ShortRows : Elements {
 public:
  static constexpr int32_t kRegisters = 4;  // in lock-step
  static constexpr int32_t kRowsPerBlock = kRegisters * kLanes;

  static bool fit(const efl_problem& problem) {
    const int32_t columns = efl::columns_of(problem.convention);
    return columns < 2 * kLanes && columns % kLanes != 0 && efl::lies_in_rows(problem.format);
  }

  // Computes whole blocks; returns the first row that is left.
  static int64_t run(const FocalTask& task, const Tile& tile, TileSums* sums) {
    if (tile.last_row - tile.first_row < kRowsPerBlock) return tile.first_row;
    ShortRows rows(task, tile.level, sums->negative != nullptr);
    int64_t row = tile.first_row;
    for (; row + kRowsPerBlock <= tile.last_row; row += kRowsPerBlock) rows.block(row);
    rows.finish(sums);
    return row;
  }

 private:
  static constexpr int32_t kMostElements = 2 * kRowsPerBlock * kLanes;

  ShortRows(const FocalTask& task, int32_t level, bool statistics)
      : Elements(task, task.problem->levels[level], !is_seldom(task)),
        level_index_(level),
        level_(task.problem->levels[level]),
        columns_(efl::columns_of(task.problem->convention)),
        elements_(kRowsPerBlock * columns_),
        statistics_(statistics),
        selects_(level_.row_weight || level_.mask || task.column_mask),
        usual_(plain_ && !level_.elements && !level_.grad_output && !problem_.foreground_weight) {
    for (int32_t i = 0; i < elements_; ++i) {
      const int32_t c = i % columns_;
      gamma_[i] = problem_.gamma[c];
      positive_weight_[i] = problem_.positive_weight[c];
      negative_weight_[i] = problem_.negative_weight[c];
      positive_sums_[i] = negative_sums_[i] = 0;
      classes_[i] = c < problem_.convention.classes ? -1 : 0;
    }
  }

  void block(int64_t first_row) {
    soft_ = false;
    for (int32_t r = 0; r < kRowsPerBlock; ++r) describe(first_row + r, r * columns_);
    const int64_t offset = first_row * columns_;
    const Staging staging = {problem_.format.dtype, 1};
    float* const gradient = level_.gradient && staging.needed() ? values_ : nullptr;
    const float* logits = values_;
    if (staging.needed()) {
      stage(staging, level_.logits, offset, values_, elements_);
    } else {
      logits = static_cast<const float*>(level_.logits) + offset;
    }
    Stream stream = {logits, gradient, nullptr, nullptr};
    if (level_.gradient && !gradient)
      stream.gradient = static_cast<float*>(level_.gradient) + offset;
    if (level_.elements) stream.elements = level_.elements + offset;
    if (level_.grad_output) stream.grad_output = level_.grad_output + offset;
    if (usual_ && !soft_) {
      plain_block(stream);
    } else {
      for (int32_t i = 0; i < elements_; i += kRegisters * kLanes) registers(stream, i);
    }
    if (gradient) unstage(staging, values_, level_.gradient, offset, elements_);
  }

  // One row's place in a block.
  EFL_MEMBER void describe(int64_t row, int32_t at) {
    const int32_t found = efl::cpu::class_of_row(task_, level_index_, row);
    const int32_t column = efl::positive_column(problem_.convention, found);
    const int32_t counted = found == efl::kIgnored ? 0 : -1;
    for (int32_t c = 0; c < columns_; ++c) {
      counted_[at + c] = counted;
      positive_[at + c] = 0;
    }
    if (efl::is_dense(found)) {
      describe_dense(row, at);
    } else if (column >= 0) {
      positive_[at + column] = -1;
      target_[at + column] = level_.quality ? level_.quality[row] : 1.0f;
      soft_ |= target_[at + column] < task_.soft_below;
    }
    if (problem_.foreground_weight) weigh(efl::has_class(found), at);
    if (selects_) select_row(row, at);
  }

  EFL_NEVER_INLINE void describe_dense(int64_t row, int32_t at) {
    const float* const targets = level_.targets + row * columns_;
    soft_ = true;
    for (int32_t c = 0; c < columns_; ++c) {
      target_[at + c] = targets[c];
      positive_[at + c] = targets[c] > 0 ? -1 : 0;
    }
  }

  EFL_NEVER_INLINE void weigh(bool foreground, int32_t at) {
    const float* const weights = foreground ? problem_.foreground_weight : problem_.negative_weight;
    for (int32_t c = 0; c < columns_; ++c) {
      negative_weight_[at + c] = weights[c];
      threshold_[at + c] = foreground ? problem_.foreground_threshold : -__builtin_inff();
    }
  }

  // What the weight of the row and masks leave of it.
  EFL_NEVER_INLINE void select_row(int64_t row, int32_t at) {
    const float factor = efl::row_weight_of(level_, row);
    for (int32_t c = 0; c < columns_; ++c) {
      const float weight =
          problem_.foreground_weight ? negative_weight_[at + c] : problem_.negative_weight[c];
      negative_weight_[at + c] = weight * factor;
      positive_weight_[at + c] = problem_.positive_weight[c] * factor;
      if (!efl::is_masked(problem_, level_, row * columns_ + c, c)) continue;
      counted_[at + c] = 0;
      positive_[at + c] = 0;
    }
  }

  void plain_block(const Stream& stream) {
    with_usual_element(task_, [&](auto element) { plain_block_with<decltype(element)>(stream); });
  }

  template <class Element>
  void plain_block_with(const Stream& stream) {
    if (!stream.gradient) return plain_registers<ForwardOnly, Element>(stream);
    if (!statistics_) return plain_registers<WithGradient, Element>(stream);
    plain_registers<WithStatistics, Element>(stream);
  }

  // What is usual, so that nothing in the loop is decided by element.
  template <class Outputs, class Element>
  EFL_NEVER_INLINE void plain_registers(const Stream& stream) {
    constexpr int32_t kStreams = kRegisters;  // a stream is a register here
    DoublePack loss = {};
    for (int32_t first = 0; first < elements_; first += kStreams * kLanes) {
      Stream streams[kStreams];
      Group<kStreams> logits, gamma, weight;
      Bits positive[kStreams], counted[kStreams];
      EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
        const int32_t i = first + r * kLanes;
        streams[r] = {stream.logits + r * kLanes,
                      Outputs::kGradient ? stream.gradient + r * kLanes : nullptr, nullptr,
                      nullptr};
        counted[r] = load(counted_ + i);
        positive[r] = load(positive_ + i);
        logits.of[r] = select(counted[r], load(stream.logits + i), Pack{});
        gamma.of[r] = load(gamma_ + i);
        weight.of[r] = select(positive[r], load(positive_weight_ + i), load(negative_weight_ + i));
        weight.of[r] = select(counted[r], weight.of[r], Pack{});
      }
      if (__builtin_expect(!all_moderate(logits), 0)) {
        registers(stream, first);
        continue;
      }
      const Group<kStreams> magnitude = labelled<Outputs, Element, kStreams>(
          streams, first, kLanes, logits, gamma, weight, positive, &loss);
      if constexpr (!Outputs::kStatistics) continue;
      EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
        const int32_t i = first + r * kLanes;
        add_to(negative_sums_ + i, select(positive[r], Pack{}, magnitude.of[r]));
        if (none(positive[r])) continue;
        add_to(positive_sums_ + i, select(positive[r], magnitude.of[r], Pack{}));
      }
    }
    loss_ += loss;
  }

  EFL_NEVER_INLINE void registers(const Stream& stream, int32_t first) {
    constexpr int32_t kStreams = kRegisters;  // a stream is a register here
    Stream streams[kStreams];
    Lanes<kStreams> lanes;
    for (int32_t r = 0; r < kStreams; ++r) {
      const int32_t i = first + r * kLanes;
      streams[r] = {stream.logits + r * kLanes,
                    stream.gradient ? stream.gradient + r * kLanes : nullptr,
                    stream.elements ? stream.elements + r * kLanes : nullptr,
                    stream.grad_output ? stream.grad_output + r * kLanes : nullptr};
      const Pack logits = load(stream.logits + i);
      lanes.logits.of[r] = logits;
      lanes.gamma.of[r] = load(gamma_ + i);
      lanes.positive_weight.of[r] = load(positive_weight_ + i);
      lanes.negative_weight.of[r] = load(negative_weight_ + i);
      if (problem_.foreground_weight) {
        lanes.negative_weight.of[r] =
            select(logits < load(threshold_ + i), Pack{}, lanes.negative_weight.of[r]);
      }
      lanes.positive[r] = load(positive_ + i);
      lanes.counted[r] = load(counted_ + i);
      lanes.soft[r] = Bits{};
      if (task_.smooth) lanes.classes[r] = load(classes_ + i);
      if (!soft_) continue;
      lanes.target.of[r] = load(target_ + i);
      lanes.soft[r] = lanes.positive[r] & (lanes.target.of[r] < task_.soft_below);
    }
    const Sides<kStreams> sides = mixed<kStreams>(streams, first, kLanes, lanes);
    if (!statistics_) return;
    for (int32_t r = 0; r < kStreams; ++r) {
      const int32_t i = first + r * kLanes;
      add_to(negative_sums_ + i, sides.negative.of[r]);
      if (!none(lanes.positive[r])) add_to(positive_sums_ + i, sides.positive.of[r]);
    }
  }

  void finish(TileSums* sums) const {
    Elements::finish(sums);
    if (!statistics_) return;
    for (int32_t i = 0; i < elements_; ++i) {
      sums->positive[i % columns_] += positive_sums_[i];
      sums->negative[i % columns_] += negative_sums_[i];
    }
  }

  const int32_t level_index_;
  const efl_level& level_;
  const int32_t columns_;
  const int32_t elements_;
  const bool statistics_;
  const bool selects_;  // there are weights of rows, or masks
  const bool usual_;    // whether `labelled` will do where the block is not soft
  bool soft_ = false;   // whether a positive of the block may not be hard
  // Of a block, element by element.
  alignas(64) float values_[kMostElements];  // logits, then gradient, of a staged block
  alignas(64) float gamma_[kMostElements];
  alignas(64) float positive_weight_[kMostElements];
  alignas(64) float negative_weight_[kMostElements];
  alignas(64) float threshold_[kMostElements];
  alignas(64) float target_[kMostElements];
  alignas(64) int32_t positive_[kMostElements];  // masks
  alignas(64) int32_t counted_[kMostElements];
  alignas(64) int32_t classes_[kMostElements];
  alignas(64) double positive_sums_[kMostElements];
  alignas(64) double negative_sums_[kMostElements];
};

}  // namespace
