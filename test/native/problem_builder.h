// Random and extreme problems, and their float64 solution from the equations of loss_math.h.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "../../native/core/labels.h"
#include "../../native/core/loss_math.h"
#include "../../native/core/problem.h"
#include "../../native/core/report.h"
#include "../../native/core/scalar_math.h"
#include "../../native/core/selection.h"

namespace test {

inline const std::vector<float>& extreme_logits() {
  using limits = std::numeric_limits<float>;
  static const std::vector<float> values = {0.0f,
                                            -0.0f,
                                            1e-45f,
                                            -1e-45f,
                                            1e-38f,
                                            16.64f,
                                            -16.64f,
                                            88.0f,
                                            -88.8f,
                                            100.0f,
                                            -100.0f,
                                            127.9f,
                                            128.1f,
                                            -128.1f,
                                            1e4f,
                                            -1e4f,
                                            1e30f,
                                            -1e30f,
                                            limits::infinity(),
                                            -limits::infinity(),
                                            limits::quiet_NaN()};
  return values;
}

// A problem that owns its arrays.
struct Problem {
  Problem(int64_t rows, int32_t classes, uint32_t seed, bool extreme) : random(seed) {
    const std::size_t size = static_cast<std::size_t>(rows) * classes;
    std::uniform_real_distribution<float> logit(-30.0f, 30.0f);
    std::uniform_real_distribution<float> focusing(0.0f, 10.0f);
    for (std::size_t i = 0; i < size; ++i) {
      const auto& pool = extreme_logits();
      logits.push_back(extreme && random() % 3 == 0 ? pool[random() % pool.size()] : logit(random));
    }
    for (int64_t r = 0; r < rows; ++r) {
      const uint32_t kind = random() % 10;
      labels.push_back(kind == 0  ? -1
                       : kind < 5 ? 0
                                  : 1 + static_cast<int32_t>(random() % classes));
    }
    for (int32_t c = 0; c < classes; ++c) {
      gamma.push_back(c % 5 == 0 ? 2.0f : c % 7 == 0 ? 0.0f : focusing(random));
      positive_weight.push_back(0.25f * (1 + static_cast<float>(c % 4)));
      negative_weight.push_back(0.75f * (1 + static_cast<float>(c % 3)));
    }
    gradient.assign(size, 0.0f);
    elements.assign(size, 0.0f);
    positive_sums.assign(classes, 0.0);
    negative_sums.assign(classes, 0.0);
    describe(rows, classes);
  }

  // Everything asked for at once; tests take parts away.
  void describe(int64_t rows, int32_t classes) {
    problem.convention = {classes, 1, 0, 1, 0, &ignored, 1};
    problem.format = {EFL_FLOAT32, EFL_LAYOUT_NHWC, EFL_ANCHOR_MAJOR, 1};
    problem.levels = &level;
    problem.level_count = 1;
    level.images = 1;
    level.positions = rows;
    level.logits = logits.data();
    level.labels = labels.data();
    level.gradient = gradient.data();
    level.elements = elements.data();
    problem.gamma = gamma.data();
    problem.positive_weight = positive_weight.data();
    problem.negative_weight = negative_weight.data();
    measure();
    problem.reduction = EFL_REDUCTION_SUM;
    problem.normalizer = 3.0;
    problem.loss_weight = 1.5;
    problem.upstream = -0.5;
    problem.loss_scale = 8.0;
    problem.positive_sums = positive_sums.data();
    problem.negative_sums = negative_sums.data();
    problem.threads = 1;
  }

  // To be called when gammas or weights have been changed.
  void measure() {
    const auto [least, largest] = std::minmax_element(gamma.begin(), gamma.end());
    const float positive = *std::max_element(positive_weight.begin(), positive_weight.end());
    const float negative = *std::max_element(negative_weight.begin(), negative_weight.end());
    problem.range = {*least, *largest, std::max(positive, negative)};
  }

  // Gives rows weights and masks elements, which then may hold anything.
  void select(bool weights, bool mask, bool classes) {
    for (std::size_t r = 0; weights && r < labels.size(); ++r) {
      row_weight.push_back(0.25f * static_cast<float>(random() % 9));
    }
    for (std::size_t i = 0; mask && i < logits.size(); ++i) {
      masks.push_back(static_cast<uint8_t>(random() % 4));
      if (!masks[i] && random() % 3 == 0) logits[i] = std::numeric_limits<float>::quiet_NaN();
    }
    for (int32_t c = 0; classes && c < problem.convention.classes; ++c) {
      class_mask.push_back(static_cast<uint8_t>(random() % 5));
    }
    if (weights) level.row_weight = row_weight.data();
    if (mask) level.mask = masks.data();
    if (classes) problem.class_mask = class_mask.data();
  }

  bool is_masked(int64_t row, int32_t c) const {
    return efl::is_masked(problem, level, row * efl::columns_of(problem.convention) + c, c);
  }

  // What a row is, as label_column says it.
  int32_t found(int64_t row) const {
    const int32_t columns = efl::columns_of(problem.convention);
    if (efl::row_weight_of(level, row) == 0) return efl::kIgnored;
    if (!level.targets) return efl::label_column(problem.convention, labels[row]);
    int32_t found = efl::kBackground;
    for (int32_t c = 0; c < columns; ++c) {
      const float target = level.targets[row * columns + c];
      if (is_masked(row, c)) continue;
      if (target > problem.positive_threshold) return efl::kDense;
      if (target > 0) found = efl::kDenseBackground;
    }
    return found;
  }

  std::mt19937 random;
  int32_t ignored = -1;
  std::vector<float> logits, gamma, positive_weight, negative_weight, gradient, elements;
  std::vector<float> row_weight;
  std::vector<uint8_t> masks, class_mask;
  std::vector<int32_t> labels;
  std::vector<double> positive_sums, negative_sums;
  efl_level level{};
  efl_problem problem{};
};

struct Solution {
  double loss = 0;
  int64_t positives = 0, ignored = 0, non_finite = 0, masked = 0;
  double weights = 0;  // of the positives
  std::vector<double> gradient, elements, positive_sums, negative_sums;
};

// One element of a problem in float64.
struct Expected {
  double loss, gradient, share;
};

inline Expected solve_element(const efl_problem& problem, double logit, bool positive,
                              double target, int32_t c, bool foreground, bool counts) {
  double negative_weight = problem.negative_weight[c];
  if (foreground && problem.foreground_weight) {
    const bool low = logit < static_cast<double>(problem.foreground_threshold);
    negative_weight = low ? 0.0 : problem.foreground_weight[c];
  }
  const double positive_weight = problem.positive_weight[c];
  return efl::with_loss(problem.loss, [&](auto kind) {
    using Loss = decltype(kind);
    const double gamma = problem.gamma[c];
    const bool smooth = problem.label_smoothing > 0;
    if (smooth || (positive && (target < 1 || Loss::kPositivesApart))) {
      const double given = positive ? target : 0;
      const auto terms = efl::soft_terms<Loss, efl::ScalarMath>(
          logit, efl::smoothed(problem, given, c), gamma, positive_weight, negative_weight,
          problem.constants);
      const double share = smooth ? given : terms.share;
      return Expected{terms.loss(), terms.gradient, counts ? share : 0.0};
    }
    const double weight = positive ? positive_weight : negative_weight;
    const auto terms = efl::with_hard_loss(efl::hard_loss_of(problem), [&](auto hard) {
      return efl::hard_terms<decltype(hard), efl::ScalarMath>(positive ? -logit : logit, gamma,
                                                              weight, problem.constants);
    });
    return Expected{terms.loss(), positive ? -terms.gradient : terms.gradient,
                    positive ? 1.0 : 0.0};
  });
}

// Of rows of float32 logits. What belongs to no class is ignored with its row.
inline Solution solve(const Problem& given) {
  const efl_problem& problem = given.problem;
  const efl_level& level = given.level;
  const int32_t columns = efl::columns_of(problem.convention);
  Solution solution;
  solution.positive_sums.assign(columns, 0.0);
  solution.negative_sums.assign(columns, 0.0);
  const double factor = problem.loss_weight * problem.upstream / problem.normalizer;
  for (int64_t r = 0; r < static_cast<int64_t>(given.labels.size()); ++r) {
    const int32_t found = given.found(r);
    const int32_t column = efl::positive_column(problem.convention, found);
    const bool foreground = found >= 0 || found == efl::kDense;
    const bool counts = foreground && !(found >= 0 && given.is_masked(r, found));
    solution.positives += counts;
    solution.weights += counts ? efl::row_weight_of(level, r) : 0;
    solution.ignored += found == efl::kIgnored;
    for (int32_t c = 0; c < columns; ++c) {
      if (found == efl::kIgnored || given.is_masked(r, c)) {
        solution.masked += found != efl::kIgnored;
        solution.gradient.push_back(0);
        solution.elements.push_back(0);
        continue;
      }
      const int64_t index = r * columns + c;
      const double logit = given.logits[static_cast<std::size_t>(index)];
      const bool positive = level.targets ? level.targets[index] > 0 : c == column;
      const double target = level.targets   ? level.targets[index]
                            : level.quality ? level.quality[r]
                                            : 1.0f;
      const bool counts =
          level.targets ? level.targets[index] > problem.positive_threshold : positive;
      Expected element = solve_element(problem, logit, positive, target, c, foreground, counts);
      element.loss *= efl::row_weight_of(level, r);
      element.gradient *= efl::row_weight_of(level, r);
      const double upstream = level.grad_output ? level.grad_output[index] : 1;
      solution.loss += element.loss * problem.loss_weight / problem.normalizer;
      solution.elements.push_back(element.loss * problem.loss_weight);
      solution.gradient.push_back(element.gradient * factor * problem.loss_scale * upstream);
      solution.non_finite += !std::isfinite(logit);
      if (!std::isfinite(logit)) continue;
      const double magnitude = std::fabs(element.gradient * factor * upstream);
      solution.positive_sums[c] += magnitude * element.share;
      solution.negative_sums[c] += magnitude * (1 - element.share);
    }
  }
  return solution;
}

// Equal to a relative tolerance; below 1e-36 float32 has no digits left to compare.
inline bool close(double actual, double expected, double relative) {
  if (std::isnan(expected)) return std::isnan(actual);
  if (std::fabs(expected) > std::numeric_limits<float>::max()) {
    return std::isinf(actual) && std::signbit(actual) == std::signbit(expected);
  }
  return std::fabs(actual - expected) <= relative * std::fabs(expected) + 1e-36;
}

// The same to the last bit, but for the sign of a NaN, on which arithmetic says nothing.
inline bool identical(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

inline bool identical(const std::vector<float>& a, const std::vector<float>& b) {
  bool same = a.size() == b.size();
  for (std::size_t i = 0; same && i < a.size(); ++i) same = identical(a[i], b[i]);
  return same;
}

inline bool identical(const efl_report& a, const efl_report& b) {
  return a.status == b.status && identical(a.loss, b.loss) && a.positives == b.positives &&
         a.ignored == b.ignored && a.non_finite == b.non_finite;
}

}  // namespace test
