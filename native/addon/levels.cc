#include "levels.h"

#include "../core/layout.h"
#include "arguments.h"

namespace efl::addon {
namespace {

constexpr std::size_t kFormatNumbers = 4;

}  // namespace

efl_format decode_format(const ArrayView<int32_t>& geometry) {
  efl_format format{};
  format.anchors = 1;
  if (!geometry.data) return format;
  format.dtype = static_cast<efl_dtype>(geometry.data[0]);
  format.layout = static_cast<efl_layout>(geometry.data[1]);
  format.channel_order = static_cast<efl_channel_order>(geometry.data[2]);
  format.anchors = geometry.data[3];
  return format;
}

std::size_t levels_in(const ArrayView<int32_t>& geometry) {
  return (geometry.length - kFormatNumbers) / 2;
}

int64_t images_in(const ArrayView<int32_t>& geometry, std::size_t level) {
  return geometry.data[kFormatNumbers + 2 * level];
}

int64_t positions_in(const ArrayView<int32_t>& geometry, std::size_t level) {
  return geometry.data[kFormatNumbers + 2 * level + 1];
}

namespace {

// Throws where an argument is a list of another number of levels.
void check_lists(const LevelArguments& arguments, uint32_t levels) {
  for (const Napi::Value& value :
       {arguments.logits, arguments.labels, arguments.gradient, arguments.elements,
        arguments.grad_output, arguments.quality, arguments.targets}) {
    if (value.IsArray() && value.As<Napi::Array>().Length() != levels) {
      reject_argument(value.Env(), "levels", "as many as in the geometry");
    }
  }
  if (arguments.labels.IsUndefined() == arguments.targets.IsUndefined()) {
    reject_argument(arguments.logits.Env(), "labels or targets", "given, and not both");
  }
}

// The argument itself, or what stands for this level in a list.
Napi::Value of_level(Napi::Value argument, uint32_t level) {
  return argument.IsArray() ? argument.As<Napi::Array>().Get(level) : argument;
}

// Logits or gradients, of whichever type they are.
void* numbers(const efl_format& format, Napi::Value value, const char* name, std::size_t length) {
  if (value.IsUndefined()) return nullptr;
  if (format.dtype == EFL_FLOAT32) return array_argument<float>(value, name, length);
  return array_argument<uint16_t>(value, name, length);
}

std::size_t rows_in(const LevelArguments& arguments, uint32_t level, int32_t columns) {
  const Napi::Value labels = of_level(arguments.labels, level);
  if (!labels.IsUndefined()) return array_argument<int32_t>(labels, "labels").length;
  const Napi::Value targets = of_level(arguments.targets, level);
  return array_argument<float>(targets, "targets").length / static_cast<std::size_t>(columns);
}

efl_level decode_level(const LevelArguments& arguments, const efl_format& format, uint32_t level,
                       std::size_t rows, int32_t columns) {
  const std::size_t length = rows * static_cast<std::size_t>(columns);
  efl_level decoded{};
  decoded.logits = numbers(format, of_level(arguments.logits, level), "logits", length);
  if (!decoded.logits && length) reject_argument(arguments.logits.Env(), "logits", "given");
  decoded.gradient = numbers(format, of_level(arguments.gradient, level), "gradient", length);
  decoded.elements =
      optional_array_argument<float>(of_level(arguments.elements, level), "elements", length);
  decoded.grad_output =
      optional_array_argument<float>(of_level(arguments.grad_output, level), "gradOutput", length);
  decoded.labels =
      optional_array_argument<int32_t>(of_level(arguments.labels, level), "labels", rows);
  decoded.quality =
      optional_array_argument<float>(of_level(arguments.quality, level), "quality", rows);
  decoded.targets =
      optional_array_argument<float>(of_level(arguments.targets, level), "targets", length);
  return decoded;
}

}  // namespace

Levels decode_levels(const LevelArguments& arguments, int32_t columns) {
  ArrayView<int32_t> geometry;
  if (!arguments.geometry.IsUndefined()) {
    geometry = array_argument<int32_t>(arguments.geometry, "geometry");
    if (geometry.length < kFormatNumbers || geometry.length % 2 != 0) {
      reject_argument(arguments.geometry.Env(), "geometry", "a format and pairs of numbers");
    }
  }
  Levels result;
  result.format = decode_format(geometry);
  const std::size_t count = geometry.data ? levels_in(geometry) : 1;
  check_lists(arguments, static_cast<uint32_t>(count));
  result.levels.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    const std::size_t rows = rows_in(arguments, i, columns);
    efl_level level = decode_level(arguments, result.format, i, rows, columns);
    level.images = geometry.data ? images_in(geometry, i) : 1;
    level.positions = geometry.data ? positions_in(geometry, i) : static_cast<int64_t>(rows);
    if (level.images < 0 || level.positions < 0 || result.format.anchors < 1 ||
        rows_of(result.format, level) != static_cast<int64_t>(rows)) {
      reject_argument(arguments.logits.Env(), "geometry", "that of the labels");
    }
    result.levels.push_back(level);
  }
  return result;
}

}  // namespace efl::addon
