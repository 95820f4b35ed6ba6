// What the gradient statistics make of a class, once for every backend.
#pragma once

#include <stdint.h>

#include <cstring>

#include "host_device.h"
#include "loss_math.h"
#include "scalar_math.h"

namespace efl {

// How the statistics change the parameters of a class.
enum class Rule {
  kFixed = 0,           // not at all
  kEqualizedFocal = 1,  // more focus and more weight for rare classes
  kEqualizationV2 = 2   // less weight for their negatives, more for their positives
};

inline const char* name_of(Rule rule) {
  switch (rule) {
    case Rule::kFixed:
      return "fixed";
    case Rule::kEqualizedFocal:
      return "equalizedFocal";
    case Rule::kEqualizationV2:
      break;
  }
  return "equalizationV2";
}

struct ClassRule {
  Rule rule;
  double gamma;                                       // gamma_b
  double scale_factor;                                // s of kEqualizedFocal
  double map_steepness, map_midpoint, positive_gain;  // of kEqualizationV2
  double decay;                                       // factor on the sums before a step is added
  int64_t start_after;                                // so many steps leave the ratios as they are
};

// Whether the step after so many others leaves the ratios as they are.
EFL_HOST_DEVICE bool holds_ratios(const ClassRule& of, int64_t steps) {
  return steps < of.start_after;
}

// The most steps a state counts, and then goes on with: what a double, as which JavaScript has it,
// holds to the last one.
constexpr int64_t kMostSteps = (int64_t{1} << 53) - 1;

EFL_HOST_DEVICE int64_t more_steps(int64_t steps, int64_t more) {
  return more < kMostSteps - steps ? steps + more : kMostSteps;
}

// float64 whose exponential the compiler can compute for several classes at once. Its relative
// error is 4e-16; beyond exp(+-708), where f has long been 0 or 1, it stays what it is there.
struct RuleMath : ScalarMath {
  EFL_HOST_DEVICE static double exp_of_minus(double a) {
    constexpr double kMost = 708, kLog2E = 1.4426950408889634;
    constexpr double kLn2High = 6.93147180369123816490e-01, kLn2Low = 1.90821492927058770002e-10;
    constexpr double kShift = 6755399441055744.0;  // 1.5 2^52: the sum has an integer's bits below
    const double x = maximum(-kMost, minimum(kMost, -a));
    const double shifted = x * kLog2E + kShift;
    const double n = shifted - kShift;
    const double r = (x - n * kLn2High) - n * kLn2Low;  // in [-ln 2 / 2, ln 2 / 2]
    // The series of exp, its even and its odd terms side by side.
    const double r2 = r * r;
    double even = 1.0 / 479001600.0, odd = 1.0 / 6227020800.0;
    even = even * r2 + 1.0 / 3628800.0;
    odd = odd * r2 + 1.0 / 39916800.0;
    even = even * r2 + 1.0 / 40320.0;
    odd = odd * r2 + 1.0 / 362880.0;
    even = even * r2 + 1.0 / 720.0;
    odd = odd * r2 + 1.0 / 5040.0;
    even = even * r2 + 1.0 / 24.0;
    odd = odd * r2 + 1.0 / 120.0;
    even = even * r2 + 0.5;
    odd = odd * r2 + 1.0 / 6.0;
    even = even * r2 + 1.0;
    odd = odd * r2 + 1.0;
    uint64_t bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 1023) << 52;  // 2^n
    double power;
    std::memcpy(&power, &bits, sizeof power);
    return (even + odd * r) * power;
  }
};

// Gamma_j, and the factors on the weights of a class.
struct ClassFactors {
  double gamma, positive, negative;
};

// As the kernels compute with it. Beyond 1e30 (1 - p_t)^gamma is 0 wherever 1 - p_t < 1 in float32;
// up to there gamma times a logit stays finite.
EFL_HOST_DEVICE float float_gamma(double gamma) {
  return static_cast<float>(gamma < 1e30 ? gamma : 1e30);
}

// A sum of gradients with more added to it. It stays finite: a state can be saved and loaded, and g
// is a number, whatever upstream gradients and weights were given.
EFL_HOST_DEVICE double accumulated(double sum, double more) {
  constexpr double kLargest = 1.7976931348623157e308;
  const double total = sum + more;
  return total < kLargest ? total : kLargest;
}

// The ratio of a class without statistics: that of a balanced one. f is 1 at 100.
EFL_HOST_DEVICE double initial_ratio(Rule rule) {
  return rule == Rule::kEqualizationV2 ? 100.0 : 1.0;
}

EFL_HOST_DEVICE double class_ratio(Rule rule, double positive, double negative) {
  return rule == Rule::kEqualizationV2 ? unbounded_ratio(positive, negative)
                                       : gradient_ratio(positive, negative);
}

EFL_HOST_DEVICE ClassFactors class_factors(const ClassRule& of, double ratio) {
  switch (of.rule) {
    case Rule::kEqualizedFocal: {
      const double gamma = focusing_factor(of.gamma, of.scale_factor, ratio);
      const double weight = weighting_factor(gamma, of.gamma);
      return {gamma, weight, weight};
    }
    case Rule::kEqualizationV2: {
      const double share = negative_share<RuleMath>(of.map_steepness, of.map_midpoint, ratio);
      return {of.gamma, positive_factor(of.positive_gain, share), share};
    }
    case Rule::kFixed:
      break;
  }
  return {of.gamma, 1.0, 1.0};
}

}  // namespace efl
