// What the fused kernels share: what a call is on the device, and elements on their own.
//
// Nearly all elements are regular: negatives with a logit of moderate size. Threads compute them
// without a branch; an irregular element (a positive, enormous or not a number, or of an ignored
// row) stands there for a negative with a logit so low that it adds exact zeros. Irregular elements
// that count are then computed on their own.
#pragma once

#include <type_traits>

#include "../core/labels.h"
#include "../core/loss_math.h"
#include "../core/scalar_math.h"
#include "../core/selection.h"
#include "device_math.h"
#include "scalars.h"
#include "totals.h"
#include "tuning.h"
#include "vectors.cuh"

namespace efl::cuda {

// One level of a call. All arrays are on the device; `problem.levels` is not read.
struct CallParams {
  efl_problem problem;
  efl_level level;
  DeviceScalars scalars;
  // With targets: what each row is, as label_column says it, or kDense.
  const int32_t* dense_columns;
  int64_t rows;
};

// Whether a call has anything that kernels leave out in their fast form: enormous gammas, weights
// of their own for negatives of rows with a class, weights of rows, masks, targets, qualities,
// smoothed targets, positives that are computed apart, or arrays with a value for each element.
// `kGeneral` says of a kernel that it looks for all of these.
inline bool is_general(const CallParams& call) {
  const efl_level& level = call.level;
  return call.problem.range.largest_gamma > kPlainGamma || call.problem.foreground_weight ||
         call.problem.label_smoothing > 0 || call.dense_columns || level.quality ||
         level.elements || level.grad_output || level.row_weight ||
         has_masks(call.problem, level) || efl::has_positives_apart(call.problem.loss);
}

// The logit of a negative that adds nothing.
template <class Loss>
inline constexpr float kAbsent = -kPlainLogit;

EFL_DEVICE float finite_or_zero(float a) { return isfinite(a) ? a : 0.0f; }

// |gradient| as part of the sums over negatives and over positives.
struct PosNegSums {
  float negative;
  float positive;
};

// A regular element, and the form it wants a weight in.
template <class Loss>
struct ExactElement : Loss {
  static EFL_DEVICE float weight_form(float weight) { return weight; }
};

// The losses that only general kernels have. One set of these does for all of them: which one it is
// shows while it runs.
struct SeldomElement {
  static constexpr bool kSeldom = true;
};

// Focal Loss where results have 16 bits. With so little to read and write, instructions are what
// takes the time.
struct ShortFocalElement {
  static EFL_DEVICE float weight_form(float weight) { return log2f(weight); }
  template <class Math, class Real = typename Math::Real>
  static EFL_DEVICE LossTerms<Math> hard(Real u, Real gamma, Real log2_weight) {
    return efl::focal_terms_by_powers<Math>(u, gamma, log2_weight);
  }
};

template <class T, class Loss, bool kGeneral>
using RegularElement =
    std::conditional_t<sizeof(T) == 2 && !kGeneral && std::is_same_v<Loss, FocalElement>,
                       ShortFocalElement, ExactElement<Loss>>;

// What becomes of a regular element.
struct RegularTerms {
  float gradient;
  float element;
  float magnitude;  // for the statistics
};

struct IrregularElement {
  int64_t at;   // in the level's arrays
  int64_t row;  // whose it is
  int32_t column;
  bool positive;
  bool foreground;  // its row has a class
};

template <class T, class Loss, bool kGeneral>
class FocalThread {
  using RegularMath = std::conditional_t<kGeneral, DeviceMath, PlainDeviceMath>;
  using Regular = RegularElement<T, Loss, kGeneral>;

 public:
  explicit EFL_DEVICE FocalThread(const CallParams& params)
      : call(params), columns(efl::columns_of(params.problem.convention)) {
    const Scales scales = scales_on_device(call.problem, call.scalars);
    gradient_factor = static_cast<float>(scales.gradient);
    element_factor = static_cast<float>(scales.element);
    if (kGeneral && efl::has_positives_apart(call.problem.loss)) soft_below = INFINITY;
    if (std::is_same_v<Loss, SeldomElement>) hard_loss = efl::hard_loss_of(call.problem);
  }

  // What is kept for the whole block.
  float loss = 0;
  uint32_t positives = 0;
  uint32_t ignored = 0;
  uint32_t non_finite = 0;
  bool collected = false;  // whether a class of its columns has seen a gradient
  int64_t bad_row = kNoRow;

 protected:
  // What a row is: label_column's answer, or kDense.
  EFL_DEVICE int32_t found(int64_t row) const {
    if (kGeneral && call.dense_columns) return call.dense_columns[row];
    const int32_t column = efl::label_column(call.problem.convention, call.level.labels[row]);
    const bool out = column != efl::kInvalid && weighs_nothing(factor_of(row));
    return out ? efl::kIgnored : column;
  }

  // The weight of a row.
  EFL_DEVICE float factor_of(int64_t row) const {
    return kGeneral ? row_weight_of(call.level, row) : 1.0f;
  }

  EFL_DEVICE bool is_masked(int64_t at, int32_t c) const {
    return kGeneral && efl::is_masked(call.problem, call.level, at, c);
  }

  // Whether targets are smoothed: then every element that counts is irregular.
  EFL_DEVICE bool is_smooth() const { return kGeneral && call.problem.label_smoothing > 0; }

  EFL_DEVICE float negative_weight(int32_t c, float x, bool foreground) const {
    const efl_problem& problem = call.problem;
    if (!kGeneral || !foreground || !problem.foreground_weight) return problem.negative_weight[c];
    return x < problem.foreground_threshold ? 0.0f : problem.foreground_weight[c];
  }

  // The weight of the negatives of a class, as `regular` wants it.
  EFL_DEVICE float regular_weight(int32_t c) const {
    return Regular::weight_form(call.problem.negative_weight[c]);
  }

  // A negative. One that is absent has the logit kAbsent, and nothing of it is left.
  EFL_DEVICE RegularTerms regular(float x, bool absent, float gamma, float weight, int64_t at) {
    const auto terms = hard<Regular, RegularMath>(x, gamma, weight);
    loss = fmaf(terms.scaled, terms.cross_entropy, loss);
    RegularTerms result = {terms.gradient * gradient_factor, terms.loss() * element_factor,
                           terms.gradient};
    if (kGeneral && call.level.grad_output) {
      const float upstream = call.level.grad_output[at];
      result.gradient = absent ? 0.0f : result.gradient * upstream;
      result.magnitude = absent ? 0.0f : finite_or_zero(terms.gradient * fabsf(upstream));
    }
    return result;
  }

  EFL_DEVICE PosNegSums compute(const IrregularElement& element, float x) {
    const efl_problem& problem = call.problem;
    const int32_t c = element.column;
    const float target = kGeneral && element.positive ? target_of(element) : 1.0f;
    float own_loss, gradient, share = element.positive ? 1.0f : 0.0f;
    if (is_smooth() || (kGeneral && element.positive && target < soft_below)) {
      soften(element, x, element.positive ? target : 0, &own_loss, &gradient, &share);
    } else {
      const float weight =
          element.positive ? problem.positive_weight[c] : negative_weight(c, x, element.foreground);
      const float u = element.positive ? -x : x;
      const auto terms =
          hard<Loss, DeviceMath>(u, problem.gamma[c], weight * factor_of(element.row));
      own_loss = terms.loss();
      gradient = element.positive ? -terms.gradient : terms.gradient;
    }
    const float upstream =
        kGeneral && call.level.grad_output ? call.level.grad_output[element.at] : 1;
    loss += own_loss;
    write(element.at, own_loss * element_factor, gradient * gradient_factor * upstream);
    const float magnitude = isfinite(x) ? finite_or_zero(fabsf(gradient * upstream)) : 0.0f;
    return {magnitude * (1 - share), magnitude * share};
  }

  EFL_DEVICE void write(int64_t at, float element, float gradient) const {
    if (call.level.gradient) static_cast<T*>(call.level.gradient)[at] = rounded<T>(gradient);
    if (kGeneral && call.level.elements) call.level.elements[at] = element;
  }

  const CallParams& call;
  const int32_t columns;
  float gradient_factor, element_factor;

 private:
  template <class Element, class Math>
  EFL_DEVICE LossTerms<Math> hard(float u, float gamma, float weight) const {
    if constexpr (std::is_same_v<Loss, SeldomElement>) {
      return efl::with_hard_loss(hard_loss, [&](auto kind) {
        return efl::hard_terms<decltype(kind), Math>(u, gamma, weight, call.problem.constants);
      });
    } else {
      return Element::template hard<Math>(u, gamma, weight);
    }
  }

  EFL_DEVICE float target_of(const IrregularElement& element) const {
    if (call.level.targets) return call.level.targets[element.at];
    return call.level.quality ? call.level.quality[element.row] : 1.0f;
  }

  // In float64, as on the CPU: where the probability meets the target float32 loses its digits.
  __device__ __noinline__ void soften(const IrregularElement& element, float x, float target,
                                      float* own_loss, float* gradient, float* share) const {
    const efl_problem& problem = call.problem;
    const int32_t c = element.column;
    const double factor = factor_of(element.row);
    const double on_positive = factor * problem.positive_weight[c];
    const double on_negative = factor * negative_weight(c, x, element.foreground);
    efl::with_loss(problem.loss, [&](auto kind) {
      const auto terms = efl::soft_terms<decltype(kind), ScalarMath>(
          x, smoothed(problem, target, c), problem.gamma[c], on_positive, on_negative,
          problem.constants);
      *own_loss = static_cast<float>(terms.loss());
      *gradient = static_cast<float>(terms.gradient);
      // What is positive follows from the target as it was given.
      *share = is_smooth() ? target : static_cast<float>(terms.share);
      if (call.level.targets && !efl::is_positive(problem, target)) *share = 0;
    });
  }

  float soft_below = 1;                   // positives with a lower target, or quality, are not hard
  HardLoss hard_loss = HardLoss::kFocal;  // only of the element that does for several
};

// Sums over a block in a fixed order; thread 0 has the result.
EFL_DEVICE double block_sum(double value, double* warp_sums) {
  for (int offset = 16; offset > 0; offset >>= 1) {
    value += __shfl_down_sync(0xffffffffu, value, offset);
  }
  if ((threadIdx.x & 31) == 0) warp_sums[threadIdx.x >> 5] = value;
  __syncthreads();
  double total = 0;
  if (threadIdx.x == 0) {
    for (unsigned warp = 0; warp < blockDim.x / 32; ++warp) total += warp_sums[warp];
  }
  return total;
}

// The totals of a block; all of its threads call it, once.
template <class Thread>
EFL_DEVICE void finish_block(const Thread& thread, BlockTotals* totals) {
  __shared__ double warp_sums[kMostThreads / 32];
  __shared__ uint32_t counts[4];
  __shared__ unsigned long long bad_row;
  if (threadIdx.x == 0) {
    counts[0] = counts[1] = counts[2] = counts[3] = 0;
    bad_row = kNoRow;
  }
  __syncthreads();
  if (thread.positives) atomicAdd(&counts[0], thread.positives);
  if (thread.ignored) atomicAdd(&counts[1], thread.ignored);
  if (thread.non_finite) atomicAdd(&counts[2], thread.non_finite);
  if (thread.collected) atomicAdd(&counts[3], 1u);
  if (thread.bad_row != kNoRow) {
    atomicMin(&bad_row, static_cast<unsigned long long>(thread.bad_row));
  }
  const double loss = block_sum(thread.loss, warp_sums);
  if (threadIdx.x != 0) return;
  *totals = {loss, counts[0], counts[1], counts[2], counts[3], static_cast<int64_t>(bad_row)};
}

}  // namespace efl::cuda
