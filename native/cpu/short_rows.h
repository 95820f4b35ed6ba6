// Rows shorter than a register, which one after the other would leave most lanes idle.
//
// So many of them are taken at once that they fill whole registers: four times as many rows as a
// register has lanes, and hence 4 C registers. What a kernel keeps per class is kept per element of
// such a block, and folded at the end. Classes and rows run across registers, so that there is no
// register of negatives alone: all is done with masks.
#pragma once

#include "../core/labels.h"
#include "../core/loss_math.h"
#include "group_math.h"
#include "kernels.h"
#include "pack.h"

namespace {

class ShortRows {
 public:
  static constexpr int32_t kRegisters = 4;  // in lock-step
  static constexpr int32_t kRowsPerBlock = kRegisters * kLanes;

  static bool fit(const efl_focal_problem& problem) {
    const int32_t c = problem.convention.classes;
    return c < 2 * kLanes && c % kLanes != 0;
  }

  // Computes whole blocks; returns the first row that is left.
  static int64_t run(const efl::cpu::FocalTask& task, int64_t first_row, int64_t last_row,
                     efl::cpu::TileSums* sums) {
    if (last_row - first_row < kRowsPerBlock) return first_row;
    ShortRows rows(task, sums->negative != nullptr);
    int64_t row = first_row;
    for (; row + kRowsPerBlock <= last_row; row += kRowsPerBlock) rows.block(row);
    rows.finish(sums);
    return row;
  }

 private:
  static constexpr int32_t kMostElements = 2 * kRowsPerBlock * kLanes;

  ShortRows(const efl::cpu::FocalTask& task, bool statistics)
      : problem_(*task.problem),
        statistics_(statistics),
        classes_(task.problem->convention.classes),
        elements_(kRowsPerBlock * classes_),
        gradient_factor_(broadcast(task.gradient_factor)),
        element_factor_(broadcast(task.element_factor)) {
    for (int32_t i = 0; i < elements_; ++i) {
      const int32_t c = i % classes_;
      gamma_[i] = problem_.gamma[c];
      positive_weight_[i] = problem_.positive_weight[c];
      negative_weight_[i] = problem_.negative_weight[c];
      positive_sums_[i] = negative_sums_[i] = 0;
    }
  }

  void block(int64_t first_row) {
    mark(problem_.labels + first_row);
    const int64_t offset = first_row * classes_;
    for (int32_t i = 0; i < elements_; i += kRegisters * kLanes) four_registers(offset, i);
  }

  // Which elements of the block are positives, and which are in a row that counts.
  void mark(const int32_t* labels) {
    memset(positive_, 0, static_cast<size_t>(elements_) * sizeof(int32_t));
    for (int32_t r = 0; r < kRowsPerBlock; ++r) {
      const int32_t column = efl::label_column(problem_.convention, labels[r]);
      const int32_t counted = column == efl::kIgnored ? 0 : -1;
      for (int32_t c = 0; c < classes_; ++c) counted_[r * classes_ + c] = counted;
      if (column >= 0) positive_[r * classes_ + column] = -1;
    }
  }

  EFL_NEVER_INLINE void four_registers(int64_t offset, int32_t first) {
    constexpr int32_t kRows = kRegisters;  // for EFL_EACH_ROW: a "row" is a register here
    using Math = GroupMath<kRows, false, false>;
    Group<kRows> u, weight, gamma;
    Bits positive[kRows], counted[kRows], finite[kRows];
    EFL_EACH_ROW {
      const int32_t i = first + r * kLanes;
      positive[r] = load(positive_ + i);
      counted[r] = load(counted_ + i);
      // A row that does not count may hold anything.
      const Pack logits = select(counted[r], load(problem_.logits + offset + i), Pack{});
      finite[r] = is_finite(logits);
      u.row[r] = select(positive[r], -logits, logits);
      gamma.row[r] = load(gamma_ + i);
      weight.row[r] = select(positive[r], load(positive_weight_ + i), load(negative_weight_ + i));
      weight.row[r] = select(counted[r], weight.row[r], Pack{});
    }
    const efl::LossTerms<Math> terms = efl::focal_terms<Math>(u, gamma, weight);
    const Group<kRows> losses = terms.loss();
    add_to(&loss_, sum_of_rows(losses));
    for (int32_t r = 0; r < kRows; ++r) {
      const int32_t i = first + r * kLanes;
      non_finite_ += lanes_set(~finite[r]);
      if (problem_.elements) store(problem_.elements + offset + i, losses.row[r] * element_factor_);
      if (problem_.gradient) finish(offset, i, terms.gradient.row[r], positive[r], finite[r]);
    }
  }

  void finish(int64_t offset, int32_t i, Pack magnitude, Bits positive, Bits finite) {
    Pack gradient = magnitude * gradient_factor_;
    gradient = select(positive, -gradient, gradient);
    if (problem_.grad_output) {
      const Pack upstream =
          select(load(counted_ + i) != 0, load(problem_.grad_output + offset + i), Pack{});
      gradient = gradient * upstream;
      magnitude = magnitude * absolute(upstream);
    }
    store(problem_.gradient + offset + i, gradient);
    if (!statistics_) return;
    const Pack sum = select(finite, finite_or_zero(magnitude), Pack{});
    add_to(negative_sums_ + i, select(positive, Pack{}, sum));
    if (!none(positive)) add_to(positive_sums_ + i, select(positive, sum, Pack{}));
  }

  void finish(efl::cpu::TileSums* sums) const {
    sums->loss = total(loss_);
    sums->non_finite = non_finite_;
    if (!statistics_) return;
    for (int32_t i = 0; i < elements_; ++i) {
      sums->positive[i % classes_] += positive_sums_[i];
      sums->negative[i % classes_] += negative_sums_[i];
    }
  }

  const efl_focal_problem& problem_;
  const bool statistics_;
  const int32_t classes_;
  const int32_t elements_;
  const Pack gradient_factor_;
  const Pack element_factor_;
  DoublePack loss_ = {};
  int64_t non_finite_ = 0;
  // Of a block, element by element.
  alignas(64) float gamma_[kMostElements];
  alignas(64) float positive_weight_[kMostElements];
  alignas(64) float negative_weight_[kMostElements];
  alignas(64) int32_t positive_[kMostElements];  // masks
  alignas(64) int32_t counted_[kMostElements];
  alignas(64) double positive_sums_[kMostElements];
  alignas(64) double negative_sums_[kMostElements];
};

}  // namespace
