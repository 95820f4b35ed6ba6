// The fused kernel for rows of logits: loss, gradient and statistics in one pass. rows_plan.h says
// which thread has which elements.
//
// Nearly all elements are negatives. They take the common way, where an element that is anything
// else (a positive, enormous or not a number, or of an ignored row) stands for a negative with a
// logit so low that it adds exact zeros; those that count are then computed on their own.
#pragma once

#include <type_traits>

#include "../core/labels.h"
#include "../core/loss_math.h"
#include "../core/reduction.h"
#include "../core/scalar_math.h"
#include "device_math.h"
#include "rows_plan.h"
#include "totals.cuh"
#include "vectors.cuh"

namespace efl::cuda {

// Scalars that are on the device; null where the problem's own counts.
struct DeviceScalars {
  const float* normalizer;
  const float* upstream;
  const RowCounts* counts;  // of all levels, where the divisor depends on them
};

EFL_DEVICE Scales scales_on_device(efl_focal_problem problem, const DeviceScalars& scalars) {
  if (scalars.normalizer) problem.normalizer = *scalars.normalizer;
  if (scalars.upstream) problem.upstream = *scalars.upstream;
  return scales_of(problem, scalars.counts ? *scalars.counts : RowCounts{});
}

// All arrays are on the device; `problem.levels` is not read.
struct RowsParams {
  efl_focal_problem problem;
  efl_level level;
  DeviceScalars scalars;
  const int32_t* dense_columns;  // with targets: what each row is, as label_column says it, or kDense
  int64_t rows;
  float largest_gamma;  // at most
  RowsPlan plan;
  float* partial;       // [chunk][tile][negative, positive][slot]
  BlockTotals* totals;  // [chunk][tile]
};

constexpr float kAbsent = -kPlainLogit;  // the logit of a negative that adds nothing

// kRare: what most calls do without is looked for: foreground weights, qualities, targets, enormous
// gammas, and arrays with a value for each element.
template <class T, int kLanes, class Loss, bool kRare>
class RowsThread {
  using Lanes = Vector<T, kLanes>;
  using CommonMath = std::conditional_t<kRare, DeviceMath, PlainDeviceMath>;
  using Word = typename Lanes::Word;

 public:
  EFL_DEVICE RowsThread(const RowsParams& params, float* shared)
      : p(params), columns(efl::columns_of(params.problem.convention)) {
    const RowsPlan& plan = p.plan;
    negative_slots = shared + threadIdx.x * kLanes;
    positive_slots = negative_slots + plan.threads * kLanes;
    Word* const words = reinterpret_cast<Word*>(shared + 2 * plan.threads * kLanes);
    ring = words + threadIdx.x;
    label_ring = reinterpret_cast<int32_t*>(words + kRing * plan.threads) + threadIdx.x;

    const int32_t vector = blockIdx.y * plan.threads + threadIdx.x;
    const bool active = vector < plan.vectors_per_step;
    first = active ? vector * kLanes : 0;
    first_row = first / columns;
    column = first - first_row * columns;
    head = columns - column < kLanes ? columns - column : kLanes;
    step_elements = static_cast<int64_t>(plan.rows_per_step) * columns;
    room = active ? p.rows * columns - first : 0;
    steps = room < kLanes ? 0 : (room - kLanes) / step_elements + 1;

    const Scales scales = scales_on_device(p.problem, p.scalars);
    gradient_factor = static_cast<float>(scales.gradient);
    element_factor = static_cast<float>(scales.element);
#pragma unroll
    for (int j = 0; j < kLanes; ++j) {
      const int32_t c = column_of(j);
      gamma[j] = p.problem.gamma[c];
      weight[j] = p.problem.negative_weight[c];
      negative[j] = 0;
      negative_slots[j] = 0;
      positive_slots[j] = 0;
    }
  }

  // Its steps are blockIdx.x, and every gridDim.x-th from there.
  EFL_DEVICE void run() {
    int64_t ahead = blockIdx.x;
#pragma unroll
    for (int i = 0; i < kRing; ++i) fetch(&ahead, i);
    int32_t slot = 0;
#pragma unroll 1
    for (int64_t step = blockIdx.x; step < steps; step += gridDim.x) {
      __pipeline_wait_prior(kRing - 1);
      const Word word = ring[slot * p.plan.threads];
      const int32_t label = label_ring[slot * p.plan.threads];
      fetch(&ahead, slot);
      vector(step, word, label);
      slot = slot == kRing - 1 ? 0 : slot + 1;
    }
    const int64_t rest = room - steps * step_elements;
    if (rest > 0 && steps % gridDim.x == blockIdx.x) tail(static_cast<int32_t>(rest));
#pragma unroll
    for (int j = 0; j < kLanes; ++j) negative_slots[j] += negative[j];
  }

  float loss = 0;
  uint32_t positives = 0;
  uint32_t ignored = 0;
  uint32_t non_finite = 0;
  int64_t bad_row = kNoRow;

 private:
  // Elements of a vector, as bits.
  struct Kinds {
    uint32_t apart = 0;       // not for the common way
    uint32_t counted = 0;     // of these, those that are not in ignored rows
    uint32_t positive = 0;
    uint32_t foreground = 0;  // in rows that have a class
  };

  EFL_DEVICE int32_t column_of(int j) const {
    const int32_t c = column + j;
    return j < head ? c : c % columns;
  }
  EFL_DEVICE int64_t element_at(int64_t step) const { return step * step_elements + first; }
  EFL_DEVICE int64_t row_at(int64_t step) const {
    return step * p.plan.rows_per_step + first_row;
  }

  // Each thread copies its vectors ahead into its own part of shared memory: many bytes on their
  // way for no registers, and no barrier.
  EFL_DEVICE void fetch(int64_t* step, int32_t slot) {
    if (*step < steps) {
      const T* const from = static_cast<const T*>(p.level.logits) + element_at(*step);
      if constexpr (sizeof(Word) >= 4) {
        __pipeline_memcpy_async(ring + slot * p.plan.threads, from, sizeof(Word));
      } else {
        ring[slot * p.plan.threads] = Lanes::load(from);
      }
      if (!kRare || p.level.labels) {
        __pipeline_memcpy_async(label_ring + slot * p.plan.threads,
                                p.level.labels + row_at(*step), sizeof(int32_t));
      }
      *step += gridDim.x;
    }
    __pipeline_commit();
  }

  EFL_DEVICE void vector(int64_t step, const Word& word, int32_t label) {
    float x[kLanes], gradient[kLanes], element[kLanes];
    Lanes::widen(word, x);
    Kinds kinds;
    const bool special = is_special(label, x);
    if (special) kinds = look_at(step, x, kLanes);
#pragma unroll
    for (int j = 0; j < kLanes; ++j) {
      const float logit = kinds.apart >> j & 1 ? kAbsent : x[j];
      const float own_weight = kRare ? weight_of(kinds, j, x[j]) : weight[j];
      const auto terms = Loss::template hard<CommonMath>(logit, gamma[j], own_weight);
      loss = fmaf(terms.scaled, terms.cross_entropy, loss);
      gradient[j] = terms.gradient * gradient_factor;
      element[j] = terms.loss() * element_factor;
      float magnitude = terms.gradient;
      if (kRare && p.level.grad_output) {
        const float upstream = p.level.grad_output[element_at(step) + j];
        // Where the element is apart, whatever stands there must not matter.
        gradient[j] = kinds.apart >> j & 1 ? 0.0f : gradient[j] * upstream;
        magnitude = kinds.apart >> j & 1 ? 0.0f : finite_or_zero(magnitude * fabsf(upstream));
      }
      negative[j] += magnitude;
    }
    const int64_t at = element_at(step);
    if (p.level.gradient) {
      Lanes::store(static_cast<T*>(p.level.gradient) + at, Lanes::round(gradient));
    }
    if (kRare && p.level.elements) {
#pragma unroll
      for (int j = 0; j < kLanes; ++j) p.level.elements[at + j] = element[j];
    }
    if (special) each_apart(at, kinds, x);
  }

  // The elements at the end of the level that do not fill a vector.
  EFL_DEVICE void tail(int32_t count) {
    const int64_t at = element_at(steps);
    float x[kLanes];
#pragma unroll
    for (int j = 0; j < kLanes; ++j) {
      x[j] = j < count ? to_float(static_cast<const T*>(p.level.logits)[at + j]) : 0.0f;
    }
    Kinds kinds = look_at(steps, x, count);
    for (int j = 0; j < count; ++j) {
      if (kinds.apart >> j & 1) write(at + j, 0, 0);
    }
    const uint32_t all = (1u << count) - 1;
    kinds.counted |= all & ~kinds.apart;
    each_apart(at, kinds, x);
  }

  EFL_DEVICE bool is_special(int32_t label, const float (&x)[kLanes]) const {
    float squares = 0;
#pragma unroll
    for (int j = 0; j < kLanes; ++j) squares = fmaf(x[j], x[j], squares);
    const bool plain = squares <= kPlainLogit * kPlainLogit;  // not where a logit is not a number
    if (kRare || !plain || head < kLanes) return true;
    const efl_label_convention& convention = p.problem.convention;
    const uint32_t c = static_cast<uint32_t>(label) - static_cast<uint32_t>(convention.first_class);
    if (c < static_cast<uint32_t>(convention.classes)) {
      return c - static_cast<uint32_t>(column) < static_cast<uint32_t>(kLanes);
    }
    if (!convention.has_background || label != convention.background) return true;
    return convention.has_objectness && column + kLanes == columns;
  }

  // The first `count` elements, row by row.
  EFL_DEVICE Kinds look_at(int64_t step, const float (&x)[kLanes], int32_t count) {
    Kinds kinds;
    int32_t c = column;
    int64_t row = row_at(step);
    for (int32_t j = 0; j < count; ++row, c = 0) {
      const int32_t end = j + columns - c < count ? j + columns - c : count;
      look_at_row(&kinds, row, c, j, end, step);
      j = end;
    }
#pragma unroll
    for (int j = 0; j < kLanes; ++j) {
      if (j >= count || fabsf(x[j]) <= kPlainLogit) continue;
      if (kinds.apart >> j & ~kinds.counted >> j & 1) continue;
      non_finite += !isfinite(x[j]);
      kinds.apart |= 1u << j;
      kinds.counted |= 1u << j;
    }
    return kinds;
  }

  // The elements j to end - 1, which are the columns of a row from c on.
  EFL_DEVICE void look_at_row(Kinds* kinds, int64_t row, int32_t c, int32_t j, int32_t end,
                              int64_t step) {
    const efl_label_convention& convention = p.problem.convention;
    const int32_t found = kRare && p.dense_columns
                              ? p.dense_columns[row]
                              : efl::label_column(convention, p.level.labels[row]);
    const uint32_t elements = ((1u << (end - j)) - 1) << j;
    if (found == efl::kIgnored || found == efl::kInvalid) {
      kinds->apart |= elements;
      if (c != 0) return;
      if (found == efl::kIgnored) ++ignored;
      if (found == efl::kInvalid && row < bad_row) bad_row = row;
      return;
    }
    if (c == 0 && found == efl::kDense) ++positives;
    if (found >= 0 || found == efl::kDense) kinds->foreground |= elements;
    uint32_t positive = 0;
    const int32_t at = efl::positive_column(convention, found) - c;
    if (kRare && found == efl::kDense) {
      const int64_t from = element_at(step);
      for (int32_t i = j; i < end; ++i) positive |= (p.level.targets[from + i] > 0 ? 1u : 0u) << i;
    } else if (at >= 0 && at < end - j) {
      positive = 1u << (j + at);
      // By the thread that has the positive: nobody else need look at the row.
      if (found >= 0) ++positives;
    }
    kinds->positive |= positive;
    kinds->apart |= positive;
    kinds->counted |= positive;
  }

  EFL_DEVICE float weight_of(const Kinds& kinds, int j, float x) const {
    if (!p.problem.foreground_weight || !(kinds.foreground >> j & 1)) return weight[j];
    return x < p.problem.foreground_threshold ? 0.0f : p.problem.foreground_weight[column_of(j)];
  }

  EFL_DEVICE void each_apart(int64_t at, const Kinds& kinds, const float (&x)[kLanes]) {
#pragma unroll 1
    for (int j = 0; j < kLanes; ++j) {
      if (!(kinds.counted >> j & 1)) continue;
      float logit = 0;
#pragma unroll
      for (int i = 0; i < kLanes; ++i) {
        if (i == j) logit = x[i];
      }
      one(at + j, j, logit, kinds);
    }
  }

  // One element on its own.
  EFL_DEVICE void one(int64_t at, int j, float x, const Kinds& kinds) {
    const int32_t c = column + j < columns ? column + j : (column + j) % columns;
    const bool positive = kinds.positive >> j & 1;
    const float own_gamma = p.problem.gamma[c];
    const float target = kRare && positive ? target_of(at) : 1.0f;
    float own_loss, gradient, share = positive ? 1.0f : 0.0f;
    if (kRare && positive && target < 1) {
      soften(x, target, c, &own_loss, &gradient, &share);
    } else {
      float own_weight = positive ? p.problem.positive_weight[c] : p.problem.negative_weight[c];
      if (kRare && !positive && p.problem.foreground_weight && kinds.foreground >> j & 1) {
        own_weight = x < p.problem.foreground_threshold ? 0.0f : p.problem.foreground_weight[c];
      }
      const auto terms = Loss::template hard<DeviceMath>(positive ? -x : x, own_gamma, own_weight);
      own_loss = terms.loss();
      gradient = positive ? -terms.gradient : terms.gradient;
    }
    const float upstream = kRare && p.level.grad_output ? p.level.grad_output[at] : 1.0f;
    loss += own_loss;
    write(at, own_loss * element_factor, gradient * gradient_factor * upstream);
    const float magnitude = isfinite(x) ? finite_or_zero(fabsf(gradient * upstream)) : 0.0f;
    positive_slots[j] += magnitude * share;
    negative_slots[j] += magnitude * (1 - share);
  }

  EFL_DEVICE float target_of(int64_t at) const {
    if (p.level.targets) return p.level.targets[at];
    return p.level.quality ? p.level.quality[at / columns] : 1.0f;
  }

  // In float64, as on the CPU: where the probability meets the target float32 loses its digits.
  __device__ __noinline__ void soften(float x, float target, int32_t c, float* own_loss,
                                      float* gradient, float* share) const {
    const double y = target, logit = x, own_gamma = p.problem.gamma[c];
    const double w = y * p.problem.positive_weight[c] + (1 - y) * p.problem.negative_weight[c];
    efl::with_loss(p.problem.loss, [&](auto kind) {
      const auto terms = decltype(kind)::template soft<ScalarMath>(logit, y, own_gamma, w);
      *own_loss = static_cast<float>(terms.loss());
      *gradient = static_cast<float>(terms.gradient);
      *share = kind.kOfQuality ? 1.0f : target;
    });
  }

  EFL_DEVICE void write(int64_t at, float element, float gradient) const {
    if (p.level.gradient) static_cast<T*>(p.level.gradient)[at] = rounded<T>(gradient);
    if (kRare && p.level.elements) p.level.elements[at] = element;
  }

  static EFL_DEVICE float finite_or_zero(float a) { return isfinite(a) ? a : 0.0f; }

  const RowsParams& p;
  const int32_t columns;
  int32_t first;      // its first element in a step
  int32_t first_row;  // and that element's row and column
  int32_t column;
  int32_t head;  // so many of its elements are in that row
  int64_t step_elements;
  int64_t room;  // elements from its first to the end of the level
  int64_t steps;
  float gradient_factor, element_factor;
  float gamma[kLanes], weight[kLanes], negative[kLanes];
  // In shared memory, its own: sums that few elements add to, and logits and labels on their way.
  float* negative_slots;
  float* positive_slots;
  Word* ring;
  int32_t* label_ring;
};

// Folds the sums of a tile's elements onto the columns they belong to, in a fixed order.
EFL_DEVICE void fold_columns(const RowsParams& p, const float* sums, int lanes) {
  const RowsPlan& plan = p.plan;
  const int32_t columns = efl::columns_of(p.problem.convention);
  const int32_t vectors = min(plan.threads, plan.vectors_per_step - static_cast<int32_t>(blockIdx.y) * plan.threads);
  float* const partial =
      p.partial + (static_cast<int64_t>(blockIdx.x) * plan.tiles + blockIdx.y) * 2 * plan.slots;
  for (int32_t side = 0; side < 2; ++side) {
    const float* const from = sums + side * plan.threads * lanes;
    for (int32_t slot = threadIdx.x; slot < plan.slots; slot += plan.threads) {
      float sum = 0;
      for (int32_t i = slot; i < vectors * lanes; i += columns) sum += from[i];
      partial[side * plan.slots + slot] = sum;
    }
  }
}

// grid = (chunks, tiles).
template <class T, int kLanes, class Loss, bool kRare>
__global__ void __launch_bounds__(kMostThreads, kRare ? 1 : 2)
    rows_kernel(const __grid_constant__ RowsParams params) {
  EFL_DYNAMIC_SHARED(float, shared);
  __shared__ double warp_sums[kMostThreads / 32];
  __shared__ uint32_t counts[3];
  __shared__ unsigned long long bad_row;
  if (threadIdx.x == 0) {
    counts[0] = counts[1] = counts[2] = 0;
    bad_row = kNoRow;
  }
  RowsThread<T, kLanes, Loss, kRare> thread(params, shared);
  thread.run();
  __syncthreads();
  if (params.partial) fold_columns(params, shared, kLanes);
  if (thread.positives) atomicAdd(&counts[0], thread.positives);
  if (thread.ignored) atomicAdd(&counts[1], thread.ignored);
  if (thread.non_finite) atomicAdd(&counts[2], thread.non_finite);
  if (thread.bad_row != kNoRow) {
    atomicMin(&bad_row, static_cast<unsigned long long>(thread.bad_row));
  }
  const double loss = block_sum(thread.loss, warp_sums);
  if (threadIdx.x != 0) return;
  BlockTotals& totals = params.totals[static_cast<int64_t>(blockIdx.x) * gridDim.y + blockIdx.y];
  totals = {loss, counts[0], counts[1], counts[2], static_cast<int64_t>(bad_row)};
}

}  // namespace efl::cuda
