// Where the elements of a row are.
#pragma once

#include "host_device.h"
#include "problem.h"

namespace efl {

// Element c of a row is at offset + c stride.
struct RowPlace {
  int64_t offset;
  int64_t stride;
};

EFL_HOST_DEVICE int64_t rows_of(const efl_format& format, const efl_level& level) {
  return level.images * level.positions * format.anchors;
}

// Whether rows lie side by side, with stride 1.
EFL_HOST_DEVICE bool lies_in_rows(const efl_format& format) {
  return format.layout == EFL_LAYOUT_NHWC &&
         (format.anchors == 1 || format.channel_order == EFL_ANCHOR_MAJOR);
}

EFL_HOST_DEVICE RowPlace row_place(const efl_format& format, const efl_level& level,
                                   int32_t columns, int64_t row) {
  const int64_t anchors = format.anchors;
  const bool anchor_major = format.channel_order == EFL_ANCHOR_MAJOR;
  if (format.layout == EFL_LAYOUT_NHWC) {
    if (anchor_major) return {row * columns, 1};
    return {row / anchors * anchors * columns + row % anchors, anchors};
  }
  const int64_t anchor = row % anchors;
  const int64_t image = row / anchors / level.positions;
  const int64_t position = row / anchors % level.positions;
  const int64_t channel = image * anchors * columns + (anchor_major ? anchor * columns : anchor);
  return {channel * level.positions + position,
          anchor_major ? level.positions : anchors * level.positions};
}

}  // namespace efl
