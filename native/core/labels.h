// What a label says of its row.
#pragma once

#include "host_device.h"
#include "problem.h"

namespace efl {

constexpr int32_t kBackground = -1;
constexpr int32_t kIgnored = -2;
constexpr int32_t kInvalid = -3;
constexpr int32_t kDense = -4;  // several positives, or soft ones: only the targets say which
constexpr int32_t kMaskedPositive = -5;  // has a class, or objectness, whose element is masked

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
