// The Math policy of loss_math.h for a register of float32.
//
// exp and log1p are only ever wanted on a short domain (x <= 0, and [0, 1]), where a polynomial
// without branches is both faster and as exact as the C library's general functions. Coefficients
// are minimax fits; the relative error of each function is about 1e-7.
#pragma once

#include "pack.h"

namespace {

template <int32_t kCount>
EFL_INLINE Pack polynomial(const float (&highest_first)[kCount], Pack x) {
  Pack value = broadcast(highest_first[0]);
  for (int32_t i = 1; i < kCount; ++i) value = multiply_add(value, x, broadcast(highest_first[i]));
  return value;
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

struct PackMath {
  using Real = Pack;
  static constexpr float kSaturation = 128;  // exp(-128) is 0 in float32

  EFL_INLINE Pack constant(float value) { return broadcast(value); }
  EFL_INLINE Pack absolute(Pack a) { return ::absolute(a); }
  EFL_INLINE Pack minimum(Pack a, Pack b) { return ::minimum(a, b); }
  EFL_INLINE Pack maximum(Pack a, Pack b) { return ::maximum(a, b); }
  EFL_INLINE Pack select_negative(Pack a, Pack yes, Pack no) {
    return select(bits_of(a) < 0, yes, no);
  }

  // exp(a) for a in [-128, 0].
  EFL_INLINE Pack exp_nonpositive(Pack a) {
    const Pack n = round_to_integer(a * kLog2E);
    const Pack remainder =
        multiply_add(n, broadcast(-kLn2Low), multiply_add(n, broadcast(-kLn2High), a));
    return times_power_of_two(polynomial(kExp, remainder), n);
  }

  EFL_INLINE Pack log1p_unit(Pack a) { return a * polynomial(kLog1p, a); }

  // exp(-gamma (a + b)) for a in [0, 128], b in [0, ln 2]. A rounded product would cost the result
  // a relative error that grows with the exponent, so the error of gamma a is carried along.
  EFL_INLINE Pack exp_minus_product(Pack gamma, Pack a, Pack b) {
    const Pack first = gamma * a;
    const Pack first_error = product_error(gamma, a, first);
    const Pack second = gamma * b;
    // Below 2^-1000 the result is 0; the bound keeps n where rounding and n ln 2 are exact.
    const Pack n = round_to_integer(maximum(broadcast(-1000.0f), (first + second) * -kLog2E));
    Pack remainder = multiply_add(n, broadcast(-kLn2High), -first);
    remainder = remainder - second;
    remainder = multiply_add(n, broadcast(-kLn2Low), remainder) - first_error;
    // Only results that are 0 anyway have a large remainder; it must not become infinity times 0.
    remainder = minimum(broadcast(1.0f), maximum(broadcast(-1.0f), remainder));
    return times_power_of_two(polynomial(kExp, remainder), n);
  }
};

}  // namespace
