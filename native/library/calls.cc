#include "calls.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "errors.h"

namespace efl::library {
namespace {

// As many elements as can be counted in bytes.
constexpr int64_t kMaxElements = INT64_MAX / 8;

// "call.levels[1].labels"
class Place {
 public:
  Place(int32_t level, const char* field) {
    (void)std::snprintf(text_, sizeof text_, "call.levels[%d].%s", level, field);
  }
  operator const char*() const { return text_; }

 private:
  char text_[64];
};

// In C an enum may hold any number, and C++ may not read those as one that it does not name.
template <class Enum>
void check_enum(const char* argument, const char* expected, const Enum& value, Enum last) {
  int32_t number;
  static_assert(sizeof number == sizeof value, "an enum of the C interface is an int");
  std::memcpy(&number, &value, sizeof number);
  if (number < 0 || number > last) reject(argument, expected, number);
}

void check_format(const efl_format& format) {
  check_enum("call.format.dtype", "an efl_dtype", format.dtype, EFL_BFLOAT16);
  check_enum("call.format.layout", "an efl_layout", format.layout, EFL_LAYOUT_NCHW);
  check_enum("call.format.channel_order", "an efl_channel_order", format.channel_order,
             EFL_CLASS_MAJOR);
  if (format.anchors < 1) reject("call.format.anchors", "an integer >= 1", format.anchors);
}

bool multiply(int64_t* product, int64_t factor) {
  return !__builtin_mul_overflow(*product, factor, product) && *product <= kMaxElements;
}

int64_t rows_of_level(const efl_call& call, int32_t index, int32_t columns) {
  const efl_level& level = call.levels[index];
  if (level.images < 0) reject(Place(index, "images"), "an integer >= 0", level.images);
  if (level.positions < 0) reject(Place(index, "positions"), "an integer >= 0", level.positions);
  int64_t rows = level.images;
  int64_t elements = 0;
  if (multiply(&rows, level.positions) && multiply(&rows, call.format.anchors) &&
      multiply(&(elements = rows), columns)) {
    return rows;
  }
  reject(Place(index, "positions"), "images x positions x anchors x columns within 2^60");
}

// Levels, format and what every level has.
void check_levels(const efl_call& call, int32_t columns) {
  check_format(call.format);
  if (call.level_count < 1) reject("call.level_count", "an integer >= 1", call.level_count);
  if (!call.levels) reject("call.levels", "level_count levels");
  int64_t rows = 0;
  for (int32_t i = 0; i < call.level_count; ++i) {
    const efl_level& level = call.levels[i];
    const int64_t of_level = rows_of_level(call, i, columns);
    if (of_level > 0 && !level.logits) reject(Place(i, "logits"), "a value for each element");
    if (rows > kMaxElements - of_level) reject("call.levels", "rows that can be counted");
    rows += of_level;
  }
}

void check_labels(const efl_call& call, bool takes_targets, bool takes_quality) {
  const bool dense =
      takes_targets && std::any_of(call.levels, call.levels + call.level_count,
                                   [](const efl_level& level) { return level.targets; });
  for (int32_t i = 0; i < call.level_count; ++i) {
    const efl_level& level = call.levels[i];
    const bool has_rows = level.images > 0 && level.positions > 0;
    if (!dense && level.targets) reject(Place(i, "targets"), "null: labels are needed");
    if (dense && level.labels) reject(Place(i, "labels"), "null where there are targets");
    if (dense && has_rows && !level.targets) {
      reject(Place(i, "targets"), "given, as at other levels");
    }
    if (!dense && has_rows && !level.labels) reject(Place(i, "labels"), "one for each row");
    const bool wants_quality = takes_quality && !dense;
    if (wants_quality && has_rows && !level.quality) {
      reject(Place(i, "quality"), "a value for each row");
    }
    if (level.quality && !wants_quality) {
      reject(Place(i, "quality"), "null but for labels of a quality loss");
    }
  }
}

// Whether all levels or none have this output; an empty level need not.
template <class Output>
bool all_have(const efl_call& call, const char* field, const Output& output) {
  bool some = false;
  for (int32_t i = 0; i < call.level_count; ++i) some |= output(call.levels[i]) != nullptr;
  for (int32_t i = 0; some && i < call.level_count; ++i) {
    const efl_level& level = call.levels[i];
    const bool is_empty = level.images == 0 || level.positions == 0;
    if (!is_empty && !output(level)) reject(Place(i, field), "given, as at other levels");
  }
  return some;
}

void check_outputs(const efl_call& call, efl_reduction reduction) {
  const bool gradient =
      all_have(call, "gradient", [](const efl_level& level) { return level.gradient; });
  (void)all_have(call, "elements", [](const efl_level& level) { return level.elements; });
  const bool upstream =
      all_have(call, "grad_output", [](const efl_level& level) { return level.grad_output; });
  if (upstream && !(gradient && reduction == EFL_REDUCTION_NONE)) {
    reject("call.levels[0].grad_output", "null but with a gradient and EFL_REDUCTION_NONE");
  }
}

bool is_finite_float(double value) { return std::isfinite(static_cast<float>(value)); }

void check_scalars(const efl_call& call, const CriterionSettings& settings) {
  const bool counted = call.normalizer == EFL_NORMALIZER_POSITIVES;
  if (settings.reduction != EFL_REDUCTION_SUM && call.normalizer != 1) {
    reject("call.normalizer", "1 but with EFL_REDUCTION_SUM", call.normalizer);
  }
  if (!counted && !(call.normalizer > 0 && is_finite_float(call.normalizer) &&
                    is_finite_float(1 / call.normalizer))) {
    reject("call.normalizer", "a finite number > 0 or EFL_NORMALIZER_POSITIVES", call.normalizer);
  }
  if (!is_finite_float(call.upstream)) reject("call.upstream", "a finite number", call.upstream);
  const double divisor = counted ? 1 : call.normalizer;
  const double scale = settings.loss_weight * call.upstream * call.loss_scale / divisor;
  if (!is_finite_float(scale)) {
    reject("call.upstream",
           "a factor that leaves loss_weight x upstream x loss_scale / normalizer finite",
           call.upstream);
  }
}

void check_loss_scale(double scale) {
  if (is_finite_float(scale) && static_cast<float>(scale) != 0) return;
  reject("call.loss_scale", "a finite number other than 0", scale);
}

}  // namespace

efl_call default_call() {
  efl_call call{};
  call.abi = EFL_ABI;
  call.size = sizeof(efl_call);
  call.collect = 1;
  call.format.anchors = 1;
  call.normalizer = 1;
  call.upstream = 1;
  call.loss_scale = 1;
  return call;
}

efl_problem checked_compute(const efl_call& call, const HostCriterion& criterion) {
  const CriterionSettings& settings = criterion.settings();
  check_levels(call, criterion.columns());
  check_labels(call, true, settings.loss == EFL_LOSS_QUALITY_FOCAL);
  check_outputs(call, settings.reduction);
  check_loss_scale(call.loss_scale);
  check_scalars(call, settings);
  efl_problem problem{};
  problem.format = call.format;
  problem.levels = call.levels;
  problem.level_count = call.level_count;
  problem.normalizer = call.normalizer;
  problem.upstream = call.upstream;
  problem.loss_scale = call.loss_scale;
  return problem;
}

efl_collect_problem checked_collect(const efl_call& call, const HostCriterion& criterion) {
  check_levels(call, criterion.columns());
  check_labels(call, false, false);
  check_loss_scale(call.loss_scale);
  efl_collect_problem problem{};
  problem.format = call.format;
  problem.levels = call.levels;
  problem.level_count = call.level_count;
  problem.scale = 1 / std::fabs(call.loss_scale);
  return problem;
}

}  // namespace efl::library
