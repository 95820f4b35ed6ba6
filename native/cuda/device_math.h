// The Math policy of loss_math.h on the GPU: one float32 element, and for all transcendental
// functions the exponential and the reciprocal of the special-function unit, three instructions of
// it. log1p is a polynomial: through the unit's logarithm easy negatives would lose their digits.
#pragma once

#include <cmath>

#include "device.h"

namespace efl::cuda {

constexpr float kLog2E = 1.44269504f;

#if defined(EFL_PERTURB) && !defined(__CUDA_ARCH__)
float perturb(float exact);  // a test's: adds errors as large as those of the hardware
#else
EFL_DEVICE float perturb(float exact) { return exact; }
#endif

// 2^a; below the normal range 0. Relative error 2^-22.
EFL_DEVICE float exp2_approximately(float a) {
#if defined(__CUDA_ARCH__)
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(a));
  return result;
#else
  const float result = perturb(std::exp2(a));
  return std::fabs(result) < 1.17549435e-38f ? 0.0f : result;
#endif
}

// 1 / a for a in [1, 2]. Relative error 2^-23.
EFL_DEVICE float reciprocal_approximately(float a) {
#if defined(__CUDA_ARCH__)
  float result;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(a));
  return result;
#else
  return perturb(1.0f / a);
#endif
}

struct DeviceMath {
  using Real = float;
  static constexpr bool kCommonDenominator = false;
  static constexpr Real kSaturation = 128;  // exp(-128) is 0

  static EFL_DEVICE Real constant(float value) { return value; }
  static EFL_DEVICE Real absolute(Real a) { return fabsf(a); }
  // Unlike fminf and fmaxf these hand on what is not a number.
  static EFL_DEVICE Real minimum(Real a, Real b) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    Real result;
    asm("min.NaN.f32 %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));
    return result;
#else
    return a < b ? a : b;
#endif
  }
  static EFL_DEVICE Real maximum(Real a, Real b) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    Real result;
    asm("max.NaN.f32 %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));
    return result;
#else
    return a > b ? a : b;
#endif
  }
  static EFL_DEVICE Real positive_part(Real a) { return maximum(0, a); }
  static EFL_DEVICE Real select_negative(Real a, Real yes, Real no) { return a < 0 ? yes : no; }
  static EFL_DEVICE Real cap(Real a) { return minimum(kSaturation, a); }
  // By way of |a|, which is there already: fewer registers.
  static EFL_DEVICE Real negative_part(Real a, Real positive) {
    return fmaxf(0, cap(absolute(a)) - positive);
  }
  static EFL_DEVICE Real multiply_add(Real a, Real b, Real c) { return fmaf(a, b, c); }
  // Of the losses that only general kernels have.
  static EFL_DEVICE Real log_unit(Real a) { return logf(a); }
  static EFL_DEVICE Real log1p_positive(Real a) { return log1pf(a); }
  static EFL_DEVICE Real where_negative(Real a, Real yes, Real no) { return a < 0 ? yes : no; }
  static EFL_DEVICE Real unless_nan(Real a, Real value) { return a == a ? value : a; }
  static EFL_DEVICE Real reciprocal(Real a) { return reciprocal_approximately(a); }
  static EFL_DEVICE Real exp_of_minus(Real a) { return exp2_approximately(a * -kLog2E); }
  static EFL_DEVICE Real power(Real weight, Real, Real gamma, Real a, Real b) {
    return weight * exp2_approximately(gamma * -kLog2E * (a + b));
  }

  // For a in [0, 1], by a minimax polynomial of log1p(a) / a; relative error 3e-8 before rounding.
  static EFL_DEVICE Real log1p_unit(Real a) {
    Real value = 5.232694093e-03f;
    value = fmaf(value, a, -2.950523980e-02f);
    value = fmaf(value, a, 7.822595537e-02f);
    value = fmaf(value, a, -1.366324574e-01f);
    value = fmaf(value, a, 1.910600662e-01f);
    value = fmaf(value, a, -2.484298348e-01f);
    value = fmaf(value, a, 3.331909776e-01f);
    value = fmaf(value, a, -4.999949038e-01f);
    value = fmaf(value, a, 1.0f);
    return value * a;
  }
};

// The same for logits up to kPlainLogit and gammas up to kPlainGamma: nothing can overflow, and no
// bound need be kept.
constexpr float kPlainLogit = 1e15f;
constexpr float kPlainGamma = 1e9f;

struct PlainDeviceMath : DeviceMath {
  static EFL_DEVICE Real minimum(Real a, Real b) { return fminf(a, b); }
  static EFL_DEVICE Real maximum(Real a, Real b) { return fmaxf(a, b); }
  static EFL_DEVICE Real positive_part(Real a) { return maximum(0, a); }
  static EFL_DEVICE Real cap(Real a) { return a; }
  static EFL_DEVICE Real negative_part(Real a, Real positive) { return absolute(a) - positive; }
  static EFL_DEVICE Real exp2(Real a) { return exp2_approximately(a); }

  // log2(1 + a) for a in [0, 1], by a minimax polynomial of log2(1 + a) / a; relative error 1.3e-6,
  // which 16-bit results do not show.
  static EFL_DEVICE Real log2_1p_unit(Real a) {
    Real value = 2.040116675e-02f;
    value = fmaf(value, a, -9.579749405e-02f);
    value = fmaf(value, a, 2.152844816e-01f);
    value = fmaf(value, a, -3.390889764e-01f);
    value = fmaf(value, a, 4.776683748e-01f);
    value = fmaf(value, a, -7.211594582e-01f);
    value = fmaf(value, a, 1.442693233e+00f);
    return value * a;
  }
};

}  // namespace efl::cuda
