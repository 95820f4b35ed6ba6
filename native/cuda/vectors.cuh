// Sixteen bytes of logits at a time, or one element where an array does not start at a multiple of
// sixteen. 16-bit elements are converted in pairs, for which the hardware has instructions.
#pragma once

#include <cstdint>
#include <cstring>

#include "device.h"

namespace efl::cuda {

template <int kBytes>
struct WordOf;
template <>
struct WordOf<16> {
  using Type = uint4;
};
template <>
struct WordOf<4> {
  using Type = uint32_t;
};
template <>
struct WordOf<2> {
  using Type = uint16_t;
};

EFL_DEVICE float to_float(float value) { return value; }
EFL_DEVICE float to_float(__half value) { return __half2float(value); }
EFL_DEVICE float to_float(__nv_bfloat16 value) { return __bfloat162float(value); }

template <class T>
EFL_DEVICE T rounded(float value);
template <>
EFL_DEVICE float rounded<float>(float value) {
  return value;
}
template <>
EFL_DEVICE __half rounded<__half>(float value) {
  return __float2half_rn(value);
}
template <>
EFL_DEVICE __nv_bfloat16 rounded<__nv_bfloat16>(float value) {
  return __float2bfloat16_rn(value);
}

EFL_DEVICE __half2 rounded_pair(float low, float high, __half) {
  return __floats2half2_rn(low, high);
}
EFL_DEVICE __nv_bfloat162 rounded_pair(float low, float high, __nv_bfloat16) {
  return __floats2bfloat162_rn(low, high);
}

// kLanes elements of type T, as they are in memory.
template <class T, int kLanes>
struct Vector {
  using Word = typename WordOf<sizeof(T) * kLanes>::Type;

  static EFL_DEVICE Word load(const T* from) { return __ldcs(reinterpret_cast<const Word*>(from)); }
  static EFL_DEVICE void store(T* to, Word word) { __stcs(reinterpret_cast<Word*>(to), word); }

  static EFL_DEVICE void widen(const Word& word, float (&values)[kLanes]) {
    T lanes[kLanes];
    memcpy(lanes, &word, sizeof word);
#pragma unroll
    for (int j = 0; j < kLanes; ++j) values[j] = to_float(lanes[j]);
  }

  static EFL_DEVICE Word round(const float (&values)[kLanes]) {
    Word word;
    if constexpr (sizeof(T) == 2 && kLanes > 1) {
      decltype(rounded_pair(0, 0, T{})) pairs[kLanes / 2];
#pragma unroll
      for (int j = 0; j < kLanes / 2; ++j) {
        pairs[j] = rounded_pair(values[2 * j], values[2 * j + 1], T{});
      }
      memcpy(&word, pairs, sizeof word);
    } else {
      T lanes[kLanes];
#pragma unroll
      for (int j = 0; j < kLanes; ++j) lanes[j] = rounded<T>(values[j]);
      memcpy(&word, lanes, sizeof word);
    }
    return word;
  }
};

}  // namespace efl::cuda
