// The paper's equations, once for every backend and for the tests.
//
// Li et al., "Equalized Focal Loss for Dense Long-Tailed Object Detection", CVPR 2022.
// Each function is a template over a `Math` policy that says what a number is (a float, a double, a
// register full of floats) and how exp, log1p and the like are computed there. A policy may be for
// a part of all numbers and leave out what cannot happen there: Domain in cpu/group_math.h.
#pragma once

#include "host_device.h"
#include "problem.h"

namespace efl {

// The addend is the official one; it also makes a class without any gradient a rare class.
EFL_HOST_DEVICE double unbounded_ratio(double positive, double negative) {
  constexpr double kLargest = 1.7976931348623157e308;  // a state has no infinity
  const double ratio = positive / (negative + 1e-10);
  return ratio < kLargest ? ratio : kLargest;
}

// Section 3.2: g_j = clamp(positive |gradient| / negative |gradient|, 0, 1).
EFL_HOST_DEVICE double gradient_ratio(double positive, double negative) {
  const double ratio = unbounded_ratio(positive, negative);
  return ratio < 1.0 ? ratio : 1.0;
}

// Equation 4: gamma_j = gamma_b + s (1 - g_j). A balanced class (g = 1) keeps gamma_b.
EFL_HOST_DEVICE double focusing_factor(double base_gamma, double scale_factor, double ratio) {
  return base_gamma + scale_factor * (1.0 - ratio);
}

// Equation 5: the weighting factor gamma_j / gamma_b gives back what more focus takes away.
EFL_HOST_DEVICE double weighting_factor(double focusing, double base_gamma) {
  return focusing / base_gamma;
}

// Equalization Loss v2 (Tan et al., CVPR 2021, section 3.3): the share of its negative gradient
// that a class with this ratio keeps, f(r) = 1 / (1 + exp(-steepness (r - midpoint))).
template <class Math>
EFL_HOST_DEVICE typename Math::Real negative_share(typename Math::Real steepness,
                                                   typename Math::Real midpoint,
                                                   typename Math::Real ratio) {
  return Math::reciprocal(Math::constant(1) + Math::exp_of_minus(steepness * (ratio - midpoint)));
}

// And by how much its positive gradient is raised: 1 + gain (1 - f(r)).
EFL_HOST_DEVICE double positive_factor(double gain, double share) {
  return 1.0 + gain * (1.0 - share);
}

// The loss is left as two factors: who sums it up multiplies and adds in one instruction.
template <class Math>
struct LossTerms {
  typename Math::Real scaled;         // w (1 - p_t)^gamma
  typename Math::Real cross_entropy;  // -log p_t
  typename Math::Real gradient;  // |dL/du|: never negative, so statistics need no absolute value

  EFL_HOST_DEVICE typename Math::Real loss() const { return scaled * cross_entropy; }
};

// What every loss is made of, from t = exp(-|x|) in (0, 1]: nothing overflows, and no difference of
// nearly equal numbers is taken. `magnitude` is |x|, capped where t is 0 for every use: the cap
// keeps infinities out of products. NaN passes through.
template <class Math>
struct Sigmoid {
  typename Math::Real magnitude;
  typename Math::Real t;
  typename Math::Real log1p_t;     // softplus(x) = max(0, x) + log1p(t)
  typename Math::Real reciprocal;  // 1 / (1 + t), sigma(|x|)
  typename Math::Real small;       // t / (1 + t), sigma(-|x|)
  typename Math::Real of_x;        // sigma(x)
  typename Math::Real of_minus_x;  // sigma(-x)
};

template <class Math>
EFL_HOST_DEVICE Sigmoid<Math> sigmoid(typename Math::Real x) {
  Sigmoid<Math> sigma;
  sigma.magnitude = Math::cap(Math::absolute(x));
  sigma.t = Math::exp_of_minus(sigma.magnitude);
  sigma.log1p_t = Math::log1p_unit(sigma.t);
  sigma.reciprocal = Math::reciprocal(Math::constant(1) + sigma.t);
  sigma.small = sigma.t * sigma.reciprocal;
  sigma.of_x = Math::select_negative(x, sigma.small, sigma.reciprocal);
  sigma.of_minus_x = Math::select_negative(x, sigma.reciprocal, sigma.small);
  return sigma;
}

// sigma(u) + gamma sigma(-u) softplus(u), the bracket in dL/du below, for softplus(u) in
// `cross_entropy`.
// Over its common denominator 1 + t, which is shorter where sigma itself is not wanted, it is
//   (t + gamma softplus(u)) / (1 + t) for u < 0, (1 + gamma softplus(u) t) / (1 + t) for u >= 0.
// Where softplus(u) passes the saturation sigma(-u) is 0; the cap avoids infinity times zero.
template <class Math>
EFL_HOST_DEVICE typename Math::Real focal_bracket(typename Math::Real u, typename Math::Real gamma,
                                                  typename Math::Real cross_entropy,
                                                  const Sigmoid<Math>& sigma) {
  using Real = typename Math::Real;
  const Real entropy = Math::cap(cross_entropy);
  if constexpr (Math::kCommonDenominator) {
    const Real if_negative = Math::multiply_add(gamma, entropy, sigma.t);
    const Real if_positive = Math::multiply_add(gamma * entropy, sigma.t, Math::constant(1));
    return sigma.reciprocal * Math::select_negative(u, if_negative, if_positive);
  }
  return Math::multiply_add(gamma * entropy, sigma.of_minus_x, sigma.of_x);
}

// One element of the focal family, stable for every logit.
//
// u is the logit seen from its label: x for a negative, -x for a positive, so that in both cases
//   p_t = sigma(-u),  1 - p_t = sigma(u),  -log p_t = softplus(u)
// and, with constants gamma and w (gamma_j and alpha_t gamma_j / gamma_b; both are detached),
//   L      = w sigma(u)^gamma softplus(u)
//   dL/du  = w sigma(u)^gamma [ sigma(u) + gamma sigma(-u) softplus(u) ]
// sigma(u)^gamma is exp(-gamma softplus(-u)), which has no 0^-1 at gamma < 1.
template <class Math>
EFL_HOST_DEVICE LossTerms<Math> focal_terms(typename Math::Real u, typename Math::Real gamma,
                                            typename Math::Real weight) {
  using Real = typename Math::Real;
  const Sigmoid<Math> sigma = sigmoid<Math>(u);
  const Real plus_u = Math::positive_part(u);
  const Real cross_entropy = plus_u + sigma.log1p_t;    // softplus(u) = -log p_t
  const Real minus_u = Math::negative_part(u, plus_u);  // softplus(-u) = minus_u + log1p_t

  LossTerms<Math> terms;
  terms.cross_entropy = cross_entropy;
  terms.scaled = Math::power(weight, sigma.of_x, gamma, minus_u, sigma.log1p_t);
  terms.gradient = terms.scaled * focal_bracket<Math>(u, gamma, cross_entropy, sigma);
  return terms;
}

// focal_terms in powers of two, for hardware where one costs no more than a reciprocal:
//   b = u / ln 2,  l = log2(1 + 2^-|b|)
//   log2 sigma(u) = min(0, b) - l,  softplus(u) = ln 2 [max(0, b) + l]
//   w sigma(u)^gamma = 2^(log2 w + gamma log2 sigma(u))
// Shorter by a third, and less exact where u is large: the logarithm is as long as u, and its
// rounding is that of sigma(u). For finite u.
template <class Math>
EFL_HOST_DEVICE LossTerms<Math> focal_terms_by_powers(typename Math::Real u,
                                                      typename Math::Real gamma,
                                                      typename Math::Real log2_weight) {
  using Real = typename Math::Real;
  const Real zero = Math::constant(0), one = Math::constant(1);
  const Real b = u * Math::constant(1.44269504088896341f);
  const Real log2_1p = Math::log2_1p_unit(Math::exp2(-Math::absolute(b)));
  const Real log2_sigma = Math::minimum(zero, b) - log2_1p;
  const Real sigma = Math::exp2(log2_sigma);

  LossTerms<Math> terms;
  terms.scaled = Math::exp2(Math::multiply_add(gamma, log2_sigma, log2_weight));
  terms.cross_entropy = Math::constant(0.693147180559945309f) * (Math::maximum(zero, b) + log2_1p);
  // sigma(-u) softplus(u): where the cap matters nothing is left of it but rounding.
  const Real slope = (one - sigma) * Math::minimum(Math::constant(16), terms.cross_entropy);
  terms.gradient = terms.scaled * Math::multiply_add(gamma, slope, sigma);
  return terms;
}

// Weighted binary cross-entropy, which is focal_terms with gamma = 0:
//   L = w softplus(u),  dL/du = w sigma(u)
template <class Math>
EFL_HOST_DEVICE LossTerms<Math> cross_entropy_terms(typename Math::Real u,
                                                    typename Math::Real weight) {
  const Sigmoid<Math> sigma = sigmoid<Math>(u);
  LossTerms<Math> terms;
  terms.scaled = weight;
  terms.cross_entropy = Math::positive_part(u) + sigma.log1p_t;
  terms.gradient = weight * sigma.of_x;
  return terms;
}

// A target y between 0 and 1 as the expectation over a label that is positive with probability y:
//   L = y L(u = -x) + (1 - y) L(u = x)
// Here and below 1 - y is `other`: who knows more of its digits than the difference has gives them.
// With cross-entropy this is BCE(x, y). `gradient` is signed here.
template <class Math, class Loss>
EFL_HOST_DEVICE LossTerms<Math> mixed_terms(typename Math::Real x, typename Math::Real target,
                                            typename Math::Real other, typename Math::Real gamma,
                                            typename Math::Real weight) {
  const LossTerms<Math> positive = Loss::template hard<Math>(-x, gamma, weight);
  const LossTerms<Math> negative = Loss::template hard<Math>(x, gamma, weight);
  LossTerms<Math> terms;
  terms.scaled = target * positive.loss() + other * negative.loss();
  terms.cross_entropy = Math::constant(1);
  terms.gradient = other * negative.gradient - target * positive.gradient;
  return terms;
}

// BCE(x, y) = (1 - y) softplus(x) + y softplus(-x), without 0 times infinity.
template <class Math>
EFL_HOST_DEVICE typename Math::Real soft_cross_entropy(typename Math::Real x,
                                                       typename Math::Real target,
                                                       typename Math::Real other,
                                                       const Sigmoid<Math>& sigma) {
  using Real = typename Math::Real;
  const Real zero = Math::constant(0);
  const Real on_negative = other * (Math::positive_part(x) + sigma.log1p_t);
  const Real on_positive = target * (Math::positive_part(-x) + sigma.log1p_t);
  return Math::select_zero(other, zero, on_negative) + Math::select_zero(target, zero, on_positive);
}

// Weighted BCE(x, y), which is mixed_terms of cross-entropy with one sigmoid:
//   L = w BCE(x, y),  dL/dx = w (sigma(x) - y)
// `gradient` is signed here.
template <class Math>
EFL_HOST_DEVICE LossTerms<Math> soft_cross_entropy_terms(typename Math::Real x,
                                                         typename Math::Real target,
                                                         typename Math::Real other,
                                                         typename Math::Real weight) {
  const Sigmoid<Math> sigma = sigmoid<Math>(x);
  LossTerms<Math> terms;
  terms.scaled = weight;
  terms.cross_entropy = soft_cross_entropy<Math>(x, target, other, sigma);
  terms.gradient = weight * (other * sigma.of_x - target * sigma.of_minus_x);
  return terms;
}

// Focal Loss for a soft target y in [0, 1] (torchvision's definition):
//   h = 1 - p_t = y sigma(-x) + (1 - y) sigma(x),  alpha_t = alpha y + (1 - alpha)(1 - y)
//   L      = alpha_t h^gamma BCE(x, y)
//   dL/dx  = alpha_t h^gamma [ (1 - y) sigma(x) - y sigma(-x) + gamma BCE (1 - 2y) sigma(x)
//   sigma(-x) / h ]
// A hard target gives focal_terms with the sign of the label. `gradient` is signed here.
template <class Math>
EFL_HOST_DEVICE LossTerms<Math> soft_focal_terms(typename Math::Real x, typename Math::Real target,
                                                 typename Math::Real other,
                                                 typename Math::Real gamma,
                                                 typename Math::Real weight) {
  using Real = typename Math::Real;
  const Real zero = Math::constant(0);
  const Sigmoid<Math> sigma = sigmoid<Math>(x);

  // h = (near + far t) / (1 + t), where `near` is the target's share on the side x has chosen.
  const Real near = Math::select_negative(x, target, other);
  const Real far = Math::select_negative(x, other, target);
  const Real mixture = near + far * sigma.t;
  // near = 0 is a hard target on the easy side: h = t / (1 + t), whose logarithm must not go
  // through t.
  Real log_high, log_low;
  Math::split_log_unit(mixture, &log_high, &log_low);
  const Real minus_log = Math::select_zero(near, sigma.magnitude, -log_high);
  const Real minus_rest = sigma.log1p_t - Math::select_zero(near, zero, log_low);
  const Real slope = Math::select_zero(near, sigma.reciprocal, sigma.small / mixture);

  LossTerms<Math> terms;
  terms.scaled = Math::power(weight, zero, gamma, minus_log, minus_rest);
  terms.cross_entropy = soft_cross_entropy<Math>(x, target, other, sigma);
  const Real bracket = other * sigma.of_x - target * sigma.of_minus_x;
  const Real finite_entropy = Math::cap(terms.cross_entropy);
  terms.gradient = terms.scaled * (bracket + gamma * finite_entropy * (other - target) * slope);
  return terms;
}

// Quality Focal Loss (Li et al., NeurIPS 2020, equation 3) for a quality y in [0, 1]:
//   d      = y - sigma(x) = y sigma(-x) - (1 - y) sigma(x)
//   L      = w |d|^gamma BCE(x, y)
//   dL/dx  = -w |d|^gamma [ d + gamma sigma(x) sigma(-x) BCE(x, y) / d ],  0 at d = 0
// For y = 0 it is focal_terms of a negative. `gradient` is signed here. Needs gamma >= 1.
template <class Math>
EFL_HOST_DEVICE LossTerms<Math> quality_focal_terms(typename Math::Real x,
                                                    typename Math::Real target,
                                                    typename Math::Real other,
                                                    typename Math::Real gamma,
                                                    typename Math::Real weight) {
  using Real = typename Math::Real;
  const Real zero = Math::constant(0);
  const Sigmoid<Math> sigma = sigmoid<Math>(x);
  const Real difference = target * sigma.of_minus_x - other * sigma.of_x;
  const Real distance = Math::absolute(difference);
  const Real power = Math::power(weight, zero, gamma, -Math::log_unit(distance), zero);

  LossTerms<Math> terms;
  terms.scaled = Math::select_zero(distance, Math::select_zero(gamma, weight, zero), power);
  terms.cross_entropy = soft_cross_entropy<Math>(x, target, other, sigma);
  const Real slope = gamma * sigma.of_x * sigma.of_minus_x * Math::cap(terms.cross_entropy);
  const Real bracket = difference + Math::select_zero(distance, zero, slope / difference);
  terms.gradient = -terms.scaled * bracket;
  return terms;
}

// Of focal_terms with a modulator that is a constant to the gradient:
//   dL/du  = w sigma(u)^gamma sigma(u)
template <class Math>
EFL_HOST_DEVICE LossTerms<Math> detached_focal_terms(typename Math::Real u,
                                                     typename Math::Real gamma,
                                                     typename Math::Real weight) {
  const Sigmoid<Math> sigma = sigmoid<Math>(u);
  const typename Math::Real plus_u = Math::positive_part(u);
  LossTerms<Math> terms;
  terms.cross_entropy = plus_u + sigma.log1p_t;
  terms.scaled =
      Math::power(weight, sigma.of_x, gamma, Math::negative_part(u, plus_u), sigma.log1p_t);
  terms.gradient = terms.scaled * sigma.of_x;
  return terms;
}

// A negative of the Asymmetric Loss (Ridnik et al., ICCV 2021, equations 4 and 5), whose score is
// moved down by the margin m, 0 < m < 1, and so is 0 up to p = m:
//   p_m    = max(0, p - m),  1 - p_m = sigma(-x) + m
//   L      = w p_m^gamma log1p(p_m / (1 - p_m))
//   dL/dx  = w p_m^gamma p (1 - p) [1 / (1 - p_m) + gamma log1p(p_m / (1 - p_m)) / p_m],
// the second term of which is left out where the modulator is detached.
template <class Math>
EFL_HOST_DEVICE LossTerms<Math> asymmetric_terms(typename Math::Real x, typename Math::Real gamma,
                                                 typename Math::Real weight,
                                                 const efl_constants& constants) {
  using Real = typename Math::Real;
  const Sigmoid<Math> sigma = sigmoid<Math>(x);
  const Real zero = Math::constant(0), one = Math::constant(1);
  const Real margin = Math::constant(constants.margin);
  const Real below = margin - sigma.of_x;  // negative where something is left of the score
  const Real score = Math::where_negative(below, -below, Math::constant(1e-30f));
  const Real other = sigma.of_minus_x + margin;
  const Real inverse = one / (score * other);
  const Real entropy = Math::log1p_positive(score * (score * inverse));
  // At gamma = 4, its default, kernels that take gamma = 2 for a product have one here.
  const Real power = Math::power(weight, score * score, gamma, -Math::log_unit(score), zero);
  const Real focus = Math::constant(constants.detached ? 0 : 1) * gamma;

  LossTerms<Math> terms;
  terms.scaled = Math::where_negative(below, power, zero);
  terms.cross_entropy = Math::unless_nan(x, entropy);
  const Real bracket = Math::multiply_add(focus * entropy, other, score) * inverse;
  terms.gradient = Math::unless_nan(x, terms.scaled * (sigma.of_x * sigma.of_minus_x) * bracket);
  return terms;
}

// What a positive has beside its logit, where its weight is its own.
template <class Math>
struct Positive {
  typename Math::Real target, gamma, weight, negative_weight;
};

// w BCE(x, y). `gradient` is signed here, as in all that follow.
template <class Math>
EFL_HOST_DEVICE LossTerms<Math> weighted_entropy(typename Math::Real x, typename Math::Real target,
                                                 typename Math::Real weight) {
  return soft_cross_entropy_terms<Math>(x, target, Math::constant(1) - target, weight);
}

// base^exponent for a base in [0, 1] given as -log(base), with 0^0 = 1.
template <class Math>
EFL_HOST_DEVICE typename Math::Real raised(typename Math::Real minus_log,
                                           typename Math::Real exponent) {
  return exponent == 0 ? Math::constant(1) : Math::exp_of_minus(exponent * minus_log);
}

// The target of a positive in IA-BCE (Cai et al., Align-DETR, 2023, as in RF-DETR), which is a
// constant to the gradient: t = max(0.01, p^a q^(1 - a)).
template <class Math>
EFL_HOST_DEVICE typename Math::Real aligned_target(typename Math::Real x,
                                                   typename Math::Real quality,
                                                   typename Math::Real exponent) {
  using Real = typename Math::Real;
  const Real minus_log_p = Math::positive_part(-x) + sigmoid<Math>(x).log1p_t;
  const Real target = raised<Math>(minus_log_p, exponent) *
                      raised<Math>(-Math::log_unit(quality), Math::constant(1) - exponent);
  return target > 0.01 ? target : 0.01;
}

// A positive of the Asymmetric Loss with a target y in (0, 1], as the authors' code has it:
//   h      = y (1 - p) + (1 - y) p_m,  g = gamma+ y + gamma (1 - y)
//   L      = w h^g E,  E = -y log p - (1 - y) log(1 - p_m)
//   dL/dx  = w h^g [dE/dx + g E dh/dx / h], without the second term where that is detached
template <class Math>
EFL_HOST_DEVICE LossTerms<Math> asymmetric_positive(typename Math::Real x, const Positive<Math>& of,
                                                    const efl_constants& constants) {
  using Real = typename Math::Real;
  const Sigmoid<Math> sigma = sigmoid<Math>(x);
  const Real y = of.target, other = Math::constant(1) - y, margin = constants.margin;
  const Real gamma = constants.exponent * y + of.gamma * other;
  const bool counts = sigma.of_x > margin;
  const Real rest = counts ? sigma.of_minus_x + margin : Math::constant(1);  // 1 - p_m
  const Real on_positive = y * (Math::positive_part(-x) + sigma.log1p_t);
  const Real on_negative =
      margin > 0 ? -Math::log_unit(rest) : Math::positive_part(x) + sigma.log1p_t;
  const Real log_share = -Math::positive_part(x) - sigma.log1p_t;  // of 1 - p
  const Real h = y * sigma.of_minus_x + (counts ? other * (sigma.of_x - margin) : 0);
  const Real slope = sigma.of_x * sigma.of_minus_x;

  LossTerms<Math> terms;
  const Real minus_log_h = other == 0 ? -log_share : -Math::log_unit(h);
  terms.scaled = of.weight * raised<Math>(minus_log_h, gamma);
  terms.cross_entropy = Math::select_zero(other, on_positive, on_positive + other * on_negative);
  // Without a margin that is p, also where nothing is left of 1 - p.
  const Real on_score = margin > 0 ? slope / rest : sigma.of_x;
  Real bracket = -y * sigma.of_minus_x + (counts ? other * on_score : 0);
  if (!constants.detached) {
    // (1 - p) / h is 1 of a hard target; where h is 0 the power is, too.
    const Real of_soft = h > 0 ? sigma.of_minus_x / h : Math::constant(0);
    const Real share = other == 0 ? Math::constant(1) : of_soft;
    const Real turn = (counts ? other : 0) - y;
    bracket = bracket + gamma * Math::cap(terms.cross_entropy) * turn * sigma.of_x * share;
  }
  terms.gradient = Math::unless_nan(x, terms.scaled * bracket);
  return terms;
}

// The losses. A backend compiles its kernels for each struct; Element says what is in one:
//
// hard        an element whose target is 0 or 1, by u. `gradient` is |dL/du|.
// soft        one whose target, or quality, lies between, by x. `gradient` is dL/dx, with its sign.
//             What is left of the target to 1 is `other`.
// apart       where kPositivesApart is set: any positive, by x, in the place of `soft`; `hard` is
//             then for negatives alone.
// kOfQuality  what lies between is a quality: in the statistics such an element is a positive
//             altogether, and not in part.
// kHasPower   gamma matters, so that one gamma, where the power is a product, has its own kernels.
// Hard        whose `hard` it is: a struct that only has another `soft` shares the kernels.
// kHard       of a Hard, its name.
// kSeldom     of a Hard: only the kernel that most calls need is compiled for it.
template <class Loss>
struct Element {
  using Hard = Loss;
  static constexpr bool kOfQuality = false;
  static constexpr bool kPositivesApart = false;
  static constexpr bool kZeroIsNegative = false;
  static constexpr bool kHasPower = true;
  static constexpr bool kHasConstants = false;
  static constexpr bool kSeldom = false;
  template <class Math, class Real = typename Math::Real>
  EFL_HOST_DEVICE static LossTerms<Math> soft(Real x, Real target, Real other, Real gamma,
                                              Real weight) {
    return mixed_terms<Math, Loss>(x, target, other, gamma, weight);
  }
};

// The structs that kernels are compiled for.
enum class HardLoss { kFocal, kCrossEntropy, kDetachedFocal, kAsymmetric, kClassMargin };

struct FocalElement : Element<FocalElement> {
  static constexpr const char* kName = "focal";
  static constexpr HardLoss kHard = HardLoss::kFocal;
  template <class Math, class Real = typename Math::Real>
  EFL_HOST_DEVICE static LossTerms<Math> hard(Real u, Real gamma, Real weight) {
    return focal_terms<Math>(u, gamma, weight);
  }
  template <class Math, class Real = typename Math::Real>
  EFL_HOST_DEVICE static LossTerms<Math> soft(Real x, Real target, Real other, Real gamma,
                                              Real weight) {
    return soft_focal_terms<Math>(x, target, other, gamma, weight);
  }
};

struct QualityFocalElement : FocalElement {
  static constexpr const char* kName = "qualityFocal";
  static constexpr bool kOfQuality = true;
  template <class Math, class Real = typename Math::Real>
  EFL_HOST_DEVICE static LossTerms<Math> soft(Real x, Real target, Real other, Real gamma,
                                              Real weight) {
    return quality_focal_terms<Math>(x, target, other, gamma, weight);
  }
};

struct CrossEntropyElement : Element<CrossEntropyElement> {
  static constexpr const char* kName = "crossEntropy";
  static constexpr HardLoss kHard = HardLoss::kCrossEntropy;
  static constexpr bool kHasPower = false;
  template <class Math, class Real = typename Math::Real>
  EFL_HOST_DEVICE static LossTerms<Math> hard(Real u, Real, Real weight) {
    return cross_entropy_terms<Math>(u, weight);
  }
  template <class Math, class Real = typename Math::Real>
  EFL_HOST_DEVICE static LossTerms<Math> soft(Real x, Real target, Real other, Real, Real weight) {
    return soft_cross_entropy_terms<Math>(x, target, other, weight);
  }
};

struct DetachedFocalElement : Element<DetachedFocalElement> {
  static constexpr HardLoss kHard = HardLoss::kDetachedFocal;
  static constexpr bool kSeldom = true;
  template <class Math, class Real = typename Math::Real>
  EFL_HOST_DEVICE static LossTerms<Math> hard(Real u, Real gamma, Real weight) {
    return detached_focal_terms<Math>(u, gamma, weight);
  }
};

// Varifocal Loss (Zhang et al., VarifocalNet, CVPR 2021, equation 2), with a quality q:
//   L = w q BCE(x, q) at positives, w p^gamma softplus(x) at negatives
struct VarifocalElement : FocalElement {
  static constexpr const char* kName = "varifocal";
  static constexpr bool kOfQuality = true;
  static constexpr bool kPositivesApart = true;
  static constexpr bool kZeroIsNegative = true;
  template <class Math, class Negative = FocalElement, class Real = typename Math::Real>
  EFL_HOST_DEVICE static LossTerms<Math> apart(Real x, const Positive<Math>& of,
                                               const efl_constants& constants) {
    if (of.target > 0) {
      const Real factor = constants.unweighted ? Math::constant(1) : of.target;
      return weighted_entropy<Math>(x, of.target, of.weight * factor);
    }
    if (constants.spares_zero) return LossTerms<Math>{};
    return Negative::template hard<Math>(x, of.gamma, of.negative_weight);
  }
};

// As the DETRs have it: the modulator of negatives is a constant to the gradient.
struct DetachedVarifocalElement : VarifocalElement {
  using Hard = DetachedFocalElement;
  template <class Math, class Real = typename Math::Real>
  EFL_HOST_DEVICE static LossTerms<Math> apart(Real x, const Positive<Math>& of,
                                               const efl_constants& constants) {
    return VarifocalElement::apart<Math, DetachedFocalElement>(x, of, constants);
  }
};

struct IouAwareBceElement : FocalElement {
  static constexpr const char* kName = "iouAwareBce";
  static constexpr bool kOfQuality = true;
  static constexpr bool kPositivesApart = true;
  template <class Math, class Real = typename Math::Real>
  EFL_HOST_DEVICE static LossTerms<Math> apart(Real x, const Positive<Math>& of,
                                               const efl_constants& constants) {
    const Real target = aligned_target<Math>(x, of.target, constants.exponent);
    return weighted_entropy<Math>(x, target, of.weight);
  }
};

// Matchability-Aware Loss (Huang et al., DEIM, CVPR 2025, equation 5): positives are
// w BCE(x, q^gamma).
struct MatchabilityElement : DetachedFocalElement {
  static constexpr const char* kName = "matchability";
  static constexpr bool kOfQuality = true;
  static constexpr bool kPositivesApart = true;
  template <class Math, class Real = typename Math::Real>
  EFL_HOST_DEVICE static LossTerms<Math> apart(Real x, const Positive<Math>& of,
                                               const efl_constants&) {
    return weighted_entropy<Math>(x, raised<Math>(-Math::log_unit(of.target), of.gamma), of.weight);
  }
};

struct AsymmetricElement : Element<AsymmetricElement> {
  static constexpr const char* kName = "asymmetric";
  static constexpr HardLoss kHard = HardLoss::kAsymmetric;
  static constexpr bool kPositivesApart = true;
  static constexpr bool kHasConstants = true;
  static constexpr bool kSeldom = true;
  template <class Math, class Real = typename Math::Real>
  EFL_HOST_DEVICE static LossTerms<Math> hard(Real x, Real gamma, Real weight,
                                              const efl_constants& constants) {
    return asymmetric_terms<Math>(x, gamma, weight, constants);
  }
  template <class Math, class Real = typename Math::Real>
  EFL_HOST_DEVICE static LossTerms<Math> apart(Real x, const Positive<Math>& of,
                                               const efl_constants& constants) {
    return asymmetric_positive<Math>(x, of, constants);
  }
};

// Effective Class Margins (Hyun Cho and Kraehenbuehl, ECCV 2022): cross-entropy of 2 x + delta_j.
// The shift delta_j takes the place of gamma.
struct ClassMarginElement : Element<ClassMarginElement> {
  static constexpr const char* kName = "classMargin";
  static constexpr HardLoss kHard = HardLoss::kClassMargin;
  static constexpr bool kPositivesApart = true;
  static constexpr bool kHasPower = false;
  static constexpr bool kSeldom = true;
  template <class Math, class Real = typename Math::Real>
  EFL_HOST_DEVICE static LossTerms<Math> hard(Real x, Real shift, Real weight) {
    const Real two = Math::constant(2);
    LossTerms<Math> terms = cross_entropy_terms<Math>(Math::multiply_add(two, x, shift), weight);
    terms.gradient = two * terms.gradient;
    return terms;
  }
  template <class Math, class Real = typename Math::Real>
  EFL_HOST_DEVICE static LossTerms<Math> apart(Real x, const Positive<Math>& of,
                                               const efl_constants&) {
    LossTerms<Math> terms = weighted_entropy<Math>(2 * x + of.gamma, of.target, of.weight);
    terms.gradient = 2 * terms.gradient;
    return terms;
  }
};

// Calls `visit` with the struct of a loss.
template <class Visit>
EFL_HOST_DEVICE auto with_loss(efl_loss loss, const Visit& visit) {
  switch (loss) {
    case EFL_LOSS_QUALITY_FOCAL:
      return visit(QualityFocalElement{});
    case EFL_LOSS_CROSS_ENTROPY:
      return visit(CrossEntropyElement{});
    case EFL_LOSS_VARIFOCAL:
      return visit(VarifocalElement{});
    case EFL_LOSS_DETACHED_VARIFOCAL:
      return visit(DetachedVarifocalElement{});
    case EFL_LOSS_IOU_AWARE_BCE:
      return visit(IouAwareBceElement{});
    case EFL_LOSS_MATCHABILITY:
      return visit(MatchabilityElement{});
    case EFL_LOSS_ASYMMETRIC:
      return visit(AsymmetricElement{});
    case EFL_LOSS_CLASS_MARGIN:
      return visit(ClassMarginElement{});
    case EFL_LOSS_FOCAL:
      break;
  }
  return visit(FocalElement{});
}

// And with the struct that its kernels are compiled for.
template <class Visit>
EFL_HOST_DEVICE auto with_hard_loss(HardLoss loss, const Visit& visit) {
  switch (loss) {
    case HardLoss::kCrossEntropy:
      return visit(CrossEntropyElement{});
    case HardLoss::kDetachedFocal:
      return visit(DetachedFocalElement{});
    case HardLoss::kAsymmetric:
      return visit(AsymmetricElement{});
    case HardLoss::kClassMargin:
      return visit(ClassMarginElement{});
    case HardLoss::kFocal:
      break;
  }
  return visit(FocalElement{});
}

// Whether every positive of a loss is computed apart, and whether it has a quality.
EFL_HOST_DEVICE bool has_positives_apart(efl_loss loss) {
  return with_loss(loss, [](auto kind) { return decltype(kind)::kPositivesApart; });
}
EFL_HOST_DEVICE bool is_of_quality(efl_loss loss) {
  return with_loss(loss, [](auto kind) { return decltype(kind)::kOfQuality; });
}

// The hard elements of a problem.
EFL_HOST_DEVICE HardLoss hard_loss_of(const efl_problem& problem) {
  const HardLoss hard =
      with_loss(problem.loss, [](auto kind) { return decltype(kind)::Hard::kHard; });
  if (hard != HardLoss::kAsymmetric || problem.constants.margin > 0) return hard;
  return problem.constants.detached ? HardLoss::kDetachedFocal : HardLoss::kFocal;
}

// A hard element.
template <class Loss, class Math>
EFL_HOST_DEVICE LossTerms<Math> hard_terms(typename Math::Real u, typename Math::Real gamma,
                                           typename Math::Real weight,
                                           const efl_constants& constants) {
  if constexpr (Loss::kHasConstants) {
    return Loss::template hard<Math>(u, gamma, weight, constants);
  } else {
    return Loss::template hard<Math>(u, gamma, weight);
  }
}

// A positive that is not hard, with its part that counts as a positive's in the statistics.
template <class Math>
struct SoftTerms : LossTerms<Math> {
  typename Math::Real share;
};

template <class Loss, class Math>
EFL_HOST_DEVICE SoftTerms<Math> soft_terms(typename Math::Real x, typename Math::Real target,
                                           typename Math::Real gamma,
                                           typename Math::Real positive_weight,
                                           typename Math::Real negative_weight,
                                           const efl_constants& constants) {
  // alpha_t for a soft target.
  const typename Math::Real mixed = target * positive_weight + (1 - target) * negative_weight;
  const bool negative = Loss::kZeroIsNegative && target == 0;
  const typename Math::Real share = Loss::kOfQuality ? !negative : target;
  if constexpr (Loss::kPositivesApart) {
    const typename Math::Real weight = Loss::kOfQuality ? positive_weight : mixed;
    return {Loss::template apart<Math>(x, {target, gamma, weight, negative_weight}, constants),
            share};
  } else {
    return {Loss::template soft<Math>(x, target, 1 - target, gamma, mixed), share};
  }
}

}  // namespace efl
