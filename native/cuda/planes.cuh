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

// Which part of the level a block has.
struct PlanesBlock {
  int32_t unit;
  int32_t group;
};

EFL_DEVICE PlanesBlock planes_block(const PlanesPlan& plan, int32_t block) {
  return {block / plan.groups, block % plan.groups};
}

// Positions of a thread, and threads of a block.
template <class T, class Loss, bool kGeneral>
constexpr int32_t kPositions =
    std::is_same_v<RegularElement<T, Loss, kGeneral>, ShortFocalElement> ? kPlanesElementsOf16Bit
                                                                         : kPlanesElements;
template <class T, class Loss, bool kGeneral>
constexpr int32_t kPlanesThreads = kUnitPositions / kPositions<T, Loss, kGeneral>;

// The general form has what the compiler finds best.
template <class T, class Loss, bool kGeneral>
constexpr int32_t kPlanesBlocks =
    kGeneral ? 1 : (kPlanesThreads<T, Loss, kGeneral> == 128 ? kBlocksOf128 : kBlocksOf256);

// What the threads of a block share.
template <int32_t kWarps>
struct PlanesShared {
  PosNegSums sums[kMostClassesOfGroup][kWarps];  // of each warp over its part of a plane
  float gamma[kMostClassesOfGroup];
  float weight[kMostClassesOfGroup];
};

template <class T, int kLanes, class Loss, bool kGeneral>
class PlanesThread : public FocalThread<T, Loss, kGeneral> {
  using Base = FocalThread<T, Loss, kGeneral>;
  using Base::columns;
  using Lanes = Vector<T, kLanes>;
  using Word = typename Lanes::Word;
  static constexpr int32_t kElements = kPositions<T, Loss, kGeneral>;
  static constexpr int32_t kThreads = kPlanesThreads<T, Loss, kGeneral>;
  static constexpr int kVectors = kElements / kLanes;

 public:
  using Shared = PlanesShared<kThreads / 32>;
  using Base::bad_row, Base::ignored, Base::non_finite, Base::positives;

  EFL_DEVICE PlanesThread(const PlanesParams& params, const PlanesBlock& block, Shared* with)
      : Base(params), p(params), shared(with) {
    const efl_format& format = p.problem.format;
    group = block.group;
    first_class = group * p.plan.classes_of_group;
    last_class = min(first_class + p.plan.classes_of_group, columns);
    for (int32_t c = first_class + threadIdx.x; c < last_class; c += kThreads) {
      shared->gamma[c - first_class] = p.problem.gamma[c];
      shared->weight[c - first_class] = this->regular_weight(c);
    }
    const int64_t image_anchor = block.unit / p.plan.tiles;
    const auto first = static_cast<int32_t>(block.unit % p.plan.tiles) * int64_t{kUnitPositions};
    const int64_t image = image_anchor / format.anchors, anchor = image_anchor % format.anchors;
    first_position = first + threadIdx.x * kLanes;
    first_row = image * p.level.positions * format.anchors + anchor;
    const RowPlace place = efl::row_place(format, p.level, columns, first_row);
    offset = place.offset;
    class_stride = place.stride;
    position_stride = format.layout == EFL_LAYOUT_NCHW ? 1 : int64_t{format.anchors} * columns;
#pragma unroll
    for (int e = 0; e < kElements; ++e) look_at(e);
    next_positive = positive_from(first_class);
  }

  // After a barrier: gammas and weights come from other threads.
  EFL_DEVICE void run() {
    Word words[kVectors];
    load(first_class, words);
#pragma unroll 1
    for (int32_t c = first_class; c < last_class; ++c) {
      Word next[kVectors] = {};
      if (c + 1 < last_class) load(c + 1, next);
      PosNegSums sums = plane(c, words);
      sums.negative = sum_of_warp(sums.negative);
      if (__any_sync(0xffffffffu, sums.positive != 0)) sums.positive = sum_of_warp(sums.positive);
      if (threadIdx.x % 32 == 0) shared->sums[c - first_class][threadIdx.x / 32] = sums;
      if (c == next_positive) next_positive = positive_from(c + 1);
#pragma unroll
      for (int v = 0; v < kVectors; ++v) words[v] = next[v];
    }
  }

 private:
  // In lane 0.
  static EFL_DEVICE float sum_of_warp(float sum) {
    for (int away = 16; away > 0; away >>= 1) sum += __shfl_down_sync(0xffffffffu, sum, away);
    return sum;
  }

  // The first class from c on that is that of a row of this thread.
  EFL_DEVICE int32_t positive_from(int32_t c) const {
    int32_t nearest = INT32_MAX;
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      if (positive_column[e] >= c) nearest = min(nearest, positive_column[e]);
    }
    return nearest;
  }

  EFL_DEVICE int64_t position_of(int e) const {
    return first_position + static_cast<int64_t>(e / kLanes) * (kThreads * kLanes) + e % kLanes;
  }
  EFL_DEVICE int64_t row_of(int e) const {
    return first_row + position_of(e) * p.problem.format.anchors;
  }
  EFL_DEVICE int64_t place_of(int32_t c, int e) const {
    return offset + c * class_stride + position_of(e) * position_stride;
  }
  EFL_DEVICE bool is_inside(int e) const { return position_of(e) < p.level.positions; }

  EFL_DEVICE void look_at(int e) {
    positive_column[e] = efl::kIgnored;
    ignored_positions |= 1u << e;
    if (!is_inside(e)) return;
    const int64_t row = row_of(e);
    const int32_t found = this->found(row);
    if (found != efl::kIgnored && found != efl::kInvalid) {
      positive_column[e] = efl::positive_column(p.problem.convention, found);
      ignored_positions &= ~(1u << e);
    }
    if (found >= 0 || found == efl::kDense) foreground |= 1u << e;
    if (group != 0) return;
    positives +=
        found == efl::kDense || (found >= 0 && !this->is_masked(place_of(found, e), found));
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
  EFL_DEVICE PosNegSums plane(int32_t c, const Word (&words)[kVectors]) {
    const float gamma = shared->gamma[c - first_class];
    const float weight = shared->weight[c - first_class];
    PosNegSums sums{0, 0};
#pragma unroll
    for (int v = 0; v < kVectors; ++v) {
      if (!is_inside(v * kLanes)) continue;
      float x[kLanes], gradient[kLanes];
      Lanes::widen(words[v], x);
      const bool special = c == next_positive || is_special(v, x);
      uint32_t irregular = 0, absent = 0;
      if (special) {
        irregular = irregular_of(c, v, x);
        absent = irregular | ignored_of(v) | masked_of(c, v);
#pragma unroll
        for (int j = 0; j < kLanes; ++j) x[j] = absent >> j & 1 ? kAbsent<Loss> : x[j];
      }
#pragma unroll
      for (int j = 0; j < kLanes; ++j) {
        const int e = v * kLanes + j;
        float own_weight = kGeneral ? this->negative_weight(c, x[j], foreground >> e & 1) : weight;
        if (kGeneral && p.level.row_weight) own_weight *= p.level.row_weight[row_of(e)];
        const RegularTerms made =
            this->regular(x[j], absent >> j & 1, gamma, own_weight, place_of(c, e));
        gradient[j] = made.gradient;
        if (kGeneral && p.level.elements) p.level.elements[place_of(c, e)] = made.element;
        sums.negative = fmaf(made.magnitude, kPerSumUnit, sums.negative);
      }
      if (p.level.gradient) {
        Lanes::store(static_cast<T*>(p.level.gradient) + place_of(c, v * kLanes),
                     Lanes::round(gradient));
      }
      if (special) {
        Lanes::widen(words[v], x);
        compute_irregular(c, v, irregular, x, &sums);
      }
    }
    return sums;
  }

  // Whether anything in a vector is irregular, but for positives.
  EFL_DEVICE bool is_special(int v, const float (&x)[kLanes]) const {
    if (kGeneral) return true;
    float squares = 0;
#pragma unroll
    for (int j = 0; j < kLanes; ++j) squares = fmaf(x[j], x[j], squares);
    const bool plain = squares <= kPlainLogit * kPlainLogit;  // not where a logit is not a number
    return !plain || ignored_of(v) != 0;
  }

  // Bits of the positions of a vector whose row is ignored.
  EFL_DEVICE uint32_t ignored_of(int v) const {
    return ignored_positions >> (v * kLanes) & ((1u << kLanes) - 1);
  }

  // Bits of the elements of a vector that are masked.
  EFL_DEVICE uint32_t masked_of(int32_t c, int v) const {
    uint32_t masked = 0;
    if (!kGeneral || !has_masks(p.problem, p.level)) return masked;
#pragma unroll
    for (int j = 0; j < kLanes; ++j) {
      masked |= (this->is_masked(place_of(c, v * kLanes + j), c) ? 1u : 0u) << j;
    }
    return masked;
  }

  // The irregular elements of a vector, but for those of ignored rows and masked ones.
  EFL_DEVICE uint32_t irregular_of(int32_t c, int v, const float (&x)[kLanes]) {
    uint32_t irregular = 0;
#pragma unroll
    for (int j = 0; j < kLanes; ++j) {
      const int e = v * kLanes + j;
      if (ignored_positions >> e & 1 || this->is_masked(place_of(c, e), c)) continue;
      if (fabsf(x[j]) <= kPlainLogit && !is_positive(c, e)) continue;
      irregular |= 1u << j;
    }
    return irregular;
  }

  EFL_DEVICE bool is_positive(int32_t c, int e) const {
    if (kGeneral && positive_column[e] == efl::kDense) return p.level.targets[place_of(c, e)] > 0;
    return positive_column[e] == c;
  }

  EFL_DEVICE void compute_irregular(int32_t c, int v, uint32_t irregular, const float (&x)[kLanes],
                                    PosNegSums* sums) {
#pragma unroll
    for (int j = 0; j < kLanes; ++j) {
      if (!(irregular >> j & 1)) continue;
      const int e = v * kLanes + j;
      const bool in_foreground = foreground >> e & 1;
      non_finite += !isfinite(x[j]);
      const PosNegSums own =
          this->compute({place_of(c, e), row_of(e), c, is_positive(c, e), in_foreground}, x[j]);
      sums->negative += own.negative * kPerSumUnit;
      sums->positive += own.positive * kPerSumUnit;
    }
  }

  const PlanesParams& p;
  Shared* const shared;
  int32_t group, first_class, last_class;
  int64_t first_position, first_row, offset, class_stride, position_stride;
  int32_t positive_column[kElements];  // of the row of each position, or kIgnored, or kDense
  int32_t next_positive;               // of these the least from the class on that is under way
  uint32_t ignored_positions = 0;      // bits of the positions whose row is ignored, or none
  uint32_t foreground = 0;             // and of those whose row has a class
};

// All threads of a block.
template <class T, int kLanes, class Loss, bool kGeneral>
EFL_DEVICE void compute_block(const PlanesParams& params, const PlanesBlock& block) {
  using Thread = PlanesThread<T, kLanes, Loss, kGeneral>;
  __shared__ typename Thread::Shared shared;
  Thread thread(params, block, &shared);
  __syncthreads();
  thread.run();
  __syncthreads();
  const int32_t columns = efl::columns_of(params.problem.convention);
  const int32_t c = block.group * params.plan.classes_of_group + threadIdx.x;
  if (params.partial && static_cast<int32_t>(threadIdx.x) < params.plan.classes_of_group &&
      c < columns) {
    PosNegSums total{0, 0};
    for (const PosNegSums& of_warp : shared.sums[threadIdx.x]) {
      total.negative += of_warp.negative;
      total.positive += of_warp.positive;
    }
    float* const partial = params.partial + static_cast<int64_t>(block.unit) * 2 * columns;
    partial[c] = total.negative;
    partial[columns + c] = total.positive;
    thread.collected =
        c < params.problem.convention.classes && (total.negative != 0 || total.positive != 0);
  }
  finish_block(thread,
               params.totals + static_cast<int64_t>(block.unit) * params.plan.groups + block.group);
}

// grid = units x groups.
template <class T, int kLanes, class Loss, bool kGeneral>
__global__ void __launch_bounds__(kPlanesThreads<T, Loss, kGeneral>,
                                  (kPlanesBlocks<T, Loss, kGeneral>))
    planes_kernel(const __grid_constant__ PlanesParams params) {
  compute_block<T, kLanes, Loss, kGeneral>(
      params, planes_block(params.plan, static_cast<int32_t>(blockIdx.x)));
}

}  // namespace efl::cuda
