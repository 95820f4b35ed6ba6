// Rows of logits: the classes run along a register.
#pragma once

#include "../core/labels.h"
#include "../core/layout.h"
#include "../core/selection.h"
#include "elements.h"
#include "stage.h"

namespace {

// One row of logits. What only some losses need of it is looked up by its index.
struct Row : Stream {
  int64_t index;
  int32_t column;   // of the positive; or a constant of labels.h
  bool foreground;  // has a class, and the loss cares
  // Where rows differ: the weights of its negatives, before the factor that is the weight of the
  // row.
  const float* weights;
  float factor;
};

// Rows whose negatives all weigh the same, or by what is in their row: its class, its weight, a
// mask.
enum class Weights { kOfColumn, kOfRow };

// What needs no haste, and so is decided while it runs.
class AnyRows : protected Elements {
 protected:
  AnyRows(const FocalTask& task, const Tile& tile, TileSums* sums, bool compiled)
      : Elements(task, task.problem->levels[tile.level], compiled),
        level_(task.problem->levels[tile.level]),
        sums_(sums),
        columns_(efl::columns_of(task.problem->convention)),
        first_column_(tile.first_column),
        last_column_(tile.last_column),
        stride_(efl::row_place(task.problem->format, level_, columns_, 0).stride),
        selects_(level_.row_weight || level_.mask || task.column_mask),
        dense_columns_(task.dense_columns ? task.dense_columns[tile.level] : nullptr),
        logits_(static_cast<const float*>(level_.logits)),
        gradient_(static_cast<float*>(level_.gradient)),
        row_ahead_(Staging{task.problem->format.dtype, stride_}.needed() ? 0 : columns_) {}

  // Of the first element of a row in the level's arrays.
  EFL_MEMBER int64_t offset_of(int64_t index) const {
    if (stride_ == 1) return index * columns_;
    return efl::row_place(problem_.format, level_, columns_, index).offset;
  }

  // An ignored row: no loss and no gradient.
  EFL_NEVER_INLINE void clear(const Row& row) {
    const Staging gradient = {problem_.format.dtype, stride_};
    const Staging floats = {EFL_FLOAT32, stride_};
    const float zeros[kStagedElements] = {};
    for (int32_t c = first_column_; c < last_column_; c += kStagedElements) {
      const int32_t rest = last_column_ - c;
      const int32_t count = rest < kStagedElements ? rest : kStagedElements;
      const int64_t offset = offset_of(row.index) + c * stride_;
      if (level_.gradient) unstage(gradient, zeros, level_.gradient, offset, count);
      if (level_.elements) unstage(floats, zeros, level_.elements, offset, count);
    }
  }

  // kMany: so many registers hold a positive that going to and fro would cost more than masks.
  // kFewSoft: few, and not all of them are hard. kAnywhere: only the targets say where.
  enum class Positives { kFew, kMany, kFewSoft, kAnywhere };

  template <int32_t kStreams>
  EFL_MEMBER Positives positives_of(const Row* rows) const {
    int32_t positives = 0;
    bool dense = false, soft = false;
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
      const bool positive = rows[r].column >= 0;
      positives += positive;
      dense |= efl::is_dense(rows[r].column);
      soft |= positive && quality_of(rows[r].index) < task_.soft_below;
    }
    const bool many = positives * 3 * kLanes > columns_;
    if (dense || (soft && many)) return Positives::kAnywhere;
    if (soft) return Positives::kFewSoft;
    return many ? Positives::kMany : Positives::kFew;
  }

  // Of the positive of a row.
  EFL_MEMBER float quality_of(int64_t index) const {
    return level_.quality ? level_.quality[index] : 1.0f;
  }

  // From c on, up to here all registers are full and hold negatives only.
  template <int32_t kStreams>
  EFL_MEMBER int32_t end_of_negatives(const Row* rows, int32_t c, int32_t last) const {
    int32_t end = last;
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
      if (rows[r].column >= c && rows[r].column < end) end = rows[r].column;
    }
    return c + (end - c) / kLanes * kLanes;
  }

  template <int32_t kStreams>
  EFL_NEVER_INLINE void any(const Row* rows, int32_t first, int32_t last) {
    Stream streams[kStreams];
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) streams[r] = rows[r];
    for (int32_t c = first; c < last; c += kLanes) {
      const int32_t count = last - c < kLanes ? last - c : kLanes;
      Lanes<kStreams> lanes;
      const Pack gamma = load_lanes(problem_.gamma + c, count);
      const Pack positive_weight = load_lanes(problem_.positive_weight + c, count);
      for (int32_t r = 0; r < kStreams; ++r) {
        lanes.gamma.of[r] = gamma;
        lanes.positive_weight.of[r] = positive_weight;
        describe(rows[r], c, count, r, &lanes);
        if (selects_) select_lanes(rows[r], c, count, r, &lanes);
      }
      const Sides<kStreams> sides = mixed<kStreams>(streams, c, count, lanes);
      if (!sums_->negative) continue;
      add_rows_to(sums_->negative + c, sides.negative, wide_);
      add_rows_to(sums_->positive + c, sides.positive, wide_);
    }
  }

  template <int32_t kStreams>
  EFL_MEMBER void describe(const Row& row, int32_t c, int32_t count, int32_t r,
                           Lanes<kStreams>* lanes) const {
    lanes->logits.of[r] = load_lanes(row.logits + c, count);
    lanes->negative_weight.of[r] = load_lanes(weights_of(row) + c, count);
    if (row.foreground) {
      lanes->negative_weight.of[r] = unless_low(lanes->logits.of[r], lanes->negative_weight.of[r]);
    }
    lanes->counted[r] = Bits{} - 1;
    if (task_.smooth) lanes->classes[r] = ~lane_is(problem_.convention.classes - c);
    if (efl::is_dense(row.column)) {
      float targets[kLanes] = {};
      read_targets(row, c, count, targets);
      const Pack target = load(targets);
      lanes->target.of[r] = target;
      lanes->positive[r] = target > 0;
      lanes->soft[r] = lanes->positive[r] & (target < task_.soft_below);
      return;
    }
    lanes->positive[r] = lane_is(row.column - c);
    lanes->target.of[r] = broadcast(quality_of(row.index));
    lanes->soft[r] = lanes->positive[r] & (lanes->target.of[r] < task_.soft_below);
  }

  // What the weight of the row and masks leave of it.
  template <int32_t kStreams>
  EFL_NEVER_INLINE void select_lanes(const Row& row, int32_t c, int32_t count, int32_t r,
                                     Lanes<kStreams>* lanes) const {
    const Pack factor = broadcast(factor_of(row));
    const Bits counted = counted_lanes(row, c, count);
    lanes->positive_weight.of[r] = lanes->positive_weight.of[r] * factor;
    lanes->negative_weight.of[r] = lanes->negative_weight.of[r] * factor;
    lanes->counted[r] = counted;
    lanes->positive[r] &= counted;
    lanes->soft[r] &= counted;
  }

  EFL_MEMBER float factor_of(const Row& row) const { return efl::row_weight_of(level_, row.index); }

  // Those that no mask leaves out.
  EFL_MEMBER Bits counted_lanes(const Row& row, int32_t c, int32_t count) const {
    Bits counted = Bits{} - 1;
    if (level_.mask) {
      const uint8_t* const mask = level_.mask + offset_of(row.index) + c * stride_;
      counted = stride_ == 1 ? lanes_of(mask, count) : strided_lanes(mask, count);
    }
    if (task_.column_mask) counted &= lanes_of(task_.column_mask + c, kLanes);
    return counted;
  }

  EFL_NEVER_INLINE Bits strided_lanes(const uint8_t* mask, int32_t count) const {
    uint8_t bytes[kLanes] = {};
    for (int32_t i = 0; i < count; ++i) bytes[i] = mask[i * stride_];
    return lanes_of(bytes, kLanes);
  }

  // The weights of negatives in columns first to last - 1, but for the factor of the row.
  EFL_NEVER_INLINE void lay_out_weights(const Row& row, int32_t first, int32_t last,
                                        float* weights) const {
    for (int32_t c = first; c < last; c += kLanes) {
      const int32_t count = last - c < kLanes ? last - c : kLanes;
      Pack weight = load_lanes(weights_of(row) + c, count);
      if (row.foreground) weight = unless_low(load_lanes(row.logits + c, count), weight);
      if (level_.mask) weight = select(counted_lanes(row, c, count), weight, Pack{});
      store(weights + (c - first), weight);
    }
  }

  // Where negatives are weighed by what is in their row.
  EFL_MEMBER const float* weights_of(const Row& row) const {
    return row.foreground ? problem_.foreground_weight : problem_.negative_weight;
  }
  EFL_MEMBER Pack unless_low(Pack logits, Pack weight) const {
    return select(logits < broadcast(problem_.foreground_threshold), Pack{}, weight);
  }

  EFL_NEVER_INLINE void read_targets(const Row& row, int32_t c, int32_t count,
                                     float* targets) const {
    const Staging floats = {EFL_FLOAT32, stride_};
    stage(floats, level_.targets, offset_of(row.index) + c * stride_, targets, count);
  }

  EFL_MEMBER int32_t class_of(int64_t index) const {
    if (dense_columns_) return dense_columns_[index];
    return efl::label_column(problem_.convention, level_.labels[index]);
  }

  // Columns first to last - 1 of some rows, by the kernel whose rows these are.
  using Columns = void (*)(AnyRows* rows, const Row* group, int32_t first, int32_t last);

  // From column c on, of these rows or, at their end, of the next ones.
  template <int32_t kStreams>
  EFL_MEMBER void prefetch_next(const Stage<kStreams>& stage, const Row* rows, int32_t c) const {
    if (stride_ != 1) return;
    const int32_t from = c < last_column_ ? c : first_column_;
    const int64_t rows_on = c < last_column_ ? 0 : kStreams * int64_t{columns_};
    const int32_t rest = last_column_ - from;
    const int32_t count = rest < kStagedElements ? rest : kStagedElements;
    for (int32_t r = 0; r < kStreams; ++r) {
      stage.prefetch(offset_of(rows[r].index) + rows_on + from, count);
    }
  }

  template <int32_t kStreams>
  EFL_NEVER_INLINE void staged(const Row* rows, Columns columns) {
    Stage<kStreams> stage(problem_.format, level_, stride_);
    Row staged[kStreams];
    for (int32_t c = first_column_; c < last_column_; c += kStagedElements) {
      const int32_t end = last_column_ - c < kStagedElements ? last_column_ : c + kStagedElements;
      for (int32_t r = 0; r < kStreams; ++r) {
        staged[r] = rows[r];
        static_cast<Stream&>(staged[r]) =
            stage.open(r, offset_of(rows[r].index) + c * stride_, c, end - c);
      }
      prefetch_next(stage, rows, end);
      columns(this, staged, c, end);
      for (int32_t r = 0; r < kStreams; ++r) {
        stage.close(r, offset_of(rows[r].index) + c * stride_, end - c);
      }
    }
  }

  const efl_level& level_;
  TileSums* const sums_;
  const int32_t columns_;
  const int32_t first_column_;  // of the tile
  const int32_t last_column_;
  const int64_t stride_;
  const bool selects_;  // there are weights of rows, or masks
  const int32_t* const dense_columns_;
  // Where the elements are float32 side by side.
  const float* const logits_;
  float* const gradient_;
  const int64_t row_ahead_;  // how far to look ahead for one row; not at all on a stage
};

template <class Outputs, class Element, Weights kWeights, bool kElementwise>
class Rows : AnyRows {
 public:
  static void run(const FocalTask& task, const Tile& tile, TileSums* sums) {
    Rows rows(task, tile, sums);
    Row group[kStreams];
    int32_t count = 0;
    for (int64_t index = tile.first_row; index < tile.last_row; ++index) {
      group[count] = rows.row(index);
      if (group[count].column == efl::kIgnored) {
        rows.clear(group[count]);
      } else if (++count == kStreams) {
        rows.template compute<kStreams>(group);
        count = 0;
      }
    }
    int32_t done = 0;
    for (; done + 2 <= count; done += 2) rows.template compute<2>(group + done);
    if (done < count) rows.template compute<1>(group + done);
    rows.finish(sums);
  }

 private:
  Rows(const FocalTask& task, const Tile& tile, TileSums* sums)
      : AnyRows(task, tile, sums, Element::kSeldom || !is_seldom(task)) {}

  EFL_MEMBER Row row(int64_t index) const {
    const int64_t offset = offset_of(index);
    const int32_t found = class_of(index);
    Row row;
    row.logits = logits_ + offset;
    row.gradient = Outputs::kGradient ? gradient_ + offset : nullptr;
    row.elements = kElementwise && level_.elements ? level_.elements + offset : nullptr;
    row.grad_output = kElementwise && level_.grad_output ? level_.grad_output + offset : nullptr;
    row.index = index;
    row.column = efl::positive_column(problem_.convention, found);
    row.foreground =
        kWeights == Weights::kOfRow && problem_.foreground_weight && efl::has_class(found);
    if constexpr (kWeights == Weights::kOfRow) {
      row.weights = problem_.negative_weight;
      row.factor = factor_of(row);
    }
    return row;
  }

  template <int32_t kStreams>
  EFL_MEMBER void compute(const Row* rows) {
    if (problem_.format.dtype == EFL_FLOAT32 && stride_ == 1) {
      weighed<kStreams>(rows, first_column_, last_column_);
    } else {
      staged<kStreams>(rows, columns_of<kStreams>);
    }
  }

  template <int32_t kStreams>
  static void columns_of(AnyRows* rows, const Row* group, int32_t first, int32_t last) {
    static_cast<Rows*>(rows)->template weighed<kStreams>(group, first, last);
  }

  // Columns first to last - 1 of some rows. Where a mask or the class of a row decides over single
  // weights, they are laid out before.
  template <int32_t kStreams>
  EFL_MEMBER void weighed(const Row* rows, int32_t first, int32_t last) {
    if constexpr (kWeights == Weights::kOfRow) {
      bool differ = level_.mask;
      EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) differ |= rows[r].foreground;
      if (differ) return with_own_weights<kStreams>(rows, first, last);
    }
    columns<kStreams>(rows, first, last);
  }

  template <int32_t kStreams>
  EFL_NEVER_INLINE void with_own_weights(const Row* rows, int32_t first, int32_t last) {
    alignas(64) float weights[kStreams][kStagedElements + kLanes];
    Row own[kStreams];
    for (int32_t c = first; c < last; c += kStagedElements) {
      const int32_t end = last - c < kStagedElements ? last : c + kStagedElements;
      for (int32_t r = 0; r < kStreams; ++r) {
        own[r] = rows[r];
        own[r].weights = weights[r] - c;
        lay_out_weights(rows[r], c, end, weights[r]);
      }
      columns<kStreams>(own, c, end);
    }
  }

  // Columns first to last - 1 of some rows.
  template <int32_t kStreams>
  EFL_NEVER_INLINE void columns(const Row* rows, int32_t first, int32_t last) {
    const Positives positives = positives_of<kStreams>(rows);
    if (!plain_ || positives == Positives::kAnywhere) return any<kStreams>(rows, first, last);
    const bool few = positives != Positives::kMany;
    for (int32_t c = first; c < last;) {
      if (few) {
        const int32_t end = end_of_negatives<kStreams>(rows, c, last);
        if constexpr (Element::kLowPays && !kElementwise) c = low_registers<kStreams>(rows, c, end);
        c = plain<kStreams, Domain::kPlain, false>(rows, c, end);
        if (c == last) break;
      }
      const int32_t end = few && last - c > kLanes ? c + kLanes : last;
      if constexpr (!kElementwise && !Element::kPositivesApart) {
        if (positives != Positives::kFewSoft) c = labelled_registers<kStreams>(rows, c, end);
      }
      if (c == end) continue;
      const int32_t rest = end - c < kLanes ? end : c + kLanes;
      any<kStreams>(rows, c, rest);
      c = rest;
    }
  }

  // Registers from c to end, which is that of a register or of the row. Returns where it stopped.
  template <int32_t kStreams>
  EFL_MEMBER int32_t labelled_registers(const Row* rows, int32_t c, int32_t end) {
    if (c + kLanes <= end) c = plain<kStreams, Domain::kPlain, true>(rows, c, end);
    if (c < end && c + kLanes > end) c = plain<kStreams, Domain::kPlain, true, true>(rows, c, end);
    return c;
  }

  // Registers of negatives from c on, as long as the first row is low and most registers are. Those
  // that are not are computed one by one, which costs more: at more than one in five it ends.
  template <int32_t kStreams>
  EFL_MEMBER int32_t low_registers(const Row* rows, int32_t c, int32_t end) {
    for (int32_t patience = 2; patience > 0; --patience) {
      if (c + kLanes > end || !all_low(Group<1>{load(rows[0].logits + c)})) break;
      const int32_t first = c;
      c = plain<kStreams, Domain::kLow, false>(rows, c, end);
      if (c + kLanes > end) break;
      patience += (c - first) / (4 * kLanes);
      const int32_t next = plain<kStreams, Domain::kPlain, false>(rows, c, c + kLanes);
      if (next == c) break;  // not even moderate
      c = next;
    }
    return c;
  }

  // The common case, in a function of its own to have all the registers: full ones whose logits are
  // in a domain, and of negatives alone where kLabelled is not set; with kPart the one that is less
  // than full. Returns the column where that ends.
  template <int32_t kStreams, Domain kDomain, bool kLabelled, bool kPart = false>
  EFL_NEVER_INLINE int32_t plain(const Row* group, int32_t c, int32_t end) {
    Stream rows[kStreams];
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) rows[r] = group[r];
    double* const negative_sums = sums_->negative;
    DoublePack loss = loss_;
    const int32_t count = kPart ? end - c : kLanes;
    for (; c + count <= end; c += count) {
      prefetch_next<kStreams>(rows, c);
      Group<kStreams> logits;
      EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) logits.of[r] =
          load_lanes(rows[r].logits + c, count);
      if (__builtin_expect(!all_in<kDomain>(logits), 0)) break;
      Group<kStreams> gamma, weight;
      const Pack gamma_of_columns = load_lanes(problem_.gamma + c, count);
      const Pack weight_of_columns = load_lanes(problem_.negative_weight + c, count);
      EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
        gamma.of[r] = gamma_of_columns;
        weight.of[r] = weight_of_columns;
        if constexpr (kWeights == Weights::kOfRow) {
          weight.of[r] = load_lanes(group[r].weights + c, count) * broadcast(group[r].factor);
        }
      }
      Group<kStreams> magnitude;
      if constexpr (kLabelled) {
        magnitude = with_positives<kStreams>(group, rows, c, count, logits, gamma, weight, &loss);
      } else {
        magnitude = negatives<Outputs, Element, kElementwise, kDomain, kStreams>(
            rows, c, logits, gamma, weight, &loss);
      }
      if constexpr (Outputs::kStatistics && kElementwise) {
        add_rows_to(negative_sums + c, magnitude, wide_);
      } else if constexpr (Outputs::kStatistics) {
        add_to(negative_sums + c, sum_of_rows(magnitude));
      }
    }
    loss_ = loss;
    return c;
  }

  // Returns what the negatives add to the statistics.
  template <int32_t kStreams>
  EFL_MEMBER Group<kStreams> with_positives(const Row* group, const Stream* rows, int32_t c,
                                            int32_t count, Group<kStreams> logits,
                                            Group<kStreams> gamma, Group<kStreams> weight,
                                            DoublePack* loss) {
    const Pack positive_weight = load_lanes(problem_.positive_weight + c, count);
    Bits positive[kStreams];
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
      positive[r] = lane_is(group[r].column - c);
      Pack own_weight = positive_weight;
      if constexpr (kWeights == Weights::kOfRow) {
        own_weight = own_weight * broadcast(group[r].factor);
      }
      weight.of[r] = select(positive[r], own_weight, weight.of[r]);
    }
    Group<kStreams> magnitude =
        labelled<Outputs, Element, kStreams>(rows, c, count, logits, gamma, weight, positive, loss);
    if constexpr (Outputs::kStatistics) {
      EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
        const auto lane = static_cast<uint32_t>(group[r].column - c);
        if (lane < static_cast<uint32_t>(kLanes)) {
          sums_->positive[group[r].column] += static_cast<double>(magnitude.of[r][lane]);
        }
        magnitude.of[r] = select(positive[r], Pack{}, magnitude.of[r]);
      }
    }
    return magnitude;
  }

  // The same columns of the next group: several short streams are more than the processor foresees.
  template <int32_t kStreams>
  EFL_MEMBER void prefetch_next(const Stream* rows, int32_t c) const {
    const int64_t ahead = kStreams * row_ahead_ + c;
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
      __builtin_prefetch(rows[r].logits + ahead, 0);
      if (Outputs::kGradient) __builtin_prefetch(rows[r].gradient + ahead, 1);
    }
  }
};

}  // namespace
