// The Math policy of loss_math.h for one float64 number, with the C library's functions.
#pragma once

#include <cmath>

#include "host_device.h"

namespace efl {

struct ScalarMath {
  using Real = double;
  static constexpr double kSaturation = 800;  // exp(-800) is 0 in float64

  static Real constant(double value) { return value; }
  static Real absolute(Real a) { return std::fabs(a); }
  static Real minimum(Real a, Real b) { return a < b ? a : b; }
  static Real maximum(Real a, Real b) { return a > b ? a : b; }
  static Real select_negative(Real a, Real yes, Real no) { return std::signbit(a) ? yes : no; }
  static Real select_zero(Real a, Real yes, Real no) { return a == 0 ? yes : no; }
  static Real exp_nonpositive(Real a) { return std::exp(a); }
  static Real log1p_unit(Real a) { return std::log1p(a); }
  static Real log_unit(Real a) { return std::log(a); }
  // exp(-gamma (a + b))
  static Real power(Real, Real gamma, Real a, Real b) { return std::exp(-gamma * (a + b)); }
};

}  // namespace efl
