// The fused kernel for rows of logits: loss, gradient and statistics in one pass. rows_plan.h says
// which thread has which elements.
#pragma once

#include "focal_thread.cuh"
#include "rows_plan.h"

namespace efl::cuda {

struct RowsParams : CallParams {
  RowsPlan plan;
  float* partial;       // [chunk][tile][negative, positive][slot]
  BlockTotals* totals;  // [chunk][tile]
};

// Which part of the level a block has.
struct RowsBlock {
  int32_t chunk;
  int32_t tile;
};

template <class T, int kLanes, class Loss, bool kGeneral>
class RowsThread : public FocalThread<T, Loss, kGeneral> {
  using Base = FocalThread<T, Loss, kGeneral>;
  using Lanes = Vector<T, kLanes>;
  using Word = typename Lanes::Word;
  using Base::columns;

 public:
  using Base::bad_row, Base::ignored, Base::non_finite, Base::positives;

  EFL_DEVICE RowsThread(const RowsParams& params, const RowsBlock& block, float* shared)
      : Base(params), p(params), chunk(block.chunk) {
    const RowsPlan& plan = p.plan;
    negative_slots = shared + threadIdx.x * kLanes;
    positive_slots = negative_slots + plan.threads * kLanes;
    Word* const words = reinterpret_cast<Word*>(shared + 2 * plan.threads * kLanes);
    ring = words + threadIdx.x;
    label_ring = reinterpret_cast<int32_t*>(words + kRing * plan.threads) + threadIdx.x;

    const int32_t vector = block.tile * plan.threads + threadIdx.x;
    const bool active = vector < plan.vectors_per_step;
    first = active ? vector * kLanes : 0;
    first_row = first / columns;
    column = first - first_row * columns;
    head = columns - column < kLanes ? columns - column : kLanes;
    step_elements = static_cast<int64_t>(plan.rows_per_step) * columns;
    room = active ? p.rows * columns - first : 0;
    steps = room < kLanes ? 0 : (room - kLanes) / step_elements + 1;
    know_labels();

#pragma unroll
    for (int j = 0; j < kLanes; ++j) {
      const int32_t c = column_of(j);
      gamma[j] = p.problem.gamma[c];
      weight[j] = this->regular_weight(c);
      negative[j] = 0;
      negative_slots[j] = 0;
      positive_slots[j] = 0;
    }
  }

  // Its steps are that of its chunk's number, and every so-many-chunks-th from there.
  EFL_DEVICE void run() {
    int64_t ahead = chunk;
#pragma unroll
    for (int i = 0; i < kRing; ++i) fetch(&ahead, i);
    int32_t slot = 0;
#pragma unroll 1
    for (int64_t step = chunk; step < steps; step += p.plan.chunks) {
      __pipeline_wait_prior(kRing - 1);
      const Word word = ring[slot * p.plan.threads];
      const int32_t label = label_ring[slot * p.plan.threads];
      fetch(&ahead, slot);
      vector(step, word, label);
      slot = slot == kRing - 1 ? 0 : slot + 1;
    }
    const int64_t rest = room - steps * step_elements;
    if (rest > 0 && steps % p.plan.chunks == chunk) tail(static_cast<int32_t>(rest));
#pragma unroll
    for (int j = 0; j < kLanes; ++j) negative_slots[j] += negative[j];
  }

 private:
  // Elements of a vector, as bits.
  struct ElementMasks {
    uint32_t irregular = 0;
    uint32_t counted = 0;  // of these, those that are not in ignored rows
    uint32_t positive = 0;
    uint32_t foreground = 0;  // in rows that have a class
  };

  EFL_DEVICE int32_t column_of(int j) const {
    const int32_t c = column + j;
    return j < head ? c : c % columns;
  }
  EFL_DEVICE int64_t element_at(int64_t step) const { return step * step_elements + first; }
  EFL_DEVICE int64_t row_at(int64_t step) const { return step * p.plan.rows_per_step + first_row; }

  // Of element j of a step.
  EFL_DEVICE int64_t row_of(int64_t step, int j) const {
    return row_at(step) + (j < head ? 0 : 1 + (j - head) / columns);
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
      if (!kGeneral || p.level.labels) {
        __pipeline_memcpy_async(label_ring + slot * p.plan.threads, p.level.labels + row_at(*step),
                                sizeof(int32_t));
      }
      *step += p.plan.chunks;
    }
    __pipeline_commit();
  }

  EFL_DEVICE void vector(int64_t step, const Word& word, int32_t label) {
    float x[kLanes], gradient[kLanes], element[kLanes];
    Lanes::widen(word, x);
    ElementMasks masks;
    const bool special = is_special(label, x);
    if (special) {
      masks = look_at(step, x, kLanes);
#pragma unroll
      for (int j = 0; j < kLanes; ++j) x[j] = masks.irregular >> j & 1 ? kAbsent<Loss> : x[j];
    }
    const int64_t at = element_at(step);
#pragma unroll
    for (int j = 0; j < kLanes; ++j) {
      const bool absent = masks.irregular >> j & 1, foreground = masks.foreground >> j & 1;
      float own_weight =
          kGeneral ? this->negative_weight(column_of(j), x[j], foreground) : weight[j];
      if (kGeneral && p.level.row_weight) own_weight *= p.level.row_weight[row_of(step, j)];
      const RegularTerms made = this->regular(x[j], absent, gamma[j], own_weight, at + j);
      gradient[j] = made.gradient;
      element[j] = made.element;
      negative[j] = fmaf(made.magnitude, kPerSumUnit, negative[j]);
    }
    if (p.level.gradient) {
      Lanes::store(static_cast<T*>(p.level.gradient) + at, Lanes::round(gradient));
    }
    if (kGeneral && p.level.elements) {
#pragma unroll
      for (int j = 0; j < kLanes; ++j) p.level.elements[at + j] = element[j];
    }
    if (special) {
      Lanes::widen(word, x);
      compute_irregular(at, masks, x);
    }
  }

  // The elements at the end of the level that do not fill a vector.
  EFL_DEVICE void tail(int32_t count) {
    const int64_t at = element_at(steps);
    float x[kLanes];
#pragma unroll
    for (int j = 0; j < kLanes; ++j) {
      x[j] = j < count ? to_float(static_cast<const T*>(p.level.logits)[at + j]) : 0.0f;
    }
    ElementMasks masks = look_at(steps, x, count);
    for (int j = 0; j < count; ++j) {
      if (masks.irregular >> j & 1) this->write(at + j, 0, 0);
    }
    const uint32_t all = (1u << count) - 1;
    masks.counted |= all & ~masks.irregular;
    compute_irregular(at, masks, x);
  }

  EFL_DEVICE bool is_special(int32_t label, const float (&x)[kLanes]) const {
    float squares = 0;
#pragma unroll
    for (int j = 0; j < kLanes; ++j) squares = fmaf(x[j], x[j], squares);
    const bool plain = squares <= kPlainLogit * kPlainLogit;  // not where a logit is not a number
    const uint32_t own = static_cast<uint32_t>(label) - own_label;
    const uint32_t known = static_cast<uint32_t>(label) - first_known;
    return !plain || known >= known_count || own < static_cast<uint32_t>(kLanes);
  }

  // Labels of rows whose elements of this thread are negatives, but for the labels of its own
  // columns: the classes and, beside them, the background. None where every vector is special.
  EFL_DEVICE void know_labels() {
    const efl_label_convention& convention = p.problem.convention;
    const auto first_class = static_cast<uint32_t>(convention.first_class);
    const auto classes = static_cast<uint32_t>(convention.classes);
    const auto background = static_cast<uint32_t>(convention.background);
    own_label = first_class + static_cast<uint32_t>(column);
    first_known = first_class;
    known_count = classes;
    if (convention.has_background && background + 1 == first_class) {
      first_known = background;
      ++known_count;
    } else if (convention.has_background && background == first_class + classes) {
      ++known_count;
    }
    const bool has_objectness = convention.has_objectness && column + kLanes == columns;
    if (kGeneral || head < kLanes || has_objectness) known_count = 0;
  }

  // The first `count` elements, row by row.
  EFL_DEVICE ElementMasks look_at(int64_t step, const float (&x)[kLanes], int32_t count) {
    ElementMasks masks;
    int32_t c = column;
    int64_t row = row_at(step);
    for (int32_t j = 0; j < count; ++row, c = 0) {
      const int32_t end = j + columns - c < count ? j + columns - c : count;
      look_at_row(&masks, row, c, j, end, step);
      j = end;
    }
#pragma unroll
    for (int j = 0; j < kLanes; ++j) {
      if (j >= count || fabsf(x[j]) <= kPlainLogit) continue;
      if (masks.irregular >> j & ~masks.counted >> j & 1) continue;
      non_finite += !isfinite(x[j]);
      masks.irregular |= 1u << j;
      masks.counted |= 1u << j;
    }
    return masks;
  }

  // The elements j to end - 1, which are the columns of a row from c on.
  EFL_DEVICE void look_at_row(ElementMasks* masks, int64_t row, int32_t c, int32_t j, int32_t end,
                              int64_t step) {
    const efl_label_convention& convention = p.problem.convention;
    const int32_t found = this->found(row);
    const uint32_t elements = ((1u << (end - j)) - 1) << j;
    if (found == efl::kIgnored || found == efl::kInvalid) {
      masks->irregular |= elements;
      if (c != 0) return;
      if (found == efl::kIgnored) ++ignored;
      if (found == efl::kInvalid && row < bad_row) bad_row = row;
      return;
    }
    if (c == 0 && found == efl::kDense) ++positives;
    if (found >= 0 || found == efl::kDense) masks->foreground |= elements;
    uint32_t positive = 0;
    const int32_t at = efl::positive_column(convention, found) - c;
    if (kGeneral && efl::is_dense(found)) {
      const int64_t from = element_at(step);
      for (int32_t i = j; i < end; ++i) positive |= (p.level.targets[from + i] > 0 ? 1u : 0u) << i;
    } else if (at >= 0 && at < end - j) {
      positive = 1u << (j + at);
    }
    uint32_t masked = 0;
    if (kGeneral && has_masks(p.problem, p.level)) {
      const int64_t from = element_at(step);
      for (int32_t i = j; i < end; ++i) {
        masked |= (this->is_masked(from + i, c + i - j) ? 1u : 0u) << i;
      }
      masks->irregular |= masked;
      positive &= ~masked;
    }
    // By the thread that has the positive: nobody else need look at the row.
    if (found >= 0 && positive) ++positives;
    masks->positive |= positive;
    const uint32_t counted = this->is_smooth() ? elements & ~masked : positive;
    masks->irregular |= counted;
    masks->counted |= counted;
  }

  EFL_DEVICE void compute_irregular(int64_t at, const ElementMasks& masks,
                                    const float (&x)[kLanes]) {
#pragma unroll 1
    for (int j = 0; j < kLanes; ++j) {
      if (!(masks.counted >> j & 1)) continue;
      float logit = 0;
#pragma unroll
      for (int i = 0; i < kLanes; ++i) {
        if (i == j) logit = x[i];
      }
      const bool positive = masks.positive >> j & 1, foreground = masks.foreground >> j & 1;
      const int64_t row = (at + j) / columns;
      const PosNegSums own =
          this->compute({at + j, row, column_of(j), positive, foreground}, logit);
      negative_slots[j] += own.negative * kPerSumUnit;
      positive_slots[j] += own.positive * kPerSumUnit;
    }
  }

  const RowsParams& p;
  const int32_t chunk;
  int32_t first;      // its first element in a step
  int32_t first_row;  // and that element's row and column
  int32_t column;
  int32_t head;  // so many of its elements are in that row
  int64_t step_elements;
  int64_t room;  // elements from its first to the end of the level
  int64_t steps;
  uint32_t own_label, first_known, known_count;
  float gamma[kLanes], weight[kLanes], negative[kLanes];
  // In shared memory, its own: sums that few elements add to, and logits and labels on their way.
  float* negative_slots;
  float* positive_slots;
  Word* ring;
  int32_t* label_ring;
};

// Folds the sums of a tile's elements onto the columns they belong to, in a fixed order. Returns
// whether a class among this thread's columns has seen a gradient.
EFL_DEVICE bool fold_columns(const RowsParams& p, const RowsBlock& block, const float* sums,
                             int lanes) {
  const RowsPlan& plan = p.plan;
  const int32_t columns = efl::columns_of(p.problem.convention);
  const int32_t vectors = min(plan.threads, plan.vectors_per_step - block.tile * plan.threads);
  float* const partial =
      p.partial + (static_cast<int64_t>(block.chunk) * plan.tiles + block.tile) * 2 * plan.slots;
  const int32_t first_column = block.tile * plan.threads * lanes % columns;
  bool collected = false;
  for (int32_t side = 0; side < 2; ++side) {
    const float* const from = sums + side * plan.threads * lanes;
    for (int32_t slot = threadIdx.x; slot < plan.slots; slot += plan.threads) {
      float sum = 0;
      for (int32_t i = slot; i < vectors * lanes; i += columns) sum += from[i];
      partial[side * plan.slots + slot] = sum;
      collected |= sum != 0 && (first_column + slot) % columns < p.problem.convention.classes;
    }
  }
  return collected;
}

// All threads of a block, with plan.shared_bytes of dynamic shared memory.
template <class T, int kLanes, class Loss, bool kGeneral>
EFL_DEVICE void compute_block(const RowsParams& params, const RowsBlock& block) {
  EFL_DYNAMIC_SHARED(float, shared);
  RowsThread<T, kLanes, Loss, kGeneral> thread(params, block, shared);
  thread.run();
  __syncthreads();
  if (params.partial) thread.collected = fold_columns(params, block, shared, kLanes);
  finish_block(thread,
               params.totals + static_cast<int64_t>(block.chunk) * params.plan.tiles + block.tile);
}

// grid = (chunks, tiles).
template <class T, int kLanes, class Loss, bool kGeneral>
__global__ void __launch_bounds__(kMostRowsThreads, kGeneral ? 1 : kRowsBlocks)
    rows_kernel(const __grid_constant__ RowsParams params) {
  const RowsBlock block = {static_cast<int32_t>(blockIdx.x), static_cast<int32_t>(blockIdx.y)};
  compute_block<T, kLanes, Loss, kGeneral>(params, block);
}

}  // namespace efl::cuda
