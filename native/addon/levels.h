// The arrays of a call, level by level, as lib/binding/addon.ts passes them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "../core/problem.h"
#include "arguments.h"
#include "napi_setup.h"

namespace efl::addon {

// The arguments that hold arrays: each a typed array, or a list of them with one for each level.
struct LevelArguments {
  Napi::Value logits;
  Napi::Value labels;
  Napi::Value gradient;
  Napi::Value elements;
  Napi::Value grad_output;
  Napi::Value quality;
  Napi::Value targets;
  Napi::Value geometry;
};

class Levels {
 public:
  efl_format format{};

  void add(const efl_level& level);
  const efl_level* data() const { return several_.empty() ? &first_ : several_.data(); }
  int32_t count() const { return count_; }

 private:
  int32_t count_ = 0;
  efl_level first_{};  // one alone takes no memory of its own
  std::vector<efl_level> several_;
};

// A geometry is dtype, layout, channel order, anchors, and then images and positions of each level.
class Geometry {
 public:
  // One level of float32 rows; nothing is known of how many.
  Geometry() = default;
  // Throws where the numbers are none of a geometry.
  explicit Geometry(Napi::Value value);

  const efl_format& format() const { return format_; }
  bool is_given() const { return numbers_.data != nullptr; }
  uint32_t levels() const;
  int64_t images(uint32_t level) const;
  int64_t positions(uint32_t level) const;
  // Throws where there are more rows than the numbers of a level can be counted in.
  std::size_t rows(Napi::Env env, uint32_t level, int32_t columns) const;

 private:
  ArrayView<int32_t> numbers_;
  efl_format format_{EFL_FLOAT32, EFL_LAYOUT_NHWC, EFL_ANCHOR_MAJOR, 1};
};

// Bytes of a logit.
inline std::size_t bytes_of(efl_dtype dtype) { return dtype == EFL_FLOAT32 ? 4 : 2; }

Levels decode_levels(const LevelArguments& arguments, int32_t columns);
// One level of float32 rows with labels.
Levels decode_rows(Napi::Value logits, Napi::Value labels, std::optional<Napi::Value> gradient,
                   int32_t columns);

}  // namespace efl::addon
