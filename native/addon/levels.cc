#include "levels.h"

#include "arguments.h"

namespace efl::addon {
namespace {

constexpr std::size_t kFormatNumbers = 4;
constexpr std::size_t kMostBytes = std::size_t{1} << 62;

}  // namespace

Geometry::Geometry(Napi::Value value) : numbers_(array_argument<int32_t>(value, "geometry")) {
  const int32_t* const numbers = numbers_.data;
  bool valid = numbers_.length > kFormatNumbers && numbers_.length % 2 == 0;
  valid = valid && numbers[0] >= EFL_FLOAT32 && numbers[0] <= EFL_BFLOAT16;
  valid = valid && (numbers[1] == EFL_LAYOUT_NHWC || numbers[1] == EFL_LAYOUT_NCHW);
  valid = valid && (numbers[2] == EFL_ANCHOR_MAJOR || numbers[2] == EFL_CLASS_MAJOR);
  valid = valid && numbers[3] >= 1;
  for (std::size_t i = kFormatNumbers; valid && i < numbers_.length; ++i) valid = numbers[i] >= 0;
  if (!valid) reject_argument(value.Env(), "geometry", "a format and pairs of numbers");
  format_.dtype = static_cast<efl_dtype>(numbers[0]);
  format_.layout = static_cast<efl_layout>(numbers[1]);
  format_.channel_order = static_cast<efl_channel_order>(numbers[2]);
  format_.anchors = numbers[3];
}

uint32_t Geometry::levels() const {
  return is_given() ? static_cast<uint32_t>((numbers_.length - kFormatNumbers) / 2) : 1;
}

int64_t Geometry::images(uint32_t level) const {
  return is_given() ? numbers_.data[kFormatNumbers + 2 * level] : 1;
}

int64_t Geometry::positions(uint32_t level) const {
  return numbers_.data[kFormatNumbers + 2 * level + 1];
}

std::size_t Geometry::rows(Napi::Env env, uint32_t level, int32_t columns) const {
  // Of two factors below 2^31 no product is too large; of four it is looked at.
  const auto in_image =
      static_cast<std::size_t>(positions(level)) * static_cast<std::size_t>(format_.anchors);
  const auto images_here = static_cast<std::size_t>(images(level));
  const std::size_t bytes_of_row = sizeof(float) * static_cast<std::size_t>(columns);
  if (in_image > 0 && images_here > kMostBytes / in_image / bytes_of_row) {
    reject_argument(env, "geometry", "that of a level that fits into memory");
  }
  return images_here * in_image;
}

void Levels::add(const efl_level& level) {
  if (count_ == 0) first_ = level;
  if (count_ == 1) several_.push_back(first_);
  if (count_ >= 1) several_.push_back(level);
  ++count_;
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
  const Napi::Env env = arguments.logits.Env();
  const Geometry geometry =
      arguments.geometry.IsUndefined() ? Geometry() : Geometry(arguments.geometry);
  Levels result;
  result.format = geometry.format();
  check_lists(arguments, geometry.levels());
  for (uint32_t i = 0; i < geometry.levels(); ++i) {
    const std::size_t rows = rows_in(arguments, i, columns);
    efl_level level = decode_level(arguments, result.format, i, rows, columns);
    level.images = geometry.images(i);
    level.positions = geometry.is_given() ? geometry.positions(i) : static_cast<int64_t>(rows);
    if (geometry.is_given() && geometry.rows(env, i, columns) != rows) {
      reject_argument(env, "geometry", "that of the labels");
    }
    result.add(level);
  }
  return result;
}

Levels decode_rows(Napi::Value logits, Napi::Value labels, std::optional<Napi::Value> gradient,
                   int32_t columns) {
  const ArrayView<int32_t> of_rows = array_argument<int32_t>(labels, "labels");
  const std::size_t length = of_rows.length * static_cast<std::size_t>(columns);
  efl_level rows{};
  rows.images = 1;
  rows.positions = static_cast<int64_t>(of_rows.length);
  rows.labels = of_rows.data;
  rows.logits = array_argument<float>(logits, "logits", length);
  if (gradient) rows.gradient = array_argument<float>(*gradient, "gradient", length);
  Levels result;
  result.format = Geometry().format();
  result.add(rows);
  return result;
}

}  // namespace efl::addon
