// The fused kernel for levels whose rows do not lie side by side; planes_plan.h says how. The class
// is constant along a plane: what it needs is the same for all threads, and its sums are running.
#pragma once

#include "../core/layout.h"
#include "focal_thread.cuh"
#include "planes_plan.h"

namespace efl::cuda {

struct PlanesParams : CallParams {
  PlanesPlan plan;
  float* partial;       // [unit][negative, positive][column], or null
  BlockTotals* totals;  // [unit][group]
};

constexpr int32_t kPlanesWarps = kPlanesThreads / 32;

// Sums of each warp over its part of a plane.
struct WarpSums {
  Sides of[kMostClassesOfGroup][kPlanesWarps];
};

template <class T, int kLanes, class Loss, bool kRare>
class PlanesThread : public FocalThread<T, Loss, kRare> {
  using Base = FocalThread<T, Loss, kRare>;
  using Base::columns, Base::element_factor, Base::gradient_factor;
  using Lanes = Vector<T, kLanes>;
  using Word = typename Lanes::Word;
  static constexpr int kVectors = kPlanesElements / kLanes;

 public:
  using Base::bad_row, Base::ignored, Base::loss, Base::non_finite, Base::positives;

  EFL_DEVICE PlanesThread(const PlanesParams& params, WarpSums* sums)
      : Base(params), p(params), warp_sums(sums) {
    const efl_format& format = p.problem.format;
    const int64_t unit = blockIdx.x;
    const int64_t image_anchor = unit / p.plan.tiles;
    const auto first = static_cast<int32_t>(unit % p.plan.tiles) * int64_t{kUnitPositions};
    const int64_t image = image_anchor / format.anchors, anchor = image_anchor % format.anchors;
    first_position = first + threadIdx.x * kLanes;
    first_row = image * p.level.positions * format.anchors + anchor;
    const RowPlace place = efl::row_place(format, p.level, columns, first_row);
    offset = place.offset;
    class_stride = place.stride;
    position_stride = format.layout == EFL_LAYOUT_NCHW ? 1 : int64_t{format.anchors} * columns;
#pragma unroll
    for (int e = 0; e < kPlanesElements; ++e) look_at(e);
  }

  EFL_DEVICE void run() {
    const int32_t first = blockIdx.y * p.plan.classes_of_group;
    const int32_t last = min(first + p.plan.classes_of_group, columns);
    Word words[kVectors];
    load(first, words);
#pragma unroll 1
    for (int32_t c = first; c < last; ++c) {
      Word next[kVectors] = {};
      if (c + 1 < last) load(c + 1, next);
      Sides sums = plane(c, words);
      for (int away = 16; away > 0; away >>= 1) {
        sums.negative += __shfl_down_sync(0xffffffffu, sums.negative, away);
        sums.positive += __shfl_down_sync(0xffffffffu, sums.positive, away);
      }
      if (threadIdx.x % 32 == 0) warp_sums->of[c - first][threadIdx.x / 32] = sums;
#pragma unroll
      for (int v = 0; v < kVectors; ++v) words[v] = next[v];
    }
  }

 private:
  EFL_DEVICE int64_t position_of(int e) const {
    return first_position + static_cast<int64_t>(e / kLanes) * (kPlanesThreads * kLanes) +
           e % kLanes;
  }
  EFL_DEVICE int64_t row_of(int e) const {
    return first_row + position_of(e) * p.problem.format.anchors;
  }
  EFL_DEVICE int64_t place_of(int32_t c, int e) const {
    return offset + c * class_stride + position_of(e) * position_stride;
  }
  EFL_DEVICE bool is_inside(int e) const { return position_of(e) < p.level.positions; }

  EFL_DEVICE void look_at(int e) {
    if (!is_inside(e)) {
      positive_column[e] = efl::kIgnored;
      return;
    }
    const int64_t row = row_of(e);
    const int32_t found = this->found(row);
    positive_column[e] = efl::positive_column(p.problem.convention, found);
    if (found >= 0 || found == efl::kDense) foreground |= 1u << e;
    if (found == efl::kInvalid) positive_column[e] = efl::kIgnored;
    if (blockIdx.y != 0) return;
    positives += found >= 0 || found == efl::kDense;
    ignored += found == efl::kIgnored;
    if (found == efl::kInvalid && row < bad_row) bad_row = row;
  }

  EFL_DEVICE void load(int32_t c, Word (&words)[kVectors]) const {
#pragma unroll
    for (int v = 0; v < kVectors; ++v) {
      words[v] = Word{};
      if (!is_inside(v * kLanes)) continue;
      words[v] = Lanes::load(static_cast<const T*>(p.level.logits) + place_of(c, v * kLanes));
    }
  }

  // The positions of this thread in the plane of class c.
  EFL_DEVICE Sides plane(int32_t c, const Word (&words)[kVectors]) {
    const float gamma = p.problem.gamma[c];
    const float weight = p.problem.negative_weight[c];
    Sides sums{0, 0};
#pragma unroll
    for (int v = 0; v < kVectors; ++v) {
      if (!is_inside(v * kLanes)) continue;
      float x[kLanes], gradient[kLanes];
      Lanes::widen(words[v], x);
      const uint32_t apart = apart_of(c, v, x);
#pragma unroll
      for (int j = 0; j < kLanes; ++j) {
        const int e = v * kLanes + j;
        const bool absent = (apart >> j & 1) || positive_column[e] == efl::kIgnored;
        const float own_weight =
            kRare ? this->negative_weight(c, x[j], foreground >> e & 1) : weight;
        const auto terms = Loss::template hard<typename Base::CommonMath>(
            absent ? kAbsent<Loss> : x[j], gamma, own_weight);
        loss = fmaf(terms.scaled, terms.cross_entropy, loss);
        gradient[j] = terms.gradient * gradient_factor;
        float magnitude = terms.gradient;
        if (kRare && p.level.grad_output) {
          const float upstream = p.level.grad_output[place_of(c, e)];
          gradient[j] = absent ? 0.0f : gradient[j] * upstream;
          magnitude = absent ? 0.0f : finite_or_zero(magnitude * fabsf(upstream));
        }
        if (kRare && p.level.elements) {
          p.level.elements[place_of(c, e)] = terms.loss() * element_factor;
        }
        sums.negative += magnitude;
      }
      if (p.level.gradient) {
        Lanes::store(static_cast<T*>(p.level.gradient) + place_of(c, v * kLanes),
                     Lanes::round(gradient));
      }
      if (apart) each_apart(c, v, apart, x, &sums);
    }
    return sums;
  }

  // The elements of a vector that are not for the common way, but for those of ignored rows.
  EFL_DEVICE uint32_t apart_of(int32_t c, int v, const float (&x)[kLanes]) {
    uint32_t apart = 0;
#pragma unroll
    for (int j = 0; j < kLanes; ++j) {
      const int32_t column = positive_column[v * kLanes + j];
      const bool plain = fabsf(x[j]) <= kPlainLogit;
      if (column == efl::kIgnored || (column != c && column != efl::kDense && plain)) continue;
      if (column == efl::kDense && plain && !is_positive(c, v * kLanes + j)) continue;
      apart |= 1u << j;
    }
    return apart;
  }

  EFL_DEVICE bool is_positive(int32_t c, int e) const {
    if (kRare && positive_column[e] == efl::kDense) return p.level.targets[place_of(c, e)] > 0;
    return positive_column[e] == c;
  }

  EFL_DEVICE void each_apart(int32_t c, int v, uint32_t apart, const float (&x)[kLanes],
                             Sides* sums) {
#pragma unroll
    for (int j = 0; j < kLanes; ++j) {
      if (!(apart >> j & 1)) continue;
      const int e = v * kLanes + j;
      const bool in_foreground = foreground >> e & 1;
      non_finite += !isfinite(x[j]);
      const Sides sides =
          this->compute({place_of(c, e), row_of(e), c, is_positive(c, e), in_foreground}, x[j]);
      sums->negative += sides.negative;
      sums->positive += sides.positive;
    }
  }

  const PlanesParams& p;
  WarpSums* const warp_sums;
  int64_t first_position, first_row, offset, class_stride, position_stride;
  int32_t positive_column[kPlanesElements];  // of the row of each position, or kIgnored, or kDense
  uint32_t foreground = 0;                   // bits of the positions whose row has a class
};

// grid = (units, groups).
template <class T, int kLanes, class Loss, bool kRare>
__global__ void __launch_bounds__(kPlanesThreads)
    planes_kernel(const __grid_constant__ PlanesParams params) {
  __shared__ WarpSums sums;
  PlanesThread<T, kLanes, Loss, kRare> thread(params, &sums);
  thread.run();
  __syncthreads();
  const int32_t columns = efl::columns_of(params.problem.convention);
  const int32_t c = blockIdx.y * params.plan.classes_of_group + threadIdx.x;
  if (params.partial && static_cast<int32_t>(threadIdx.x) < params.plan.classes_of_group &&
      c < columns) {
    Sides total{0, 0};
    for (int32_t warp = 0; warp < kPlanesWarps; ++warp) {
      total.negative += sums.of[threadIdx.x][warp].negative;
      total.positive += sums.of[threadIdx.x][warp].positive;
    }
    float* const partial = params.partial + static_cast<int64_t>(blockIdx.x) * 2 * columns;
    partial[c] = total.negative;
    partial[columns + c] = total.positive;
  }
  finish_block(thread, params.totals + static_cast<int64_t>(blockIdx.x) * gridDim.y + blockIdx.y);
}

}  // namespace efl::cuda
