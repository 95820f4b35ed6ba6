// What a label says of its row.
#pragma once

#include "host_device.h"
#include "problem.h"

namespace efl {

constexpr int32_t kBackground = -1;
constexpr int32_t kIgnored = -2;
constexpr int32_t kInvalid = -3;
constexpr int32_t kMaskedPositive = -4;  // has a class, or objectness, whose element is masked
constexpr int32_t kDense = -5;  // several positives, or soft ones: only the targets say which
// Likewise, in a row in which no target of a class is large enough for a positive.
constexpr int32_t kDenseBackground = -6;

EFL_HOST_DEVICE bool is_dense(int32_t column) { return column <= kDense; }

EFL_HOST_DEVICE int32_t columns_of(const efl_label_convention& convention) {
  return convention.classes + (convention.has_objectness ? 1 : 0);
}

// The class of the row, or one of the constants above.
EFL_HOST_DEVICE int32_t label_column(const efl_label_convention& convention, int32_t label) {
  // In 64 bits: the labels are arbitrary 32-bit integers and the difference may not fit.
  const int64_t column = static_cast<int64_t>(label) - convention.first_class;
  if (column >= 0 && column < convention.classes) return static_cast<int32_t>(column);
  if (convention.has_background && label == convention.background) return kBackground;
  for (int32_t i = 0; i < convention.ignored_count; ++i) {
    if (label == convention.ignored[i]) return kIgnored;
  }
  return kInvalid;
}

// Whether a row with this class or constant has a class.
EFL_HOST_DEVICE bool has_class(int32_t column) {
  return column >= 0 || column == kDense || column == kMaskedPositive;
}

// The column of the positive of a row with this class or constant, negative where it has none.
EFL_HOST_DEVICE int32_t positive_column(const efl_label_convention& convention, int32_t column) {
  return column == kBackground && convention.has_objectness ? convention.classes : column;
}

// Label smoothing (Szegedy et al., CVPR 2016): the target y of a class becomes kept y + spread, and
// what is left to 1, 1 - y, becomes kept (1 - y) + rest.
struct Smoothing {
  double kept, spread, rest;
};

EFL_HOST_DEVICE Smoothing smoothing_of(const efl_problem& problem) {
  const double spread = problem.label_smoothing / problem.convention.classes;
  return {1 - problem.label_smoothing, spread, problem.label_smoothing - spread};
}

// Column 'c' of a row has this target; objectness is no class, and keeps its own.
EFL_HOST_DEVICE double smoothed(const efl_problem& problem, double target, int32_t c) {
  if (problem.label_smoothing == 0 || c == problem.convention.classes) return target;
  const Smoothing smoothing = smoothing_of(problem);
  return smoothing.kept * target + smoothing.spread;
}

// Whether an element with this dense target is a positive: what counts in the loss is the target
// itself.
EFL_HOST_DEVICE bool is_positive(const efl_problem& problem, float target) {
  return target > problem.positive_threshold;
}

// The columns of the positives of rows whose labels are `step` apart, without a branch. False where
// there is a label that this does not name.
EFL_HOST_DEVICE bool label_columns(const efl_label_convention& convention, const int32_t* labels,
                                   int64_t step, int32_t count, int32_t* columns) {
  const auto classes = static_cast<uint32_t>(convention.classes);
  const auto first_class = static_cast<uint32_t>(convention.first_class);
  const int32_t background = convention.background;
  const int32_t at_background = positive_column(convention, kBackground);
  const bool has_ignored = convention.ignored_count > 0;
  const int32_t ignored = has_ignored ? convention.ignored[0] : 0;
  const int32_t if_background = convention.has_background ? at_background : kInvalid;
  const int32_t if_ignored = has_ignored ? kIgnored : kInvalid;
  int32_t unnamed = 0;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t label = labels[i * step];
    const uint32_t column = static_cast<uint32_t>(label) - first_class;
    int32_t found = label == ignored ? if_ignored : kInvalid;
    found = label == background ? if_background : found;
    found = column < classes ? static_cast<int32_t>(column) : found;
    unnamed |= found == kInvalid;
    columns[i] = found;
  }
  return !unnamed;
}

}  // namespace efl
