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

constexpr float kLog2E = 1.44269504f;
// ln 2 in two parts, the first short enough that its products with small integers are exact.
constexpr float kLn2High = 0.693359375f;
constexpr float kLn2Low = -2.12194440e-4f;

// exp on [-ln 2 / 2, ln 2 / 2].
constexpr float kExp[] = {1.381829847e-03f,
                          8.368532173e-03f,
                          4.166829213e-02f,
                          1.666652262e-01f,
                          4.999999404e-01f,
                          1.0f,
                          1.0f};
// log1p(t) / t on [0, 1].
constexpr float kLog1p[] = {
    -3.300962737e-03f, 2.012670785e-02f,  -5.752065778e-02f, 1.066631228e-01f,  -1.534723341e-01f,
    1.969268322e-01f,  -2.495808899e-01f, 3.333046734e-01f,  -4.999993145e-01f, 1.0f};

// kSquare: gamma is 2 for every class, and sigma^gamma is a product.
template <int32_t kRows, bool kSquare>
struct GroupMath {
  using Real = Group<kRows>;
  static constexpr float kSaturation = 128;  // exp(-128) is 0 in float32

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
  EFL_INLINE Real minimum(Real a, Real b) {
    EFL_EACH_ROW a.row[r] = ::minimum(a.row[r], b.row[r]);
    return a;
  }
  EFL_INLINE Real maximum(Real a, Real b) {
    EFL_EACH_ROW a.row[r] = ::maximum(a.row[r], b.row[r]);
    return a;
  }
  EFL_INLINE Real select_negative(Real a, Real yes, Real no) {
    EFL_EACH_ROW a.row[r] = ::select_negative(a.row[r], yes.row[r], no.row[r]);
    return a;
  }

  // exp(a) for a in [-128, 0].
  EFL_INLINE Real exp_nonpositive(Real a) {
    Real n;
    EFL_EACH_ROW n.row[r] = round_to_integer(a.row[r] * kLog2E);
    return exp_of_parts(n, a, constant(0));
  }

  EFL_INLINE Real log1p_unit(Real a) { return a * polynomial(kLog1p, a); }

  // sigma^gamma = exp(-gamma (a + b)) for -log(sigma) = a + b, a in [0, 128], b in [0, ln 2]. A
  // rounded product would cost the result a relative error that grows with the exponent, so the
  // error of gamma a is carried along.
  EFL_INLINE Real power(Real sigma, Real gamma, Real a, Real b) {
    if constexpr (kSquare) return sigma * sigma;
    const Real first = gamma * a;
    const Real second = gamma * b;
    Real n, rest;
    EFL_EACH_ROW {
      // Below 2^-1000 the result is 0; the bound keeps n where rounding and n ln 2 are exact.
      const Pack exponent = (first.row[r] + second.row[r]) * -kLog2E;
      n.row[r] = round_to_integer(::maximum(broadcast(-1000.0f), exponent));
      rest.row[r] = second.row[r] + product_error(gamma.row[r], a.row[r], first.row[r]);
    }
    return exp_of_parts(n, -first, rest);
  }

 private:
  // exp(a - b) for n, the integer next to (a - b) / ln 2.
  EFL_INLINE Real exp_of_parts(Real n, Real a, Real b) {
    Real remainder;
    EFL_EACH_ROW {
      const Pack high = multiply_add(n.row[r], broadcast(-kLn2High), a.row[r]) - b.row[r];
      const Pack whole = multiply_add(n.row[r], broadcast(-kLn2Low), high);
      // Only results that are 0 anyway have a large remainder; it must not become infinity times 0.
      remainder.row[r] = ::minimum(broadcast(1.0f), ::maximum(broadcast(-1.0f), whole));
    }
    const Real fraction = polynomial(kExp, remainder);
    Real result;
    EFL_EACH_ROW result.row[r] = times_power_of_two(fraction.row[r], n.row[r]);
    return result;
  }

  template <int32_t kCount>
  EFL_INLINE Real polynomial(const float (&highest_first)[kCount], Real x) {
    Real value = constant(highest_first[0]);
    _Pragma("GCC unroll 16") for (int32_t i = 1; i < kCount; ++i) {
      const Pack coefficient = broadcast(highest_first[i]);
      EFL_EACH_ROW value.row[r] = multiply_add(value.row[r], x.row[r], coefficient);
    }
    return value;
  }
};

}  // namespace
