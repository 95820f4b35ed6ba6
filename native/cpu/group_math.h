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
// (exp(x) - 1) / x and (2^x - 1) / x for x within half a step of 1/32: exp and 2^x have relative
// errors of 5.3e-8, before rounding.
constexpr float kExp[] = {4.999963343e-01f, 1.000014663e+00f};
constexpr float kExp2[] = {2.402247488e-01f, 6.931573749e-01f};
// 2^(j / 32).
alignas(64) constexpr float kPowers[32] = {
    1.000000000e+00f, 1.021897197e+00f, 1.044273734e+00f, 1.067140460e+00f, 1.090507746e+00f,
    1.114386797e+00f, 1.138788581e+00f, 1.163724899e+00f, 1.189207077e+00f, 1.215247393e+00f,
    1.241857767e+00f, 1.269050956e+00f, 1.296839595e+00f, 1.325236678e+00f, 1.354255557e+00f,
    1.383909941e+00f, 1.414213538e+00f, 1.445180774e+00f, 1.476826191e+00f, 1.509164453e+00f,
    1.542210817e+00f, 1.575980902e+00f, 1.610490322e+00f, 1.645755529e+00f, 1.681792855e+00f,
    1.718619347e+00f, 1.756252170e+00f, 1.794709086e+00f, 1.834008098e+00f, 1.874167681e+00f,
    1.915206552e+00f, 1.957144141e+00f};
// Near t = j / 16, log1p(t) = log(1 / c_j) + log1p(z) for z = c_j (1 + t) - 1, which is small and
// computed as (c_j - 1)(1 + t) + t; here are the c_j - 1, exactly. c_0 = c_1 = c_2 = 1: small t
// keep all of their bits, and where all t are small (kLow below) z is t and nothing is looked up.
alignas(64) constexpr float kInversesLessOne[32] = {
    0.000000000e+00f,  0.000000000e+00f,  0.000000000e+00f,  -1.579589844e-01f, -1.999511719e-01f,
    -2.380371094e-01f, -2.727050781e-01f, -3.044433594e-01f, -3.332519531e-01f, -3.601074219e-01f,
    -3.845214844e-01f, -4.074707031e-01f, -4.284667969e-01f, -4.482421875e-01f, -4.665527344e-01f,
    -4.838867188e-01f, -5.000000000e-01f};
alignas(64) constexpr float kLogarithms[32] = {
    0.000000000e+00f, 0.000000000e+00f, 0.000000000e+00f, 1.719265580e-01f, 2.230825126e-01f,
    2.718574107e-01f, 3.184232116e-01f, 3.630428314e-01f, 4.053430557e-01f, 4.464549720e-01f,
    4.853552282e-01f, 5.233549476e-01f, 5.594326854e-01f, 5.946460962e-01f, 6.283950806e-01f,
    6.614289880e-01f, 6.931471825e-01f};
// (log1p(z) - z) / z^2 on [-0.027, 5/32]: log1p(z) has a relative error of 6e-8.
constexpr float kLog1p[] = {1.567636877e-01f, -2.463768721e-01f, 3.332811296e-01f,
                            -5.000026226e-01f};
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

// A register of each of several streams: rows, planes, or parts of one.
template <int32_t kStreams>
struct Group {
  Pack of[kStreams];
};

// Before a loop over the streams of a group, so that the compiler interleaves them.
#define EFL_UNROLL _Pragma("GCC unroll 8")

#define EFL_GROUP_OPERATOR(op)                                                      \
  template <int32_t kStreams>                                                       \
  EFL_INLINE Group<kStreams> operator op(Group<kStreams> a, Group<kStreams> b) {    \
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) a.of[r] = a.of[r] op b.of[r]; \
    return a;                                                                       \
  }
EFL_GROUP_OPERATOR(+)
EFL_GROUP_OPERATOR(-)
EFL_GROUP_OPERATOR(*)
EFL_GROUP_OPERATOR(/)
#undef EFL_GROUP_OPERATOR

template <int32_t kStreams>
EFL_INLINE Group<kStreams> operator-(Group<kStreams> a) {
  EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) a.of[r] = -a.of[r];
  return a;
}

template <int32_t kStreams>
EFL_INLINE Pack sum_of_rows(Group<kStreams> a) {
  Pack sum = a.of[0];
  EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) if (r > 0) sum += a.of[r];
  return sum;
}

template <int32_t kStreams>
EFL_INLINE Pack sum_of_products(Group<kStreams> a, Group<kStreams> b) {
  Pack sum = a.of[0] * b.of[0];
  EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) if (r > 0) sum =
      multiply_add(a.of[r], b.of[r], sum);
  return sum;
}

// What needs no care: |u| <= kPlainLogit, gamma <= kPlainGamma, and weights up to kPlainWeight,
// with which the sum of a few losses or gradients is finite.
constexpr float kPlainLogit = 128;  // exp(-128) is 0 in float32
constexpr float kPlainGamma = 700;  // the steps of 700 softplus(128) / ln 2 can be counted
constexpr float kPlainWeight = 0x1p100f;
constexpr float kLowLogit = -1.875f;  // exp(kLowLogit) < 5/32

// Where u lies. Each domain lies in the one before and leaves out what cannot happen there; what is
// left is the same, to the last bit.
enum class Domain {
  kAny,    // infinities and NaN, too
  kPlain,  // as above: nothing can overflow, and no bound need be kept
  kLow     // u in [-kPlainLogit, kLowLogit], where learnt negatives are
};

// kSquare: gamma is 2 for every class, and sigma^gamma is a product.
template <int32_t kStreams, bool kSquare, Domain kDomain>
struct GroupMath {
  using Real = Group<kStreams>;
  static constexpr bool kBounded = kDomain != Domain::kAny;
  static constexpr bool kLow = kDomain == Domain::kLow;
  static constexpr bool kCommonDenominator = kHasTables && !kSquare;

  EFL_INLINE Real same(Pack a) {
    Real result;
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) result.of[r] = a;
    return result;
  }
  EFL_INLINE Real constant(float value) { return same(broadcast(value)); }
  EFL_INLINE Real absolute(Real a) {
    if constexpr (kLow) return -a;
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) a.of[r] = ::absolute(a.of[r]);
    return a;
  }
  EFL_INLINE Real positive_part(Real a) {
    if constexpr (kLow) return same(-Pack{});  // adding -0 changes no number
    return maximum(constant(0), a);
  }
  EFL_INLINE Real cap(Real a) {
    if constexpr (kBounded) return a;
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) a.of[r] =
        ::minimum(broadcast(kPlainLogit), a.of[r]);
    return a;
  }
  // max(0, -a), capped, for `positive` = max(0, a).
  EFL_INLINE Real negative_part(Real a, Real positive) {
    if constexpr (kLow) return -a;
    if constexpr (kBounded) return positive - a;
    return cap(maximum(constant(0), -a));
  }
  EFL_INLINE Real select_negative(Real a, Real yes, Real no) {
    if constexpr (kLow) return yes;
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) a.of[r] =
        ::select_negative(a.of[r], yes.of[r], no.of[r]);
    return a;
  }
  EFL_INLINE Real multiply_add(Real a, Real b, Real c) {
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) a.of[r] =
        ::multiply_add(a.of[r], b.of[r], c.of[r]);
    return a;
  }
  EFL_INLINE Real reciprocal(Real a) {
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) a.of[r] = ::reciprocal(a.of[r]);
    return a;
  }

  // By the sign bit, also where nothing is known of it.
  EFL_INLINE Real where_negative(Real a, Real yes, Real no) {
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) a.of[r] =
        ::select_negative(a.of[r], yes.of[r], no.of[r]);
    return a;
  }
  // `value`, or what is not a number.
  EFL_INLINE Real unless_nan(Real a, Real value) {
    if constexpr (kBounded) return value;
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) value.of[r] =
        select(a.of[r] == a.of[r], value.of[r], a.of[r]);
    return value;
  }

  // log(a) for normal a up to 1: that of the power of two in it, and log1p of what is left.
  EFL_INLINE Real log_unit(Real a) {
    Real exponent;
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
      const Bits bits = bits_of(a.of[r]);
      exponent.of[r] = exponent_of(bits);
      a.of[r] = pack_of((bits & 0x007fffff) | 0x3f800000) - broadcast(1.0f);
    }
    return multiply_add(exponent, constant(kLn2), Unbounded::log1p_unit(a));
  }
  // log1p(a) for a in [0, 2^24]: 1 + a is 2^k (1 + z).
  EFL_INLINE Real log1p_positive(Real a) {
    Real exponent;
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
      const Bits bits = bits_of(a.of[r] + broadcast(1.0f));
      exponent.of[r] = exponent_of(bits);
      const Pack scale = pack_of((Bits{} + 0x7f000000) - (bits & 0x7f800000));
      a.of[r] = ::multiply_add(a.of[r], scale, scale - broadcast(1.0f));
    }
    return multiply_add(exponent, constant(kLn2), Unbounded::log1p_unit(a));
  }

  // exp(-a) for a in [0, 128].
  EFL_INLINE Real exp_of_minus(Real a) {
    const Real shifted = multiply_add(a, constant(-kLog2E), constant(kStepShift));
    const Real n = shifted - constant(kStepShift);
#if defined(EFL_HAS_FMA)
    const Real rest = multiply_add(n, constant(-kLn2), -a);
#else
    const Real rest = (n * constant(-kLn2High) - a) + n * constant(-kLn2Low);
#endif
    return exp_near_step(rest) * powers_of_two(shifted, n);
  }

  // log1p(a) for a in [0, 1].
  EFL_INLINE Real log1p_unit(Real a) {
#if defined(EFL_AVX512)
    if constexpr (kLow) return log1p_near_0(a, a);
    Real inverse, logarithm;
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
      const Pack shifted = a.of[r] + broadcast(kLogarithmShift);
      inverse.of[r] = look_up(kInversesLessOne, shifted);
      logarithm.of[r] = look_up(kLogarithms, shifted);
    }
    const Real z = multiply_add(inverse, a + constant(1), a);
    return log1p_near_0(z, logarithm + z);
#else
    return a * polynomial(kLog1p, a);
#endif
  }

  EFL_INLINE Real select_zero(Real a, Real yes, Real no) {
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) a.of[r] =
        select(a.of[r] == 0, yes.of[r], no.of[r]);
    return a;
  }

  // log(a) for a in (0, 1], as a sum: high is a whole number of steps that float32 holds exactly.
  EFL_INLINE void split_log_unit(Real a, Real* high, Real* low) {
    Real exponent, fraction;
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
      const Bits bits = bits_of(a.of[r]);
      exponent.of[r] = __builtin_convertvector((bits >> 23) - 127, Pack);
      fraction.of[r] = pack_of((bits & 0x007fffff) | 0x3f800000);
    }
    *high = exponent * constant(kLn2High);
    *low = multiply_add(exponent, constant(kLn2Low), log1p_unit(fraction - constant(1)));
  }

  // weight sigma^gamma = weight 2^(-gamma log2(e) (a + b)) for -log(sigma) = a + b, a in [0, 128],
  // b in [0, ln 2]. A rounded product would cost the result a relative error that grows with the
  // exponent, so what is left of the exponent beside n is formed from exact products.
  EFL_INLINE Real power(Real weight, Real sigma, Real gamma, Real a, Real b) {
    if constexpr (kSquare) return weight * (sigma * sigma);
    const Real factor = gamma * constant(-kLog2E);
    const Real factor_rest =
        product_errors(gamma, constant(-kLog2E), factor) - gamma * constant(kLog2ERest);
    Real shifted = multiply_add(factor, a + b, constant(kStepShift));
    // Below 2^-1000 the result is 0; the bound keeps n where its steps can be counted.
    if constexpr (!kBounded) shifted = maximum(constant(kStepShift - 1000), shifted);
    const Real n = shifted - constant(kStepShift);
    Real rest = difference_of_product(factor, a, n) + multiply_add(factor, b, factor_rest * a);
    if constexpr (!kBounded) {
      // Only results that are 0 anyway have a large rest; it must not become infinity times 0.
      EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) rest.of[r] =
          ::minimum(broadcast(1.0f), ::maximum(broadcast(-1.0f), rest.of[r]));
    }
    return weighted_power_of_two(weight, rest, shifted, n);
  }

 private:
  using Unbounded = GroupMath<kStreams, kSquare, Domain::kPlain>;  // of any argument in [0, 1]

  // Of positive normal numbers.
  EFL_INLINE Pack exponent_of(Bits bits) {
    return __builtin_convertvector((bits >> 23) - 127, Pack);
  }
  EFL_INLINE Real maximum(Real a, Real b) {
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) a.of[r] = ::maximum(a.of[r], b.of[r]);
    return a;
  }

#if defined(EFL_AVX512)
  // first + (log1p(z) - z), in pairs: the rows of a group do not hide the latency of one long sum.
  EFL_INLINE Real log1p_near_0(Real z, Real first) {
    const Real square = z * z;
    const Real low = multiply_add(constant(kLog1p[2]), z, constant(kLog1p[3]));
    const Real high = multiply_add(constant(kLog1p[0]), z, constant(kLog1p[1]));
    return multiply_add(multiply_add(high, square, low), square, first);
  }
#endif

  EFL_INLINE Real exp_near_step(Real rest) {
#if defined(EFL_AVX512)
    return multiply_add(polynomial(kExp, rest), rest, constant(1));
#else
    return polynomial(kExp, rest);
#endif
  }
  // 2^n, where `shifted` counts the steps of n.
  EFL_INLINE Real powers_of_two(Real shifted, Real n) {
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
#if defined(EFL_AVX512)
      n.of[r] = _mm512_scalef_ps(look_up(kPowers, shifted.of[r]), n.of[r]);
#else
      n.of[r] = pack_of(bits_of(::maximum(broadcast(kStepShift - 127.0f), shifted.of[r])) << 23);
#endif
    }
    return n;
  }

  // weight 2^(n + rest). 2^n comes last: whatever is multiplied before may be flushed to 0.
  EFL_INLINE Real weighted_power_of_two(Real weight, Real rest, Real shifted, Real n) {
    // What 2^n is multiplied with is up to twice the weight, which may be the largest float.
    if constexpr (!kBounded) weight = weight * constant(0.5f);
#if defined(EFL_AVX512)
    Real step;
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) step.of[r] = look_up(kPowers, shifted.of[r]);
    step = step * weight;
    if constexpr (!kBounded) n = n + constant(1);
    Real value = multiply_add(polynomial(kExp2, rest) * rest, step, step);
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) value.of[r] =
        _mm512_scalef_ps(value.of[r], n.of[r]);
    return value;
#else
    const Real value = polynomial(kExp2, rest) * weight;
    Real power = powers_of_two(shifted, n);
    if constexpr (!kBounded) power = power * constant(2);
    return value * power;
#endif
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
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) a.of[r] =
        product_error(a.of[r], b.of[r], product.of[r]);
    return a;
  }

  template <int32_t kCount>
  EFL_INLINE Real polynomial(const float (&highest_first)[kCount], Real x) {
    Real value = constant(highest_first[0]);
    _Pragma("GCC unroll 16") for (int32_t i = 1; i < kCount; ++i) {
      const Pack coefficient = broadcast(highest_first[i]);
      EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) value.of[r] =
          ::multiply_add(value.of[r], x.of[r], coefficient);
    }
    return value;
  }
};

}  // namespace
