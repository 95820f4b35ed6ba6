// Registers of logits: what every arrangement of them in memory shares.
//
// A stream is a run of elements that lie side by side: a row of logits, or a plane of one class.
// Several streams are computed in lock-step, one register of each at a time. Registers that hold
// nothing but negatives of moderate size, which nearly all do, are for `negatives`, those with
// positives among them for `labelled`, and whatever else may be in a register for `mixed`.
#pragma once

#include "../core/loss_math.h"
#include "group_math.h"
#include "kernels.h"
#include "pack.h"

namespace {

using efl::cpu::FocalTask;
using efl::cpu::Tile;
using efl::cpu::TileSums;

// What a kernel is asked for. Each combination is compiled on its own, so that nothing is decided
// in the inner loop.
struct ForwardOnly {
  static constexpr bool kGradient = false, kStatistics = false;
};
struct WithGradient {
  static constexpr bool kGradient = true, kStatistics = false;
};
struct WithStatistics {
  static constexpr bool kGradient = true, kStatistics = true;
};

// The element a kernel is compiled for: that of a loss, with one gamma for every column whose
// powers are products, or not.
template <class Loss, bool kSquare>
struct GroupElement {
  static constexpr bool kSeldom = Loss::kSeldom;
  static constexpr bool kPositivesApart = Loss::kSeldom;  // no other element has them only apart
  // Of a logit: where a loss moves it, it leaves the domain that it has been found in.
  static constexpr bool kLowPays = kHasTables && Loss::kHard != efl::HardLoss::kClassMargin;

  template <int32_t kStreams, Domain kDomain>
  EFL_INLINE auto terms(Group<kStreams> u, Group<kStreams> gamma, Group<kStreams> weight,
                        const efl_constants& constants) {
    return efl::hard_terms<Loss, GroupMath<kStreams, kSquare, kDomain>>(u, gamma, weight,
                                                                        constants);
  }
};

// Calls `visit` with the element of a call.
template <class Visit>
EFL_INLINE void with_element(const FocalTask& task, const Visit& visit) {
  efl::with_hard_loss(task.hard_loss, [&](auto loss) {
    using Loss = decltype(loss);
    if constexpr (Loss::kHasPower) {
      if (task.square) return visit(GroupElement<Loss, true>{});
    }
    visit(GroupElement<Loss, false>{});
  });
}

// Whether most kernels are not compiled for the element of a call. They are run with another one
// then, and leave everything to what decides while it runs.
EFL_INLINE bool is_seldom(const FocalTask& task) {
  return efl::with_hard_loss(task.hard_loss, [](auto loss) { return decltype(loss)::kSeldom; });
}

// Calls `visit` with an element that all kernels are compiled for.
template <class Visit>
EFL_INLINE void with_usual_element(const FocalTask& task, const Visit& visit) {
  if (is_seldom(task)) return visit(GroupElement<efl::CrossEntropyElement, false>{});
  with_element(task, [&](auto element) {
    if constexpr (!decltype(element)::kSeldom) visit(element);
  });
}

// So many streams hide the latency of the arithmetic; more would not fit into the registers, of
// which AVX-512 has twice as many as AVX2, but needs more constants in them.
#if defined(EFL_AVX2) || defined(EFL_AVX512)
constexpr int32_t kStreams = 5;
#else
constexpr int32_t kStreams = 4;
#endif

// Absent arrays are null.
struct Stream {
  const float* logits;
  float* gradient;
  float* elements;
  const float* grad_output;
};

// One register of each stream, and what is to be computed with it.
template <int32_t kStreams>
struct Lanes {
  Group<kStreams> logits;
  Group<kStreams> gamma;
  Group<kStreams> positive_weight;
  Group<kStreams> negative_weight;
  Group<kStreams> target;  // read where `soft`
  Bits positive[kStreams];
  Bits soft[kStreams];     // positives that are not hard, mostly for a target of less than 1
  Bits counted[kStreams];  // the others are in ignored rows, or masked
  Bits classes[kStreams];  // the others are objectness; read where targets are smoothed
};

// |gradient| by the side of the statistics it belongs to.
template <int32_t kStreams>
struct Sides {
  Group<kStreams> positive;
  Group<kStreams> negative;
};

EFL_INLINE Pack load_lanes(const float* from, int32_t count) {
  return count == kLanes ? load(from) : load_some(from, count);
}
EFL_INLINE void store_lanes(float* to, Pack a, int32_t count) {
  if (count == kLanes) {
    store(to, a);
  } else {
    store_some(to, a, count);
  }
}

class Elements {
 public:
  // `compiled` says whether the kernel is compiled for the element of the call.
  Elements(const FocalTask& task, const efl_level& level, bool compiled)
      : problem_(*task.problem),
        task_(task),
        plain_(compiled && !task.smooth && task.largest_gamma <= kPlainGamma &&
               task.largest_weight <= kPlainWeight),
        threshold_(level.targets ? problem_.positive_threshold : -1),
        wide_(task.largest_weight > kPlainWeight || level.grad_output),
        gradient_factor_(broadcast(task.gradient_factor)),
        element_factor_(broadcast(task.element_factor)) {}

  void finish(TileSums* sums) const {
    sums->loss += total(loss_);
    sums->non_finite += non_finite_;
  }

 protected:
  // Whether all are in Domain::kPlain, and so none is infinite or NaN: positive floats are ordered
  // as their bits are, and what is not finite comes last.
  template <int32_t kStreams>
  EFL_INLINE bool all_moderate(const Group<kStreams>& logits) {
    Bits largest = {};
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) largest =
        larger(largest, bits_of(absolute(logits.of[r])));
    return !any_above(largest, bits_of(broadcast(kPlainLogit)));
  }

  // Whether all are in Domain::kLow. The bits of the floats from kLowLogit down to -kPlainLogit are
  // consecutive integers. Counted from the first of them, as the least integer, every other float
  // comes after the last.
  template <int32_t kStreams>
  EFL_INLINE bool all_low(const Group<kStreams>& logits) {
    const Bits first = bits_of(broadcast(kLowLogit)) ^ INT32_MIN;
    const Bits last = wrapped_difference(bits_of(broadcast(-kPlainLogit)), first);
    Bits furthest = Bits{} + INT32_MIN;
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
      furthest = larger(furthest, wrapped_difference(bits_of(logits.of[r]), first));
    }
    return !any_above(furthest, last);
  }

  template <Domain kDomain, int32_t kStreams>
  EFL_INLINE bool all_in(const Group<kStreams>& logits) {
    if constexpr (kDomain == Domain::kLow) return all_low(logits);
    return all_moderate(logits);
  }

  // Several rows to the sums of their columns. `wide`: they may be of any size, and their sum in
  // float32 might leave its range.
  template <class Sums, int32_t kStreams>
  EFL_INLINE void add_rows_to(Sums* sums, const Group<kStreams>& a, bool wide) {
    if (__builtin_expect(wide, 0)) {
      for (int32_t r = 0; r < kStreams; ++r) add_to(sums, a.of[r]);
    } else {
      add_to(sums, sum_of_rows(a));
    }
  }

  // A full register of moderate negatives of each stream. Returns |dL/du| for the statistics.
  template <class Outputs, class Element, bool kElementwise, Domain kDomain, int32_t kStreams>
  EFL_MEMBER Group<kStreams> negatives(const Stream* streams, int64_t at, Group<kStreams> logits,
                                       Group<kStreams> gamma, Group<kStreams> weight,
                                       DoublePack* loss) const {
    const auto terms =
        Element::template terms<kStreams, kDomain>(logits, gamma, weight, problem_.constants);
    add_to(loss, sum_of_products(terms.scaled, terms.cross_entropy));
    Group<kStreams> magnitude = terms.gradient;
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
      if (kElementwise && streams[r].elements) {
        const Pack element = terms.scaled.of[r] * terms.cross_entropy.of[r];
        store(streams[r].elements + at, element * element_factor_);
      }
      if constexpr (Outputs::kGradient) {
        Pack gradient = magnitude.of[r] * gradient_factor_;
        if (kElementwise && streams[r].grad_output) {
          const Pack upstream = load(streams[r].grad_output + at);
          gradient = gradient * upstream;
          magnitude.of[r] = finite_or_zero(magnitude.of[r] * absolute(upstream));
        }
        store(streams[r].gradient + at, gradient);
      }
    }
    return magnitude;
  }

  // The same for `count` elements with positives among them; the weights are those of what each
  // element is, and 0 in the lanes beyond.
  template <class Outputs, class Element, int32_t kStreams>
  EFL_MEMBER Group<kStreams> labelled(const Stream* streams, int64_t at, int32_t count,
                                      Group<kStreams> logits, Group<kStreams> gamma,
                                      Group<kStreams> weight, const Bits* positive,
                                      DoublePack* loss) const {
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) logits.of[r] =
        select(positive[r], -logits.of[r], logits.of[r]);
    const auto terms = Element::template terms<kStreams, Domain::kPlain>(logits, gamma, weight,
                                                                         problem_.constants);
    add_to(loss, sum_of_products(terms.scaled, terms.cross_entropy));
    if constexpr (Outputs::kGradient) {
      EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
        const Pack gradient = terms.gradient.of[r] * gradient_factor_;
        store_lanes(streams[r].gradient + at, select(positive[r], -gradient, gradient), count);
      }
    }
    return terms.gradient;
  }

  // Whatever may be in a register: positives, soft targets, rows that do not count, NaN,
  // infinities, or less than `count` elements; the weight of the lanes beyond is 0.
  template <int32_t kStreams>
  EFL_MEMBER Sides<kStreams> mixed(const Stream* streams, int64_t at, int32_t count,
                                   const Lanes<kStreams>& lanes) {
    Group<kStreams> x;
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) x.of[r] =
        select(lanes.counted[r], lanes.logits.of[r], Pack{});
    Group<kStreams> scaled, entropy, gradient, share;
    if (__builtin_expect(task_.smooth, 0)) {
      smoothed_terms<kStreams>(x, lanes, &scaled, &entropy, &gradient, &share);
    } else {
      terms_as_given<kStreams>(x, lanes, &scaled, &entropy, &gradient, &share);
    }
    const Group<kStreams> loss = scaled * entropy;
    if (__builtin_expect(task_.largest_weight > kPlainWeight || !all_moderate(x), 0)) {
      add_rows_to(&loss_, loss, true);
    } else {
      add_to(&loss_, sum_of_products(scaled, entropy));  // as `negatives` does
    }
    return finish_mixed<kStreams>(streams, at, count, x, lanes.counted, loss, gradient, share);
  }

 private:
  // `share`: of the gradient that counts as a positive's in the statistics.
  template <int32_t kStreams>
  EFL_MEMBER void terms_as_given(const Group<kStreams>& x, const Lanes<kStreams>& lanes,
                                 Group<kStreams>* scaled, Group<kStreams>* entropy,
                                 Group<kStreams>* gradient, Group<kStreams>* share) const {
    Group<kStreams> u, weight;
    Bits any_soft = {};
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
      u.of[r] = select(lanes.positive[r], -x.of[r], x.of[r]);
      weight.of[r] =
          select(lanes.positive[r], lanes.positive_weight.of[r], lanes.negative_weight.of[r]);
      weight.of[r] = select(lanes.counted[r], weight.of[r], Pack{});
      any_soft |= lanes.soft[r];
    }
    terms_of_call<kStreams>(u, lanes.gamma, weight, scaled, entropy, gradient);
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
      gradient->of[r] = select(lanes.positive[r], -gradient->of[r], gradient->of[r]);
      share->of[r] = select(lanes.positive[r], broadcast(1.0f), Pack{});
    }
    if (__builtin_expect(none(any_soft), 1)) return;
    EFL_UNROLL for (int32_t r = 0; r < kStreams; ++r) {
      // By way of memory of its own: the registers of the common way stay registers.
      SoftLanes soft = {lanes.logits.of[r],
                        lanes.target.of[r],
                        lanes.gamma.of[r],
                        lanes.positive_weight.of[r],
                        lanes.negative_weight.of[r],
                        lanes.soft[r] & lanes.counted[r],
                        scaled->of[r],
                        gradient->of[r],
                        share->of[r]};
      soften(&soft);
      scaled->of[r] = soft.loss;
      entropy->of[r] = select(soft.soft, broadcast(1.0f), entropy->of[r]);
      gradient->of[r] = soft.gradient;
      share->of[r] = soft.share;
    }
  }

  // Every element has a soft target then, so that they are not for `soften`.
  template <int32_t kStreams>
  EFL_MEMBER void smoothed_terms(const Group<kStreams>& x, const Lanes<kStreams>& lanes,
                                 Group<kStreams>* scaled, Group<kStreams>* entropy,
                                 Group<kStreams>* gradient, Group<kStreams>* share) const {
    for (int32_t r = 0; r < kStreams; ++r) {
      const Pack hard = select(lanes.positive[r], broadcast(1.0f), Pack{});
      const Pack y = select(lanes.soft[r], lanes.target.of[r], hard);
      const SmoothedTerms terms =
          smoothed(x.of[r], y, lanes.gamma.of[r], lanes.positive_weight.of[r],
                   lanes.negative_weight.of[r], lanes.counted[r], lanes.classes[r]);
      scaled->of[r] = terms.loss;
      entropy->of[r] = broadcast(1.0f);
      gradient->of[r] = terms.gradient;
      share->of[r] = select(y > threshold_, y, Pack{});
    }
  }

  // With the element of the call, which is not worth being compiled into rare code.
  template <int32_t kStreams>
  EFL_MEMBER void terms_of_call(Group<kStreams> u, Group<kStreams> gamma, Group<kStreams> weight,
                                Group<kStreams>* scaled, Group<kStreams>* entropy,
                                Group<kStreams>* gradient) const {
    with_element(task_, [&](auto element) {
      const auto terms = decltype(element)::template terms<kStreams, Domain::kAny>(
          u, gamma, weight, problem_.constants);
      *scaled = terms.scaled;
      *entropy = terms.cross_entropy;
      *gradient = terms.gradient;
    });
  }

  struct SoftLanes {
    Pack logits, target, gamma, positive_weight, negative_weight;
    Bits soft;
    Pack loss, gradient, share;
  };

  struct SmoothedTerms {
    Pack loss, gradient;
  };

  // One register at a time, and for every gamma: several in lock-step would be faster, and more
  // code than this option is worth.
  EFL_NEVER_INLINE SmoothedTerms smoothed(Pack x, Pack y, Pack gamma, Pack positive_weight,
                                          Pack negative_weight, Bits counted, Bits classes) const {
    const Pack one = broadcast(1.0f);
    const Pack kept = select(classes, broadcast(task_.kept), one);
    const Pack target = multiply_add(kept, y, select(classes, broadcast(task_.spread), Pack{}));
    const Pack other = multiply_add(kept, one - y, select(classes, broadcast(task_.rest), Pack{}));
    const Pack weight = multiply_add(target, positive_weight, other * negative_weight);
    SmoothedTerms result;
    const auto compute = [&](auto loss) {
      const auto terms = decltype(loss)::template soft<GroupMath<1, false, Domain::kAny>>(
          Group<1>{x}, Group<1>{target}, Group<1>{other}, Group<1>{gamma},
          Group<1>{select(counted, weight, Pack{})});
      result = {terms.loss().of[0], terms.gradient.of[0]};
    };
    // Other losses have no smoothed targets.
    if (task_.hard_loss == efl::HardLoss::kFocal) {
      compute(efl::FocalElement{});
    } else {
      compute(efl::CrossEntropyElement{});
    }
    return result;
  }

  EFL_NEVER_INLINE void soften(SoftLanes* lanes) const {
    for (int32_t i = 0; i < kLanes; ++i) {
      if (!lanes->soft[i]) continue;
      const efl::cpu::SoftElement element = efl::cpu::soft_element(
          problem_, static_cast<double>(lanes->logits[i]), static_cast<double>(lanes->target[i]),
          static_cast<double>(lanes->gamma[i]), static_cast<double>(lanes->positive_weight[i]),
          static_cast<double>(lanes->negative_weight[i]));
      lanes->loss[i] = static_cast<float>(element.loss);
      lanes->gradient[i] = static_cast<float>(element.gradient);
      const bool positive = lanes->target[i] > threshold_;
      lanes->share[i] = positive ? static_cast<float>(element.share) : 0.0f;
    }
  }

  template <int32_t kStreams>
  EFL_MEMBER Sides<kStreams> finish_mixed(const Stream* streams, int64_t at, int32_t count,
                                          const Group<kStreams>& x, const Bits* counted,
                                          const Group<kStreams>& loss,
                                          const Group<kStreams>& gradient,
                                          const Group<kStreams>& share) {
    Sides<kStreams> sides;
    for (int32_t r = 0; r < kStreams; ++r) {
      const Stream& stream = streams[r];
      const Bits finite = is_finite(x.of[r]);
      non_finite_ += lanes_set(~finite);
      if (stream.elements) {
        store_lanes(stream.elements + at, loss.of[r] * element_factor_, count);
      }
      Pack scaled = gradient.of[r] * gradient_factor_;
      Pack magnitude = absolute(gradient.of[r]);
      if (stream.grad_output) {
        // An ignored row has no gradient, whatever stands in its place.
        const Pack upstream =
            select(counted[r], load_lanes(stream.grad_output + at, count), Pack{});
        scaled = scaled * upstream;
        magnitude = magnitude * absolute(upstream);
      }
      // 0 times a factor that is infinite in float32 is no number.
      scaled = select(counted[r], scaled, Pack{});
      if (stream.gradient) store_lanes(stream.gradient + at, scaled, count);
      magnitude = select(finite, finite_or_zero(magnitude), Pack{});
      sides.positive.of[r] = magnitude * share.of[r];
      sides.negative.of[r] = magnitude * (broadcast(1.0f) - share.of[r]);
    }
    return sides;
  }

 protected:
  const efl_problem& problem_;
  const FocalTask& task_;
  // Gammas and weights are of ordinary size, no target is smoothed, and the kernel knows the
  // element.
  const bool plain_;
  const float threshold_;  // what the targets of positives are above
  const bool wide_;        // gradients may not be: weights or upstream gradients are not
  const Pack gradient_factor_;
  const Pack element_factor_;
  DoublePack loss_ = {};
  int64_t non_finite_ = 0;
};

}  // namespace
