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

}  // namespace efl
