// How levels whose rows do not lie side by side are cut into blocks. The same on every machine.
//
// A unit is a run of positions of one anchor of one image. Its block keeps the labels of these in
// registers and goes from class to class of a group; in NCHW these are planes, and the positions of
// a thread's vector lie side by side.
#pragma once

#include <cstdint>

#include "../core/problem.h"
#include "tuning.h"

namespace efl::cuda {

struct PlanesPlan {
  int32_t lanes;  // positions in a vector
  int32_t tiles;  // units of an anchor of an image
  int64_t units;
  int32_t classes_of_group;
  int32_t groups;
};

// `aligned`: logits and gradient start at multiples of 16 bytes.
inline PlanesPlan plan_planes(const efl_format& format, const efl_level& level, int32_t columns,
                              bool aligned) {
  PlanesPlan plan{};
  const int32_t widest = format.dtype == EFL_FLOAT32 ? 4 : 8;
  const bool planes = format.layout == EFL_LAYOUT_NCHW;
  plan.lanes = planes && aligned && level.positions % widest == 0 ? widest : 1;
  const int64_t tiles = (level.positions + kUnitPositions - 1) / kUnitPositions;
  plan.tiles = static_cast<int32_t>(tiles);
  plan.units = level.images * format.anchors * tiles;
  const int64_t wanted = plan.units * columns / kWantedPlanesBlocks;
  plan.classes_of_group =
      static_cast<int32_t>(wanted < kFewestClassesOfGroup ? kFewestClassesOfGroup
                           : wanted > kMostClassesOfGroup ? kMostClassesOfGroup
                                                          : wanted);
  plan.groups = (columns + plan.classes_of_group - 1) / plan.classes_of_group;
  return plan;
}

}  // namespace efl::cuda
