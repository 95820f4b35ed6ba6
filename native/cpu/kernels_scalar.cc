// The kernels in plain C++, one element after the other with the C library's functions: what the
// others are timed against, and for a machine or compiler where a vector kernel is in doubt.
#include <cmath>
#include <cstring>

#include "../core/half.h"
#include "../core/labels.h"
#include "../core/layout.h"
#include "../core/loss_math.h"
#include "../core/scalar_math.h"
#include "../core/selection.h"
#include "kernels.h"

namespace efl::cpu {
namespace {

// What is to be computed for one element, and what comes of it.
struct Given {
  float logit;
  float target;     // 0, 1, or between
  bool positive;    // the target is not 0
  bool counts;      // as a positive, in the statistics
  double smoothed;  // the target
  float gamma, positive_weight, negative_weight;
};

struct ElementResult {
  float loss;
  float gradient;  // signed
  float share;     // of it that counts as a positive's in the statistics
};

ElementResult compute(const FocalTask& task, const Given& element) {
  const efl_problem& problem = *task.problem;
  const bool smooth = problem.label_smoothing > 0;
  if (smooth || (element.positive && element.target < task.soft_below)) {
    const SoftElement result = soft_element(problem, element.logit, element.smoothed, element.gamma,
                                            element.positive_weight, element.negative_weight);
    // What is positive follows from the target as it was given.
    const double share = smooth ? element.target : result.share;
    return {static_cast<float>(result.loss), static_cast<float>(result.gradient),
            element.counts ? static_cast<float>(share) : 0.0f};
  }
  const float u = element.positive ? -element.logit : element.logit;
  const float weight = element.positive ? element.positive_weight : element.negative_weight;
  const auto terms = with_hard_loss(task.hard_loss, [&](auto kind) {
    return hard_terms<decltype(kind), ScalarFloatMath>(u, element.gamma, weight, problem.constants);
  });
  return {terms.loss(), element.positive ? -terms.gradient : terms.gradient,
          element.positive ? 1.0f : 0.0f};
}

class FocalTile {
 public:
  FocalTile(const FocalTask& task, const Tile& tile, TileSums* sums)
      : task_(task),
        problem_(*task.problem),
        tile_(tile),
        level_(problem_.levels[tile.level]),
        columns_(columns_of(problem_.convention)),
        sums_(sums) {}

  void row(int64_t row) {
    const int32_t found = class_of_row(task_, tile_.level, row);
    const RowPlace place = row_place(problem_.format, level_, columns_, row);
    const int32_t column = positive_column(problem_.convention, found);
    const bool foreground = has_class(found);
    for (int32_t c = tile_.first_column; c < tile_.last_column; ++c) {
      const int64_t index = place.offset + c * place.stride;
      if (found == kIgnored || is_masked(problem_, level_, index, c)) {
        write(index, 0, 0);
      } else {
        element(describe(row, index, c, column, foreground), index, c);
      }
    }
  }

 private:
  Given describe(int64_t row, int64_t index, int32_t c, int32_t column, bool foreground) const {
    Given element{};
    element.logit = load(problem_.format.dtype, level_.logits, index);
    element.target = c == column ? 1.0f : 0.0f;
    if (level_.targets) element.target = level_.targets[index];
    element.positive = element.target > 0;
    element.counts = level_.targets ? is_positive(problem_, element.target) : element.positive;
    if (level_.quality && element.positive) element.target = level_.quality[row];
    element.smoothed = smoothed(problem_, element.target, c);
    element.gamma = problem_.gamma[c];
    const float factor = row_weight_of(level_, row);
    element.positive_weight = problem_.positive_weight[c] * factor;
    element.negative_weight = negative_weight(element.logit, c, foreground) * factor;
    return element;
  }

  float negative_weight(float logit, int32_t c, bool foreground) const {
    if (!foreground || !problem_.foreground_weight) return problem_.negative_weight[c];
    return logit < problem_.foreground_threshold ? 0.0f : problem_.foreground_weight[c];
  }

  void element(const Given& element, int64_t index, int32_t c) {
    const ElementResult result = compute(task_, element);
    const bool finite = std::isfinite(element.logit);
    const float upstream = level_.grad_output ? level_.grad_output[index] : 1.0f;
    sums_->loss += static_cast<double>(result.loss);
    sums_->non_finite += !finite;
    write(index, result.loss * task_.element_factor,
          result.gradient * task_.gradient_factor * upstream);
    const float magnitude = std::fabs(result.gradient * upstream);
    if (!sums_->negative || !finite || !std::isfinite(magnitude)) return;
    sums_->positive[c] += static_cast<double>(magnitude * result.share);
    sums_->negative[c] += static_cast<double>(magnitude * (1 - result.share));
  }

  void write(int64_t index, float loss, float gradient) {
    if (level_.elements) level_.elements[index] = loss;
    if (level_.gradient) store(problem_.format.dtype, level_.gradient, index, gradient);
  }

  const FocalTask& task_;
  const efl_problem& problem_;
  const Tile& tile_;
  const efl_level& level_;
  const int32_t columns_;
  TileSums* const sums_;
};

void focal(const FocalTask& task, const Tile& tile, TileSums* sums) {
  sums->loss = 0;
  sums->non_finite = 0;
  FocalTile rows(task, tile, sums);
  for (int64_t r = tile.first_row; r < tile.last_row; r += tile.row_step) rows.row(r);
}

void collect(const efl_problem& problem, const Tile& tile, TileSums* sums) {
  const efl_level& level = problem.levels[tile.level];
  const int32_t columns = columns_of(problem.convention);
  sums->loss = 0;
  sums->non_finite = 0;
  for (int64_t r = tile.first_row; r < tile.last_row; r += tile.row_step) {
    const int32_t found = label_column(problem.convention, level.labels[r]);
    if (found == kIgnored) continue;
    const int32_t column = positive_column(problem.convention, found);
    const RowPlace place = row_place(problem.format, level, columns, r);
    for (int32_t c = tile.first_column; c < tile.last_column; ++c) {
      const float gradient =
          load(problem.format.dtype, level.logits, place.offset + c * place.stride);
      if (!std::isfinite(gradient)) {
        ++sums->non_finite;
        continue;
      }
      (c == column ? sums->positive : sums->negative)[c] += std::fabs(gradient);
    }
  }
}

}  // namespace

const Kernels kScalarKernels = {"scalar", focal, collect};

}  // namespace efl::cpu
