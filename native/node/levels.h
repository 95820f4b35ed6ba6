// The arrays of a call, level by level, as lib/binding/addon.ts passes them: one for one tensor of
// logits, or a list with one for each level.
#pragma once

#include <cstdint>
#include <vector>

#include "../core/problem.h"
#include "arguments.h"
#include "napi_setup.h"

namespace efl::node {

// Where the arguments of a call are. A call of rows and labels may end after the gradient, others
// end with the geometry, or go on with what the way of calling needs.
enum CallArgument : std::size_t {
  kLogits,
  kLabels,
  kGradient,
  kElements,
  kGradOutput,
  kQuality,
  kTargets,
  kGeometry,
  kRowWeight,
  kMask,
  kClassMask,
  kArrayArguments,
  kOutcome = kArrayArguments,  // of a call that is submitted: where its report goes,
  kDone,                       // and what is called then
  kDevice = kArrayArguments,   // of a call on a device
  kReport,
  kStream,
  kDeviceNormalizer,  // memory of one float32, or undefined: in place of the number in the block
  kDeviceUpstream
};

// Places of a geometry, which is a format, and then images and positions of each level.
enum GeometryPlace : std::size_t {
  kGeometryDtype,
  kGeometryLayout,
  kGeometryChannelOrder,
  kGeometryAnchors,
  kGeometryLevels
};

class Levels {
 public:
  efl_format format{EFL_FLOAT32, EFL_LAYOUT_NHWC, EFL_ANCHOR_MAJOR, 1};

  void add(const efl_level& level);
  const efl_level* data() const { return several_.empty() ? &first_ : several_.data(); }
  int32_t count() const { return count_; }

 private:
  int32_t count_ = 0;
  efl_level first_{};  // one alone takes no memory of its own
  std::vector<efl_level> several_;
};

// Where arrays are: in memory of this process, or of a device.
class ArrayPlace {
 public:
  virtual ~ArrayPlace() = default;
  // The memory of so many values of a type. Throws where it is another type, or has others.
  virtual void* find(Napi::Value value, const char* name, napi_typedarray_type type,
                     std::size_t count) const = 0;
};

// Without a geometry there is one level of float32 rows on the host.
Levels decode_levels(const Napi::CallbackInfo& info, int32_t columns, const ArrayPlace& place);
// The bytes of as many classes, or null.
const uint8_t* decode_class_mask(const Napi::CallbackInfo& info, std::size_t classes,
                                 const ArrayPlace* place = nullptr);
Levels decode_levels(const Napi::CallbackInfo& info, int32_t columns);

}  // namespace efl::node
