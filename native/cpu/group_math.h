// The Math policy of loss_math.h for several registers of float32 in lock-step.
//
// One register at a time leaves the processor waiting for its own results: the chain of operations
// behind an element is about twice as long as the time they take. A few rows side by side fill the
// gaps. A group of registers has the operators of a number, so the equations are still written
// once.
//
// exp and log1p are only ever wanted on a short domain (x <= 0, and [0, 1]), where a polynomial
// without branches is both faster and as exact as the C library's general functions. Coefficients
// are minimax fits; the relative error of each function is about 1e-7.
#pragma once

#include "pack.h"

namespace {

// log2(e) as the sum of two float32, and ln 2; the first of its parts is short enough that its
// products with small integers are exact.
constexpr float kLog2E = 1.44269504f;
constexpr float kLog2ERest = 1.92596299e-8f;
constexpr float kLn2 = 0.693147182f;
constexpr float kLn2High = 0.693359375f;
constexpr float kLn2Low = -2.12194440e-4f;

#if defined(EFL_AVX512)
// exp(x) and 2^x next to a step of 1/16: relative errors 1.6e-9, before rounding.
constexpr float kExp[] = {1.666683555e-01f, 5.000162125e-01f, 1.0f, 1.0f};
constexpr float kExp2[] = {5.550235510e-02f, 2.402343005e-01f, 6.931471825e-01f, 1.0f};
// 2^(j / 16).
alignas(64) constexpr float kPowers[16] = {
    1.000000000e+00f, 1.044273734e+00f, 1.090507746e+00f, 1.138788581e+00f,
    1.189207077e+00f, 1.241857767e+00f, 1.296839595e+00f, 1.354255557e+00f,
    1.414213538e+00f, 1.476826191e+00f, 1.542210817e+00f, 1.610490322e+00f,
    1.681792855e+00f, 1.756252170e+00f, 1.834008098e+00f, 1.915206552e+00f};
// Near t = j / 16, log1p(t) = log(1 / c_j) + log1p(z) for z = c_j (1 + t) - 1, which is small. The
// c_j have few bits, so that c_j - 1 is exact, and c_0 = 1, so that small t keep all of theirs.
alignas(64) constexpr float kInverses[32] = {
    1.000000000e+00f, 9.411621094e-01f, 8.889160156e-01f, 8.420410156e-01f, 8.000488281e-01f,
    7.619628906e-01f, 7.272949219e-01f, 6.955566406e-01f, 6.667480469e-01f, 6.398925781e-01f,
    6.154785156e-01f, 5.925292969e-01f, 5.715332031e-01f, 5.517578125e-01f, 5.334472656e-01f,
    5.161132812e-01f, 5.000000000e-01f, 1.000000000e+00f, 1.000000000e+00f, 1.000000000e+00f,
    1.000000000e+00f, 1.000000000e+00f, 1.000000000e+00f, 1.000000000e+00f, 1.000000000e+00f,
    1.000000000e+00f, 1.000000000e+00f, 1.000000000e+00f, 1.000000000e+00f, 1.000000000e+00f,
    1.000000000e+00f, 1.000000000e+00f};
alignas(64) constexpr float kLogarithms[32] = {0.0f,
                                               6.063988060e-02f,
                                               1.177525222e-01f,
                                               1.719265580e-01f,
                                               2.230825126e-01f,
                                               2.718574107e-01f,
                                               3.184232116e-01f,
                                               3.630428314e-01f,
                                               4.053430557e-01f,
                                               4.464549720e-01f,
                                               4.853552282e-01f,
                                               5.233549476e-01f,
                                               5.594326854e-01f,
                                               5.946460962e-01f,
                                               6.283950806e-01f,
                                               6.614289880e-01f,
                                               6.931471825e-01f,
                                               0.0f,
                                               0.0f,
                                               0.0f,
                                               0.0f,
                                               0.0f,
                                               0.0f,
                                               0.0f,
                                               0.0f,
                                               0.0f,
                                               0.0f,
                                               0.0f,
                                               0.0f,
                                               0.0f,
                                               0.0f,
                                               0.0f};
// (log1p(z) - z) / z^2 on [-1/31, 1/31]: log1p(z) has a relative error of 4e-8.
constexpr float kLog1p[] = {-2.501856983e-01f, 3.335084617e-01f, -4.999999702e-01f};
#else
// exp on [-ln 2 / 2, ln 2 / 2], 2^x on [-1/2, 1/2].
constexpr float kExp[] = {1.381829847e-03f,
                          8.368532173e-03f,
                          4.166829213e-02f,
                          1.666652262e-01f,
                          4.999999404e-01f,
                          1.0f,
                          1.0f};
constexpr float kExp2[] = {1.532646129e-04f,
                           1.339080627e-03f,
                           9.618505836e-03f,
                           5.550359935e-02f,
                           2.402264774e-01f,
                           6.931471825e-01f,
                           1.0f};
// log1p(t) / t on [0, 1].
constexpr float kLog1p[] = {
    -3.300962737e-03f, 2.012670785e-02f,  -5.752065778e-02f, 1.066631228e-01f,  -1.534723341e-01f,
    1.969268322e-01f,  -2.495808899e-01f, 3.333046734e-01f,  -4.999993145e-01f, 1.0f};
#endif

// 2^n for a whole number of steps n <= 0; 0 or subnormal below the normal range.
EFL_INLINE Pack power_of_two(Pack n) {
#if defined(EFL_AVX512)
  return _mm512_scalef_ps(look_up(kPowers, n + broadcast(kStepShift)), n);
#else
  const Pack exponent = maximum(broadcast(-127.0f), n) + broadcast(kStepShift + 127.0f);
  return pack_of(bits_of(exponent) << 23);
#endif
}

template <int32_t kRows>
struct Group {
  Pack row[kRows];
};

// For every row r of a group. Unrolled, so that the compiler interleaves the rows.
#define EFL_EACH_ROW _Pragma("GCC unroll 8") for (int32_t r = 0; r < kRows; ++r)

#define EFL_GROUP_OPERATOR(op)                                          \
  template <int32_t kRows>                                              \
  EFL_INLINE Group<kRows> operator op(Group<kRows> a, Group<kRows> b) { \
    EFL_EACH_ROW a.row[r] = a.row[r] op b.row[r];                       \
    return a;                                                           \
  }
EFL_GROUP_OPERATOR(+)
EFL_GROUP_OPERATOR(-)
EFL_GROUP_OPERATOR(*)
EFL_GROUP_OPERATOR(/)
#undef EFL_GROUP_OPERATOR

template <int32_t kRows>
EFL_INLINE Group<kRows> operator-(Group<kRows> a) {
  EFL_EACH_ROW a.row[r] = -a.row[r];
  return a;
}

template <int32_t kRows>
EFL_INLINE Pack sum_of_rows(Group<kRows> a) {
  Pack sum = a.row[0];
  for (int32_t r = 1; r < kRows; ++r) sum += a.row[r];
  return sum;
}

template <int32_t kRows>
EFL_INLINE Pack sum_of_products(Group<kRows> a, Group<kRows> b) {
  Pack sum = a.row[0] * b.row[0];
  for (int32_t r = 1; r < kRows; ++r) sum = multiply_add(a.row[r], b.row[r], sum);
  return sum;
}

// What needs no care: |u| <= kPlainLogit, gamma <= kPlainGamma, and weights up to kPlainWeight,
// with which the sum of a few losses or gradients is finite.
constexpr float kPlainLogit = 128;  // exp(-128) is 0 in float32
constexpr float kPlainGamma = 1e9f;
constexpr float kPlainWeight = 0x1p100f;

// kSquare: gamma is 2 for every class, and sigma^gamma is a product. kPlain: as above, so that
// nothing can overflow and no bound need be kept.
template <int32_t kRows, bool kSquare, bool kPlain>
struct GroupMath {
  using Real = Group<kRows>;

  EFL_INLINE Real same(Pack a) {
    Real result;
    EFL_EACH_ROW result.row[r] = a;
    return result;
  }
  EFL_INLINE Real constant(float value) { return same(broadcast(value)); }
  EFL_INLINE Real absolute(Real a) {
    EFL_EACH_ROW a.row[r] = ::absolute(a.row[r]);
    return a;
  }
  EFL_INLINE Real maximum(Real a, Real b) {
    EFL_EACH_ROW a.row[r] = ::maximum(a.row[r], b.row[r]);
    return a;
  }
  EFL_INLINE Real cap(Real a) {
    if constexpr (kPlain) return a;
    EFL_EACH_ROW a.row[r] = ::minimum(broadcast(kPlainLogit), a.row[r]);
    return a;
  }
  // max(0, a - b); only capped values can be less than b.
  EFL_INLINE Real excess(Real a, Real b) {
    if constexpr (kPlain) return a - b;
    return maximum(constant(0), a - b);
  }
  EFL_INLINE Real select_negative(Real a, Real yes, Real no) {
    EFL_EACH_ROW a.row[r] = ::select_negative(a.row[r], yes.row[r], no.row[r]);
    return a;
  }
  EFL_INLINE Real multiply_add(Real a, Real b, Real c) {
    EFL_EACH_ROW a.row[r] = ::multiply_add(a.row[r], b.row[r], c.row[r]);
    return a;
  }
  EFL_INLINE Real reciprocal(Real a) {
    EFL_EACH_ROW a.row[r] = ::reciprocal(a.row[r]);
    return a;
  }

  // exp(-a) for a in [0, 128].
  EFL_INLINE Real exp_of_minus(Real a) {
    Real n, rest;
    EFL_EACH_ROW n.row[r] = round_to_step(a.row[r] * -kLog2E);
    EFL_EACH_ROW {
#if defined(EFL_HAS_FMA)
      rest.row[r] = ::multiply_add(n.row[r], broadcast(-kLn2), -a.row[r]);
#else
      rest.row[r] = (n.row[r] * -kLn2High - a.row[r]) + n.row[r] * -kLn2Low;
#endif
    }
    return polynomial(kExp, rest) * powers_of_two(n);
  }

  // log1p(a) for a in [0, 1].
  EFL_INLINE Real log1p_unit(Real a) {
#if defined(EFL_AVX512)
    Real inverse, logarithm;
    EFL_EACH_ROW {
      const Pack shifted = a.row[r] + broadcast(kStepShift);
      inverse.row[r] = look_up(kInverses, shifted);
      logarithm.row[r] = look_up(kLogarithms, shifted);
    }
    const Real z = multiply_add(a, inverse, inverse - constant(1));
    return multiply_add(z * z, polynomial(kLog1p, z), logarithm + z);
#else
    return a * polynomial(kLog1p, a);
#endif
  }

  // sigma^gamma = 2^(-gamma log2(e) (a + b)) for -log(sigma) = a + b, a in [0, 128], b in [0, ln
  // 2]. A rounded product would cost the result a relative error that grows with the exponent, so
  // what is left of the exponent beside n is formed from exact products.
  EFL_INLINE Real power(Real sigma, Real gamma, Real a, Real b) {
    if constexpr (kSquare) return sigma * sigma;
    const Real factor = gamma * constant(-kLog2E);
    const Real factor_rest =
        product_errors(gamma, constant(-kLog2E), factor) - gamma * constant(kLog2ERest);
    Real n = factor * (a + b);
    EFL_EACH_ROW {
      // Below 2^-1000 the result is 0; the bound keeps n where its steps can be counted.
      if constexpr (!kPlain) n.row[r] = ::maximum(broadcast(-1000.0f), n.row[r]);
      n.row[r] = round_to_step(n.row[r]);
    }
    Real rest = difference_of_product(factor, a, n) + multiply_add(factor, b, factor_rest * a);
    if constexpr (!kPlain) {
      // Only results that are 0 anyway have a large rest; it must not become infinity times 0.
      EFL_EACH_ROW rest.row[r] =
          ::minimum(broadcast(1.0f), ::maximum(broadcast(-1.0f), rest.row[r]));
    }
    return polynomial(kExp2, rest) * powers_of_two(n);
  }

 private:
  EFL_INLINE Real powers_of_two(Real n) {
    EFL_EACH_ROW n.row[r] = power_of_two(n.row[r]);
    return n;
  }

  // a b - c, with one rounding or as good as that.
  EFL_INLINE Real difference_of_product(Real a, Real b, Real c) {
#if defined(EFL_HAS_FMA)
    return multiply_add(a, b, -c);
#else
    const Real product = a * b;
    return (product - c) + product_errors(a, b, product);
#endif
  }
  EFL_INLINE Real product_errors(Real a, Real b, Real product) {
    EFL_EACH_ROW a.row[r] = product_error(a.row[r], b.row[r], product.row[r]);
    return a;
  }

  template <int32_t kCount>
  EFL_INLINE Real polynomial(const float (&highest_first)[kCount], Real x) {
    Real value = constant(highest_first[0]);
    _Pragma("GCC unroll 16") for (int32_t i = 1; i < kCount; ++i) {
      const Pack coefficient = broadcast(highest_first[i]);
      EFL_EACH_ROW value.row[r] = ::multiply_add(value.row[r], x.row[r], coefficient);
    }
    return value;
  }
};

}  // namespace
