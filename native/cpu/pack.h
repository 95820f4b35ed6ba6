// A register full of float32, and the few operations on it that the kernels need.
//
// Written with the compiler's vector extensions, so that one source serves SSE2, AVX2, AVX-512 and
// NEON; intrinsics stand only where the extensions have no word for the operation. Included once by
// each kernels_*.cc, which defines EFL_PACK_BYTES; everything here is local to that file.
#pragma once

#include <stdint.h>
#include <string.h>

#include "../core/host_device.h"

#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)
// GCC's own AVX-512 header starts results from undefined registers and then warns of it.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define EFL_INLINE static EFL_ALWAYS_INLINE
#define EFL_MEMBER EFL_ALWAYS_INLINE
#define EFL_NEVER_INLINE __attribute__((noinline))

namespace {

constexpr int32_t kLanes = EFL_PACK_BYTES / 4;

typedef float Pack __attribute__((vector_size(EFL_PACK_BYTES)));
typedef int32_t Bits __attribute__((vector_size(EFL_PACK_BYTES)));  // also masks: -1 or 0 a lane
typedef double DoublePack __attribute__((vector_size(EFL_PACK_BYTES)));
typedef float HalfPack __attribute__((vector_size(EFL_PACK_BYTES / 2)));
// The same in memory, where only the alignment of one number is given.
typedef float PackInMemory __attribute__((vector_size(EFL_PACK_BYTES), aligned(4), may_alias));
typedef int32_t BitsInMemory __attribute__((vector_size(EFL_PACK_BYTES), aligned(4), may_alias));
typedef double DoublesInMemory __attribute__((vector_size(EFL_PACK_BYTES), aligned(8), may_alias));

EFL_INLINE Pack broadcast(float value) { return Pack{} + value; }
EFL_INLINE Bits bits_of(Pack a) { return reinterpret_cast<Bits>(a); }
EFL_INLINE Pack pack_of(Bits a) { return reinterpret_cast<Pack>(a); }
EFL_INLINE Pack select(Bits mask, Pack yes, Pack no) { return mask ? yes : no; }
EFL_INLINE Pack absolute(Pack a) { return pack_of(bits_of(a) & 0x7fffffff); }

EFL_INLINE Pack load(const float* from) { return *reinterpret_cast<const PackInMemory*>(from); }
EFL_INLINE Bits load(const int32_t* from) { return *reinterpret_cast<const BitsInMemory*>(from); }
EFL_INLINE void store(float* to, Pack a) { *reinterpret_cast<PackInMemory*>(to) = a; }

// Which intrinsics fit is a matter of the register, not of what the compiler was told to allow: the
// baseline kernels stay 16 bytes wide under -march=native, too.
#if EFL_PACK_BYTES == 64
#define EFL_AVX512 1
#elif EFL_PACK_BYTES == 32
#define EFL_AVX2 1
#elif defined(__x86_64__)
#define EFL_SSE2 1
#endif
#if defined(EFL_AVX512) || defined(EFL_AVX2) || defined(__aarch64__)
#define EFL_HAS_FMA 1
#endif

// The first `count` lanes; the others are 0, or not written.
EFL_INLINE Pack load_some(const float* from, int32_t count) {
#if defined(EFL_AVX512)
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from);
#else
  Pack a = {};
  memcpy(&a, from, static_cast<size_t>(count) * sizeof(float));
  return a;
#endif
}
EFL_INLINE void store_some(float* to, Pack a, int32_t count) {
#if defined(EFL_AVX512)
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), a);
#else
  memcpy(to, &a, static_cast<size_t>(count) * sizeof(float));
#endif
}

// Both return b when a or b is not a number, as the instructions of x86 do.
EFL_INLINE Pack minimum(Pack a, Pack b) {
#if defined(EFL_AVX512)
  return _mm512_min_ps(a, b);
#elif defined(EFL_AVX2)
  return _mm256_min_ps(a, b);
#else
  return a < b ? a : b;
#endif
}
EFL_INLINE Pack maximum(Pack a, Pack b) {
#if defined(EFL_AVX512)
  return _mm512_max_ps(a, b);
#elif defined(EFL_AVX2)
  return _mm256_max_ps(a, b);
#else
  return a > b ? a : b;
#endif
}

// By the sign bit of a.
EFL_INLINE Pack select_negative(Pack a, Pack yes, Pack no) {
#if defined(EFL_AVX512)
  return _mm512_mask_blend_ps(_mm512_movepi32_mask(reinterpret_cast<__m512i>(a)), no, yes);
#elif defined(EFL_AVX2)
  return _mm256_blendv_ps(no, yes, a);
#else
  return select(bits_of(a) < 0, yes, no);
#endif
}

// a b + c, with one rounding where the instruction set has it.
EFL_INLINE Pack multiply_add(Pack a, Pack b, Pack c) {
#if defined(EFL_AVX512)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(EFL_AVX2)
  return _mm256_fmadd_ps(a, b, c);
#elif defined(__aarch64__)
  return vfmaq_f32(c, a, b);
#else
  return a * b + c;
#endif
}

// a b - product exactly, for product = a b as rounded.
EFL_INLINE Pack product_error(Pack a, Pack b, Pack product) {
#if defined(EFL_HAS_FMA)
  return multiply_add(a, b, -product);
#else
  // Dekker: products of 12-bit halves are exact.
  const Pack a_high = pack_of(bits_of(a) & static_cast<int32_t>(0xfffff000));
  const Pack b_high = pack_of(bits_of(b) & static_cast<int32_t>(0xfffff000));
  const Pack a_low = a - a_high;
  const Pack b_low = b - b_high;
  return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
#endif
}

// 1 / a for a in [1, 2]. An estimate and one Newton step are as exact as a division here.
EFL_INLINE Pack reciprocal(Pack a) {
#if defined(EFL_AVX512)
  const Pack estimate = _mm512_rcp14_ps(a);
  return multiply_add(estimate, multiply_add(-a, estimate, broadcast(1.0f)), estimate);
#else
  return broadcast(1.0f) / a;
#endif
}

// exp is computed as 2^n times a polynomial, n rounded to steps: the finer the steps, the shorter
// the polynomial. AVX-512 has an instruction that looks one of 32 values up in two registers, which
// 2^(n - floor n) and the logarithm use; elsewhere n is an integer.
//
// Added to a number, kStepShift leaves the number of its steps in the lowest bits: the sum has no
// bits for less. Where n is an integer they count from -127, the exponent of 0.
#if defined(EFL_AVX512)
constexpr bool kHasTables = true;
constexpr float kStepShift = 12582912.0f / 32;  // 1.5 2^23 steps
constexpr float kLogarithmShift = 12582912.0f / 16;

// table[steps modulo 32], for a sum of a shift.
EFL_INLINE Pack look_up(const float (&table)[32], Pack shifted) {
  return _mm512_permutex2var_ps(load(table), reinterpret_cast<__m512i>(shifted), load(table + 16));
}
#else
constexpr bool kHasTables = false;
constexpr float kStepShift = 12582912.0f + 127.0f;
#endif

constexpr int32_t kLargestFinite = 0x7f7fffff;  // its bits; those of NaN and infinity are larger

EFL_INLINE Bits is_finite(Pack a) { return bits_of(absolute(a)) <= kLargestFinite; }
EFL_INLINE Pack finite_or_zero(Pack a) { return select(is_finite(a), a, Pack{}); }

EFL_INLINE Bits larger(Bits a, Bits b) {
#if defined(EFL_AVX512)
  return reinterpret_cast<Bits>(
      _mm512_max_epi32(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(EFL_AVX2)
  return reinterpret_cast<Bits>(
      _mm256_max_epi32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#else
  return a > b ? a : b;
#endif
}

// Whether no lane of a mask is set.
EFL_INLINE bool none(Bits mask) {
#if defined(EFL_AVX512)
  return _mm512_movepi32_mask(reinterpret_cast<__m512i>(mask)) == 0;
#elif defined(EFL_AVX2)
  return _mm256_movemask_ps(reinterpret_cast<__m256>(mask)) == 0;
#elif defined(EFL_SSE2)
  return _mm_movemask_ps(reinterpret_cast<__m128>(mask)) == 0;
#else
  int32_t any = 0;
  for (int32_t i = 0; i < kLanes; ++i) any |= mask[i];
  return any == 0;
#endif
}

// a - b modulo 2^32.
EFL_INLINE Bits wrapped_difference(Bits a, Bits b) {
  typedef uint32_t Unsigned __attribute__((vector_size(EFL_PACK_BYTES)));
  return reinterpret_cast<Bits>(reinterpret_cast<Unsigned>(a) - reinterpret_cast<Unsigned>(b));
}

EFL_INLINE bool any_above(Bits a, Bits bound) {
#if defined(EFL_AVX512)
  return _mm512_cmpgt_epi32_mask(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(bound)) !=
         0;
#else
  return !none(a > bound);
#endif
}

// How many lanes of a mask are set.
EFL_INLINE int64_t lanes_set(Bits mask) {
  if (none(mask)) return 0;
  int64_t count = 0;
  for (int32_t i = 0; i < kLanes; ++i) count += mask[i] != 0;
  return count;
}

EFL_INLINE Bits lane_is(int32_t lane) {
  Bits indices;
  for (int32_t i = 0; i < kLanes; ++i) indices[i] = i;
  return indices == (Bits{} + lane);
}

EFL_INLINE Bits lanes_below(int32_t count) {
  Bits indices;
  for (int32_t i = 0; i < kLanes; ++i) indices[i] = i;
  return indices < (Bits{} + count);
}

// A mask of the lanes whose byte is not 0; those from `count` on are not set.
EFL_INLINE Bits lanes_of(const uint8_t* bytes, int32_t count) {
  uint8_t some[kLanes] = {};
  if (count < kLanes) {
    memcpy(some, bytes, static_cast<size_t>(count));
    bytes = some;
  }
#if defined(EFL_AVX512)
  return reinterpret_cast<Bits>(
             _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)))) != 0;
#elif defined(EFL_AVX2)
  return reinterpret_cast<Bits>(
             _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes)))) != 0;
#else
  Bits lanes;
  for (int32_t i = 0; i < kLanes; ++i) lanes[i] = bytes[i];
  return lanes != 0;
#endif
}

EFL_INLINE void widen(Pack a, DoublePack* low, DoublePack* high) {
#if defined(EFL_AVX512)
  *low = _mm512_cvtps_pd(_mm512_castps512_ps256(a));
  *high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1));
#elif defined(EFL_AVX2)
  *low = _mm256_cvtps_pd(_mm256_castps256_ps128(a));
  *high = _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1));
#else
  HalfPack halves[2];
  memcpy(halves, &a, sizeof a);
  *low = __builtin_convertvector(halves[0], DoublePack);
  *high = __builtin_convertvector(halves[1], DoublePack);
#endif
}

EFL_INLINE void add_to(DoublePack* sum, Pack a) {
  DoublePack low, high;
  widen(a, &low, &high);
  *sum += low + high;
}

EFL_INLINE void add_to(double* sums, Pack a) {
  DoublePack low, high;
  widen(a, &low, &high);
  DoublesInMemory* memory = reinterpret_cast<DoublesInMemory*>(sums);
  memory[0] += low;
  memory[1] += high;
}

EFL_INLINE double total(DoublePack a) {
  double sum = 0;
  for (int32_t i = 0; i < kLanes / 2; ++i) sum += a[i];
  return sum;
}

}  // namespace
