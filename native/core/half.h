// float16 and bfloat16 as float32, one number at a time. Rounding is to nearest, ties to even; NaN
// stays NaN, quiet.
#pragma once

#include <cstring>

#include "host_device.h"
#include "problem.h"

namespace efl {

EFL_HOST_DEVICE uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

EFL_HOST_DEVICE float float_of(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

EFL_HOST_DEVICE float float_of_float16(uint16_t half) {
  const uint32_t magnitude = half & 0x7fffu;
  const uint32_t sign = (half & 0x8000u) << 16;
  if (magnitude >= 0x7c00u) {
    return float_of(sign | 0x7f800000u | (magnitude > 0x7c00u ? 0x400000u : 0u) |
                    (magnitude & 0x3ffu) << 13);
  }
  // Subnormals are multiples of 2^-24. They stay out of the arithmetic of float32, where they would
  // be subnormal as well and so might count as 0.
  if (magnitude < 0x400u) return float_of(sign | bits_of(static_cast<float>(magnitude) * 0x1p-24f));
  return float_of(sign | ((magnitude << 13) + ((127u - 15u) << 23)));
}

EFL_HOST_DEVICE uint16_t float16_of(float value) {
  const uint32_t bits = bits_of(value);
  const uint32_t magnitude = bits & 0x7fffffffu;
  const uint32_t sign = (bits >> 16) & 0x8000u;
  uint32_t half = 0;
  if (magnitude > 0x7f800000u) {
    half = 0x7e00u | ((magnitude >> 13) & 0x3ffu);
  } else if (magnitude >= 0x47800000u) {
    half = 0x7c00u;
  } else if (magnitude < 0x38800000u) {
    // One unit in the last place of 0.5 is the smallest float16: the sum rounds as it has to.
    half = bits_of(float_of(magnitude) + 0.5f) - bits_of(0.5f);
  } else {
    half = (magnitude - ((127u - 15u) << 23) + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  }
  return static_cast<uint16_t>(sign | half);
}

EFL_HOST_DEVICE float float_of_bfloat16(uint16_t half) {
  return float_of(static_cast<uint32_t>(half) << 16);
}

EFL_HOST_DEVICE uint16_t bfloat16_of(float value) {
  const uint32_t bits = bits_of(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits | 0x400000u) >> 16);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

// Element `index` of an array of some type.
EFL_HOST_DEVICE float load(efl_dtype dtype, const void* from, int64_t index) {
  if (dtype == EFL_FLOAT32) return static_cast<const float*>(from)[index];
  const uint16_t half = static_cast<const uint16_t*>(from)[index];
  return dtype == EFL_FLOAT16 ? float_of_float16(half) : float_of_bfloat16(half);
}

EFL_HOST_DEVICE void store(efl_dtype dtype, void* to, int64_t index, float value) {
  if (dtype == EFL_FLOAT32) {
    static_cast<float*>(to)[index] = value;
  } else {
    static_cast<uint16_t*>(to)[index] =
        dtype == EFL_FLOAT16 ? float16_of(value) : bfloat16_of(value);
  }
}

}  // namespace efl
