// The rows of a problem in another arrangement and type.
#pragma once

#include <cstdint>
#include <vector>

#include "../../native/core/half.h"
#include "../../native/core/layout.h"
#include "problem_builder.h"

namespace test {

inline std::vector<efl_format> every_format() {
  std::vector<efl_format> formats;
  for (const efl_dtype dtype : {EFL_FLOAT32, EFL_FLOAT16, EFL_BFLOAT16}) {
    for (const efl_layout layout : {EFL_LAYOUT_NHWC, EFL_LAYOUT_NCHW}) {
      for (const efl_channel_order order : {EFL_ANCHOR_MAJOR, EFL_CLASS_MAJOR}) {
        for (const int32_t anchors : {1, 3}) formats.push_back({dtype, layout, order, anchors});
      }
    }
  }
  return formats;
}

// Owns its arrays. The logits of the given problem are rounded to the type, so that both hold the
// same numbers.
struct Arranged {
  Arranged(Problem& given, const efl_format& wanted, int64_t images, int64_t positions)
      : format(wanted), problem(given.problem) {
    const int32_t columns = efl::columns_of(problem.convention);
    const std::size_t size = given.logits.size();
    level = given.level;
    level.images = images;
    level.positions = positions;
    place.resize(size);
    for (int64_t r = 0; r < efl::rows_of(format, level); ++r) {
      const efl::RowPlace row = efl::row_place(format, level, columns, r);
      for (int32_t c = 0; c < columns; ++c) place[r * columns + c] = row.offset + c * row.stride;
    }
    logits.resize(size);
    logits16.resize(size);
    gradient.resize(size);
    gradient16.resize(size);
    elements.resize(size);
    void* const values = is_float() ? static_cast<void*>(logits.data()) : logits16.data();
    for (std::size_t i = 0; i < size; ++i) {
      efl::store(format.dtype, values, place[i], given.logits[i]);
      given.logits[i] = efl::load(format.dtype, values, place[i]);
    }
    positive_sums.resize(columns);
    negative_sums.resize(columns);
    level.logits = values;
    level.gradient = is_float() ? static_cast<void*>(gradient.data()) : gradient16.data();
    level.elements = elements.data();
    problem.format = format;
    problem.levels = &level;
    problem.positive_sums = positive_sums.data();
    problem.negative_sums = negative_sums.data();
  }
  Arranged(const Arranged&) = delete;

  std::vector<uint8_t> arranged_mask(const std::vector<uint8_t>& rows) const {
    std::vector<uint8_t> mask(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) mask[place[i]] = rows[i];
    return mask;
  }

  bool is_float() const { return format.dtype == EFL_FLOAT32; }

  // The gradient of the rows, rounded to the type.
  bool holds_gradient(const std::vector<float>& rows) const {
    bool same = true;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      float expected = rows[i];
      uint16_t half = 0;
      if (!is_float()) {
        efl::store(format.dtype, &half, 0, expected);
        expected = efl::load(format.dtype, &half, 0);
      }
      same &= identical(efl::load(format.dtype, level.gradient, place[i]), expected);
    }
    return same;
  }

  bool holds_elements(const std::vector<float>& rows) const {
    bool same = true;
    for (std::size_t i = 0; i < rows.size(); ++i) same &= identical(elements[place[i]], rows[i]);
    return same;
  }

  efl_format format;
  std::vector<int64_t> place;  // of each element of the rows
  std::vector<float> logits, gradient, elements;
  std::vector<uint16_t> logits16, gradient16;
  std::vector<double> positive_sums, negative_sums;
  efl_level level{};
  efl_problem problem;
};

}  // namespace test
