#include "call.h"

#include <algorithm>
#include <cstring>

#include "layout.h"

namespace efl {
namespace {

// As many elements as can be counted in bytes.
constexpr int64_t kMaxElements = INT64_MAX / 8;

[[noreturn]] void reject(const char* argument, const char* expected, int32_t level) {
  throw ArgumentError{argument, expected, 0, false, -1, level};
}

// In C an enum may hold any number, and C++ may not read those as one that it does not name.
template <class Enum>
void check_enum(const char* argument, const char* expected, const Enum& value, Enum last) {
  int32_t number;
  static_assert(sizeof number == sizeof value, "an enum of the C interface is an int");
  std::memcpy(&number, &value, sizeof number);
  if (number < 0 || number > last) throw ArgumentError{argument, expected, double(number)};
}

void check_format(const efl_format& format) {
  check_enum("format.dtype", "an efl_dtype", format.dtype, EFL_BFLOAT16);
  check_enum("format.layout", "an efl_layout", format.layout, EFL_LAYOUT_NCHW);
  check_enum("format.channel_order", "an efl_channel_order", format.channel_order, EFL_CLASS_MAJOR);
  if (format.anchors < 1) {
    throw ArgumentError{"format.anchors", "an integer >= 1", double(format.anchors)};
  }
}

bool multiply(int64_t* product, int64_t factor) {
  return !__builtin_mul_overflow(*product, factor, product) && *product <= kMaxElements;
}

int64_t checked_rows(const efl_call& call, int32_t index, int32_t columns) {
  const efl_level& level = call.levels[index];
  const auto check_size = [&](const char* argument, int64_t size) {
    if (size >= 0) return;
    throw ArgumentError{argument, "an integer >= 0", static_cast<double>(size), true, -1, index};
  };
  check_size("images", level.images);
  check_size("positions", level.positions);
  int64_t rows = level.images;
  int64_t elements = 0;
  if (multiply(&rows, level.positions) && multiply(&rows, call.format.anchors) &&
      multiply(&(elements = rows), columns)) {
    return rows;
  }
  reject("positions", "images x positions x anchors x columns within 2^60", index);
}

bool has_rows(const efl_level& level) { return level.images > 0 && level.positions > 0; }

void check_labels(const efl_call& call, bool takes_targets, bool takes_quality) {
  const bool dense =
      takes_targets && std::any_of(call.levels, call.levels + call.level_count,
                                   [](const efl_level& level) { return level.targets; });
  for (int32_t i = 0; i < call.level_count; ++i) {
    const efl_level& level = call.levels[i];
    if (!dense && level.targets) reject("targets", "null: labels are needed", i);
    if (dense && level.labels) reject("labels", "null where there are targets", i);
    if (dense && has_rows(level) && !level.targets) {
      reject("targets", "given, as at other levels", i);
    }
    if (!dense && has_rows(level) && !level.labels) reject("labels", "one for each row", i);
    const bool wants_quality = takes_quality && !dense;
    if (wants_quality && has_rows(level) && !level.quality) {
      reject("quality", "a value for each row", i);
    }
    if (level.quality && !wants_quality) {
      reject("quality", "null but for labels of a quality loss", i);
    }
  }
}

// Whether all levels or none have this array; an empty level need not.
template <class Array>
bool all_have(const efl_call& call, const char* argument, const Array& array) {
  bool some = false;
  for (int32_t i = 0; i < call.level_count; ++i) some |= array(call.levels[i]) != nullptr;
  for (int32_t i = 0; some && i < call.level_count; ++i) {
    const efl_level& level = call.levels[i];
    if (has_rows(level) && !array(level)) reject(argument, "given, as at other levels", i);
  }
  return some;
}

// Weights of rows, and masks.
void check_selection(const efl_call& call, bool gradients_given) {
  const bool weights =
      all_have(call, "row_weight", [](const efl_level& level) { return level.row_weight; });
  const bool mask = all_have(call, "mask", [](const efl_level& level) { return level.mask; });
  if (!gradients_given) return;
  if (weights) reject("row_weight", "null: gradients have the weights in them", 0);
  if (mask) reject("mask", "null: gradients of masked elements are 0", 0);
}

void check_outputs(const efl_call& call, efl_reduction reduction) {
  const bool gradient =
      all_have(call, "gradient", [](const efl_level& level) { return level.gradient; });
  (void)all_have(call, "elements", [](const efl_level& level) { return level.elements; });
  const bool upstream =
      all_have(call, "grad_output", [](const efl_level& level) { return level.grad_output; });
  if (upstream && !(gradient && reduction == EFL_REDUCTION_NONE)) {
    reject("grad_output", "null but with a gradient and EFL_REDUCTION_NONE", 0);
  }
  if (gradient && !call.equalize) throw ArgumentError{"equalize", "not 0 with a gradient", 0};
  if (call.collect < EFL_COLLECT_NONE || call.collect > EFL_COLLECT_DEFER) {
    throw ArgumentError{"collect", "an efl_collect", double(call.collect)};
  }
}

}  // namespace

efl_call default_call() {
  efl_call call{};
  call.abi = EFL_ABI;
  call.size = sizeof(efl_call);
  call.collect = EFL_COLLECT_NOW;
  call.equalize = 1;
  call.format.anchors = 1;
  for (const CallNumber& number : kCallNumbers) call.*number.field = number.fallback;
  return call;
}

void check_numbers(const efl_call& call, const SpecView& spec, bool gradients_given,
                   bool counts_positives) {
  for (const CallNumber& number : kCallNumbers) {
    const double value = call.*number.field;
    if (gradients_given && !number.of_gradients) continue;
    if (counts_positives && number.field == &efl_call::normalizer) continue;
    if (number.accepts(value)) continue;
    const bool each = spec.reduction == EFL_REDUCTION_NONE && number.field == &efl_call::upstream;
    throw ArgumentError{number.name, each ? "a finite number{or_each}" : number.expected, value};
  }
  if (gradients_given) return;
  if (spec.reduction != EFL_REDUCTION_SUM && call.normalizer != 1) {
    throw ArgumentError{"normalizer", "1 but with EFL_REDUCTION_SUM", call.normalizer};
  }
  const double divisor = counts_positives ? 1 : call.normalizer;
  if (!is_finite_float(spec.loss_weight * call.upstream * call.loss_scale / divisor)) {
    throw ArgumentError{"upstream",
                        "a factor that leaves {loss_weight} x {upstream} x {loss_scale} / "
                        "{normalizer} finite in float32",
                        call.upstream};
  }
}

void check_levels(const efl_call& call, const SpecView& spec, bool gradients_given) {
  check_format(call.format);
  if (call.level_count < 1) {
    throw ArgumentError{"level_count", "an integer >= 1", double(call.level_count)};
  }
  if (!call.levels) throw ArgumentError{"levels", "level_count levels", 0, false};
  int64_t rows = 0;
  for (int32_t i = 0; i < call.level_count; ++i) {
    const int64_t of_level = checked_rows(call, i, spec.columns());
    if (of_level > 0 && !call.levels[i].logits) reject("logits", "a value for each element", i);
    if (rows > kMaxElements - of_level) {
      throw ArgumentError{"levels", "rows that can be counted", 0, false};
    }
    rows += of_level;
  }
  check_labels(call, !gradients_given, is_of_quality(spec.loss) && !gradients_given);
  check_selection(call, gradients_given);
  if (!gradients_given) check_outputs(call, spec.reduction);
}

}  // namespace efl
