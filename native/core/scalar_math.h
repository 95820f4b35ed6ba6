// The Math policies of loss_math.h for one number, with the C library's functions.
#pragma once

#include <cmath>

#include "host_device.h"

namespace efl {

// float64: the reference that every kernel is held against, and soft targets.
struct ScalarMath {
  using Real = double;
  static constexpr Real kSaturation = 800;  // exp(-800) is 0

  EFL_HOST_DEVICE static Real constant(double value) { return value; }
  EFL_HOST_DEVICE static Real absolute(Real a) { return std::fabs(a); }
  EFL_HOST_DEVICE static Real minimum(Real a, Real b) { return a < b ? a : b; }
  EFL_HOST_DEVICE static Real maximum(Real a, Real b) { return a > b ? a : b; }
  EFL_HOST_DEVICE static Real select_negative(Real a, Real yes, Real no) {
    return std::signbit(a) ? yes : no;
  }
  EFL_HOST_DEVICE static Real select_zero(Real a, Real yes, Real no) { return a == 0 ? yes : no; }
  EFL_HOST_DEVICE static Real cap(Real a) { return minimum(kSaturation, a); }
  // max(0, a - b)
  EFL_HOST_DEVICE static Real excess(Real a, Real b) { return maximum(0, a - b); }
  EFL_HOST_DEVICE static Real multiply_add(Real a, Real b, Real c) { return a * b + c; }
  EFL_HOST_DEVICE static Real reciprocal(Real a) { return 1 / a; }
  EFL_HOST_DEVICE static Real exp_of_minus(Real a) { return std::exp(-a); }
  EFL_HOST_DEVICE static Real log1p_unit(Real a) { return std::log1p(a); }
  EFL_HOST_DEVICE static Real log_unit(Real a) { return std::log(a); }
  // exp(-gamma (a + b))
  EFL_HOST_DEVICE static Real power(Real, Real gamma, Real a, Real b) {
    return std::exp(-gamma * (a + b));
  }
};

// float32, for the scalar kernels.
struct ScalarFloatMath {
  using Real = float;
  static constexpr Real kSaturation = 128;  // exp(-128) is 0

  EFL_HOST_DEVICE static Real constant(float value) { return value; }
  EFL_HOST_DEVICE static Real absolute(Real a) { return std::fabs(a); }
  EFL_HOST_DEVICE static Real minimum(Real a, Real b) { return a < b ? a : b; }
  EFL_HOST_DEVICE static Real maximum(Real a, Real b) { return a > b ? a : b; }
  EFL_HOST_DEVICE static Real select_negative(Real a, Real yes, Real no) {
    return std::signbit(a) ? yes : no;
  }
  EFL_HOST_DEVICE static Real cap(Real a) { return minimum(kSaturation, a); }
  EFL_HOST_DEVICE static Real excess(Real a, Real b) { return maximum(0, a - b); }
  EFL_HOST_DEVICE static Real multiply_add(Real a, Real b, Real c) { return a * b + c; }
  EFL_HOST_DEVICE static Real reciprocal(Real a) { return 1 / a; }
  EFL_HOST_DEVICE static Real exp_of_minus(Real a) { return std::exp(-a); }
  EFL_HOST_DEVICE static Real log1p_unit(Real a) { return std::log1p(a); }
  // In float64: a rounded exponent would cost a relative error that grows with it.
  EFL_HOST_DEVICE static Real power(Real, Real gamma, Real a, Real b) {
    return static_cast<Real>(ScalarMath::power(0, gamma, a, b));
  }
};

}  // namespace efl
