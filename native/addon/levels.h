// The arrays of a call, level by level, as lib/binding/addon.ts passes them.
#pragma once

#include <cstdint>
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

struct Levels {
  efl_format format{};
  std::vector<efl_level> levels;
};

// A geometry is dtype, layout, channel order, anchors, and then images and positions of each level.
efl_format decode_format(const ArrayView<int32_t>& geometry);
std::size_t levels_in(const ArrayView<int32_t>& geometry);
int64_t images_in(const ArrayView<int32_t>& geometry, std::size_t level);
int64_t positions_in(const ArrayView<int32_t>& geometry, std::size_t level);

Levels decode_levels(const LevelArguments& arguments, int32_t columns);

}  // namespace efl::addon
