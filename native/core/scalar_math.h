// The Math policies of loss_math.h for one number, with the C library's functions.
#pragma once

#include <cmath>

#include "host_device.h"

namespace efl {

// All but the power; exp(-kCap) is 0.
template <class Number, int kCap>
struct BasicScalarMath {
  using Real = Number;
  static constexpr bool kCommonDenominator = false;

  EFL_HOST_DEVICE static Real constant(Real value) { return value; }
  EFL_HOST_DEVICE static Real absolute(Real a) { return std::fabs(a); }
  EFL_HOST_DEVICE static Real minimum(Real a, Real b) { return a < b ? a : b; }
  EFL_HOST_DEVICE static Real maximum(Real a, Real b) { return a > b ? a : b; }
  EFL_HOST_DEVICE static Real positive_part(Real a) { return maximum(0, a); }
  EFL_HOST_DEVICE static Real select_negative(Real a, Real yes, Real no) {
    return std::signbit(a) ? yes : no;
  }
  EFL_HOST_DEVICE static Real select_zero(Real a, Real yes, Real no) { return a == 0 ? yes : no; }
  EFL_HOST_DEVICE static Real cap(Real a) { return minimum(kCap, a); }
  // max(0, -a), capped, for `positive` = max(0, a).
  EFL_HOST_DEVICE static Real negative_part(Real a, Real) { return cap(maximum(0, -a)); }
  EFL_HOST_DEVICE static Real multiply_add(Real a, Real b, Real c) { return a * b + c; }
  EFL_HOST_DEVICE static Real reciprocal(Real a) { return 1 / a; }
  EFL_HOST_DEVICE static Real exp_of_minus(Real a) { return std::exp(-a); }
  EFL_HOST_DEVICE static Real log1p_unit(Real a) { return std::log1p(a); }
  EFL_HOST_DEVICE static Real log_unit(Real a) { return std::log(a); }
  // The same as a sum of two numbers, for a power that needs more digits than one of them has.
  EFL_HOST_DEVICE static void split_log_unit(Real a, Real* high, Real* low) {
    *high = std::log(a);
    *low = 0;
  }
  EFL_HOST_DEVICE static Real log1p_positive(Real a) { return std::log1p(a); }
  EFL_HOST_DEVICE static Real where_negative(Real a, Real yes, Real no) { return a < 0 ? yes : no; }
  EFL_HOST_DEVICE static Real unless_nan(Real a, Real value) { return std::isnan(a) ? a : value; }
};

// float64: the reference that every kernel is held against, and soft targets.
struct ScalarMath : BasicScalarMath<double, 800> {
  // weight exp(-gamma (a + b))
  EFL_HOST_DEVICE static Real power(Real weight, Real, Real gamma, Real a, Real b) {
    return weight * std::exp(-gamma * (a + b));
  }
};

// float32, for the scalar kernels.
struct ScalarFloatMath : BasicScalarMath<float, 128> {
  // In float64: a rounded exponent would cost a relative error that grows with it.
  EFL_HOST_DEVICE static Real power(Real weight, Real, Real gamma, Real a, Real b) {
    return weight * static_cast<Real>(ScalarMath::power(1, 0, gamma, a, b));
  }
};

}  // namespace efl
