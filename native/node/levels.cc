#include "levels.h"

namespace efl::node {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 62;

// How the levels lie in memory, checked.
class Geometry {
 public:
  explicit Geometry(Napi::Value value) : numbers_(array_argument<int32_t>(value, "geometry")) {
    const int32_t* const numbers = numbers_.data;
    const std::size_t length = numbers_.length;
    const auto is_code = [&](GeometryPlace place, int32_t last) {
      return numbers[place] >= 0 && numbers[place] <= last;
    };
    bool valid = length > kGeometryLevels && (length - kGeometryLevels) % 2 == 0;
    valid = valid && is_code(kGeometryDtype, EFL_BFLOAT16);
    valid = valid && is_code(kGeometryLayout, EFL_LAYOUT_NCHW);
    valid = valid && is_code(kGeometryChannelOrder, EFL_CLASS_MAJOR);
    valid = valid && numbers[kGeometryAnchors] >= 1;
    for (std::size_t i = kGeometryLevels; valid && i < length; ++i) valid = numbers[i] >= 0;
    if (!valid) reject_argument(value.Env(), "geometry", "a format and pairs of numbers");
  }

  efl_format format() const {
    const int32_t* const numbers = numbers_.data;
    return {static_cast<efl_dtype>(numbers[kGeometryDtype]),
            static_cast<efl_layout>(numbers[kGeometryLayout]),
            static_cast<efl_channel_order>(numbers[kGeometryChannelOrder]),
            numbers[kGeometryAnchors]};
  }
  uint32_t levels() const { return static_cast<uint32_t>((numbers_.length - kGeometryLevels) / 2); }

  // Images, positions and the rows that they make. Throws where there are more than can be counted.
  efl_level level(Napi::Env env, uint32_t index, int32_t columns, std::size_t* rows) const {
    efl_level level{};
    level.images = numbers_.data[kGeometryLevels + 2 * index];
    level.positions = numbers_.data[kGeometryLevels + 2 * index + 1];
    // Of two factors below 2^31 no product is too large; of four it is looked at.
    const auto in_image = static_cast<std::size_t>(level.positions) *
                          static_cast<std::size_t>(numbers_.data[kGeometryAnchors]);
    const auto images = static_cast<std::size_t>(level.images);
    const std::size_t bytes_of_row = sizeof(float) * static_cast<std::size_t>(columns);
    if (in_image > 0 && images > kMostBytes / in_image / bytes_of_row) {
      reject_argument(env, "geometry", "that of a level that fits into memory");
    }
    *rows = images * in_image;
    return level;
  }

 private:
  ArrayView<int32_t> numbers_;
};

class HostArrays : public ArrayPlace {
 public:
  void* find(Napi::Value value, const char* name, napi_typedarray_type type,
             std::size_t count) const override {
    switch (type) {
      case napi_int32_array:
        return array_argument<int32_t>(value, name, count);
      case napi_uint16_array:
        return array_argument<uint16_t>(value, name, count);
      case napi_uint8_array:
        return array_argument<uint8_t>(value, name, count);
      default:
        return array_argument<float>(value, name, count);
    }
  }
};

// The arrays of one level, whose images and positions are known.
class LevelDecoder {
 public:
  LevelDecoder(const Napi::CallbackInfo& info, const ArrayPlace& place, uint32_t index,
               uint32_t levels)
      : info_(info), place_(place), index_(index), levels_(levels) {}

  void decode(efl_dtype dtype, std::size_t rows, int32_t columns, efl_level* level) const {
    const std::size_t elements = rows * static_cast<std::size_t>(columns);
    const napi_typedarray_type numbers =
        dtype == EFL_FLOAT32 ? napi_float32_array : napi_uint16_array;
    level->logits = find<void>(kLogits, "logits", numbers, elements);
    level->gradient = find<void>(kGradient, "gradient", numbers, elements);
    level->elements = find<float>(kElements, "elements", napi_float32_array, elements);
    level->grad_output = find<float>(kGradOutput, "gradOutput", napi_float32_array, elements);
    level->labels = find<int32_t>(kLabels, "labels", napi_int32_array, rows);
    level->quality = find<float>(kQuality, "quality", napi_float32_array, rows);
    level->targets = find<float>(kTargets, "targets", napi_float32_array, elements);
    level->row_weight = find<float>(kRowWeight, "rowWeight", napi_float32_array, rows);
    level->mask = find<uint8_t>(kMask, "mask", napi_uint8_array, elements);
  }

 private:
  // Of an argument that is given what stands for this level.
  template <class T>
  T* find(CallArgument argument, const char* name, napi_typedarray_type type,
          std::size_t count) const {
    Napi::Value value = info_[argument];
    if (value.IsUndefined()) return nullptr;
    if (value.IsArray()) {
      const Napi::Array list = value.As<Napi::Array>();
      if (list.Length() != levels_) reject_argument(value.Env(), name, "one for each level");
      value = list.Get(index_);
    } else if (levels_ != 1) {
      reject_argument(value.Env(), name, "a list with one for each level");
    }
    return static_cast<T*>(place_.find(value, name, type, count));
  }

  const Napi::CallbackInfo& info_;
  const ArrayPlace& place_;
  const uint32_t index_;
  const uint32_t levels_;
};

// One level of float32 rows: there are as many as labels, or as targets have.
Levels decode_rows(const Napi::CallbackInfo& info, int32_t columns) {
  const auto width = static_cast<std::size_t>(columns);
  efl_level level{};
  level.images = 1;
  // Two or three arguments are what a small call mostly has: the others need not be found out.
  if (info.Length() <= kElements) {
    const ArrayView<int32_t> labels = array_argument<int32_t>(info[kLabels], "labels");
    const std::size_t elements = labels.length * width;
    level.positions = static_cast<int64_t>(labels.length);
    level.labels = labels.data;
    level.logits = array_argument<float>(info[kLogits], "logits", elements);
    if (info.Length() > kGradient) {
      level.gradient = optional_array_argument<float>(info[kGradient], "gradient", elements);
    }
  } else {
    const std::size_t rows = info[kLabels].IsUndefined()
                                 ? array_argument<float>(info[kTargets], "targets").length / width
                                 : array_argument<int32_t>(info[kLabels], "labels").length;
    level.positions = static_cast<int64_t>(rows);
    LevelDecoder(info, HostArrays(), 0, 1).decode(EFL_FLOAT32, rows, columns, &level);
  }
  Levels result;
  result.add(level);
  return result;
}

}  // namespace

void Levels::add(const efl_level& level) {
  if (count_ == 0) first_ = level;
  if (count_ == 1) several_.push_back(first_);
  if (count_ >= 1) several_.push_back(level);
  ++count_;
}

Levels decode_levels(const Napi::CallbackInfo& info, int32_t columns, const ArrayPlace& place) {
  const Geometry geometry(info[kGeometry]);
  Levels result;
  result.format = geometry.format();
  for (uint32_t i = 0; i < geometry.levels(); ++i) {
    std::size_t rows = 0;
    efl_level level = geometry.level(info.Env(), i, columns, &rows);
    LevelDecoder(info, place, i, geometry.levels())
        .decode(result.format.dtype, rows, columns, &level);
    result.add(level);
  }
  return result;
}

const uint8_t* decode_class_mask(const Napi::CallbackInfo& info, std::size_t classes,
                                 const ArrayPlace* place) {
  const Napi::Value value = info[kClassMask];
  if (value.IsUndefined()) return nullptr;
  const HostArrays on_host;
  return static_cast<const uint8_t*>(
      (place ? *place : on_host).find(value, "classMask", napi_uint8_array, classes));
}

Levels decode_levels(const Napi::CallbackInfo& info, int32_t columns) {
  if (info.Length() <= kGeometry || info[kGeometry].IsUndefined())
    return decode_rows(info, columns);
  return decode_levels(info, columns, HostArrays());
}

}  // namespace efl::node
