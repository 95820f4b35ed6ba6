// float16 and bfloat16 in memory, as float32 in registers. Rounding is to nearest, ties to even;
// NaN stays NaN, quiet.
#pragma once

#include "../core/problem.h"
#include "pack.h"

namespace {

typedef uint16_t HalfBits __attribute__((vector_size(EFL_PACK_BYTES / 2)));
typedef uint16_t HalfBitsInMemory
    __attribute__((vector_size(EFL_PACK_BYTES / 2), aligned(2), may_alias));

EFL_INLINE HalfBits load_half(const uint16_t* from) {
  return *reinterpret_cast<const HalfBitsInMemory*>(from);
}
EFL_INLINE void store_half(uint16_t* to, HalfBits a) {
  *reinterpret_cast<HalfBitsInMemory*>(to) = a;
}

EFL_INLINE Bits wide(HalfBits a) { return __builtin_convertvector(a, Bits); }
EFL_INLINE HalfBits narrow(Bits a) { return __builtin_convertvector(a, HalfBits); }
// Comparisons below are of magnitudes, which are not negative as integers either.
EFL_INLINE Bits choose(Bits mask, Bits yes, Bits no) { return (mask & yes) | (~mask & no); }

struct Float16 {
  EFL_INLINE Pack widen(HalfBits half) {
#if defined(EFL_AVX512)
    return _mm512_cvtph_ps(reinterpret_cast<__m256i>(half));
#elif defined(EFL_AVX2)
    return _mm256_cvtph_ps(reinterpret_cast<__m128i>(half));
#elif defined(__aarch64__)
    return vcvt_f32_f16(reinterpret_cast<float16x4_t>(half));
#else
    const Bits bits = wide(half);
    const Bits magnitude = bits & 0x7fff;
    // Subnormals are multiples of 2^-24; in float32 they are not to be subnormal, or they count as
    // 0.
    const Pack multiple = __builtin_convertvector(magnitude, Pack) * broadcast(0x1p-24f);
    const Bits normal = (magnitude << 13) + ((127 - 15) << 23);
    const Bits finite = choose(magnitude < 0x400, bits_of(multiple), normal);
    const Bits special = (magnitude << 13) | 0x7f800000;
    const Bits nan = (magnitude > 0x7c00) & 0x400000;
    return pack_of(choose(magnitude >= 0x7c00, special | nan, finite) | ((bits & 0x8000) << 16));
#endif
  }

  EFL_INLINE HalfBits round(Pack a) {
#if defined(EFL_AVX512)
    return reinterpret_cast<HalfBits>(
        _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#elif defined(EFL_AVX2)
    return reinterpret_cast<HalfBits>(
        _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#elif defined(__aarch64__)
    return reinterpret_cast<HalfBits>(vcvt_f16_f32(a));
#else
    const Bits bits = bits_of(a);
    const Bits magnitude = bits & 0x7fffffff;
    const Bits odd = (magnitude >> 13) & 1;
    const Bits normal = (magnitude - ((127 - 15) << 23) + 0xfff + odd) >> 13;
    // One unit of 0.5 in the last place is the smallest float16: the sum rounds as it has to.
    const Bits small = bits_of(pack_of(magnitude) + broadcast(0.5f)) - bits_of(broadcast(0.5f));
    const Bits infinite = Bits{} + 0x7c00;
    const Bits nan = 0x7e00 | ((magnitude >> 13) & 0x3ff);
    Bits half = choose(magnitude < 0x38800000, small, normal);
    half = choose(magnitude >= 0x47800000, infinite, half);
    half = choose(magnitude > 0x7f800000, nan, half);
    return narrow(half | ((bits >> 16) & 0x8000));
#endif
  }
};

struct Bfloat16 {
  EFL_INLINE Pack widen(HalfBits half) {
    const Bits bits = wide(half) << 16;
    const Bits nan = ((bits & 0x7fffffff) > 0x7f800000) & 0x400000;
    return pack_of(bits | nan);
  }

  // The instruction of AVX512-BF16 flushes subnormals: not for us.
  EFL_INLINE HalfBits round(Pack a) {
    const Bits bits = bits_of(a);
    const Bits odd = (bits >> 16) & 1;
    const Bits finite = bits + 0x7fff + odd;
    const Bits is_nan = (bits & 0x7fffffff) > 0x7f800000;
    return narrow((choose(is_nan, bits | 0x400000, finite) >> 16) & 0xffff);
  }
};

template <class Half>
EFL_NEVER_INLINE static void widen_all(const uint16_t* from, float* to, int32_t count) {
  int32_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(to + i, Half::widen(load_half(from + i)));
  if (i == count) return;
  HalfBits rest = {};
  memcpy(&rest, from + i, static_cast<size_t>(count - i) * sizeof(uint16_t));
  store_some(to + i, Half::widen(rest), count - i);
}

template <class Half>
EFL_NEVER_INLINE static void round_all(const float* from, uint16_t* to, int32_t count) {
  int32_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store_half(to + i, Half::round(load(from + i)));
  if (i == count) return;
  const HalfBits rest = Half::round(load_some(from + i, count - i));
  memcpy(to + i, &rest, static_cast<size_t>(count - i) * sizeof(uint16_t));
}

inline void widen_all(efl_dtype dtype, const uint16_t* from, float* to, int32_t count) {
  if (dtype == EFL_FLOAT16) return widen_all<Float16>(from, to, count);
  return widen_all<Bfloat16>(from, to, count);
}

inline void round_all(efl_dtype dtype, const float* from, uint16_t* to, int32_t count) {
  if (dtype == EFL_FLOAT16) return round_all<Float16>(from, to, count);
  return round_all<Bfloat16>(from, to, count);
}

}  // namespace
