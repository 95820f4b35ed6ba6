#include "statistics.h"

#include <algorithm>
#include <cstddef>
#include <new>
#include <type_traits>

namespace efl {

namespace {

// Calls `visit` with the rule as a constant, so that nothing is decided by class and the compiler
// computes several classes at once.
template <class Visit>
void with_rule(Rule rule, const Visit& visit) {
  switch (rule) {
    case Rule::kFixed:
      return visit(std::integral_constant<Rule, Rule::kFixed>{});
    case Rule::kEqualizedFocal:
      return visit(std::integral_constant<Rule, Rule::kEqualizedFocal>{});
    case Rule::kEqualizationV2:
      return visit(std::integral_constant<Rule, Rule::kEqualizationV2>{});
  }
}

}  // namespace

void update_parameters(const SpecView& spec, const std::vector<double>& ratio, int32_t first,
                       int32_t last, ColumnParameters* result) {
  const double* const of_class = ratio.data();
  const double* const positive_weight = spec.positive_weight;
  const double* const negative_weight = spec.negative_weight;
  float* const gammas = result->gamma.data();
  float* const positive_weights = result->positive_weight.data();
  float* const negative_weights = result->negative_weight.data();
  with_rule(spec.rule.rule, [&](auto rule) {
    ClassRule constant = spec.rule;
    constant.rule = rule;
    for (int32_t j = first; j < last; ++j) {
      const auto [gamma, positive, negative] = class_factors(constant, of_class[j]);
      gammas[j] = float_gamma(gamma);
      positive_weights[j] = static_cast<float>(positive_weight[j] * positive);
      negative_weights[j] = static_cast<float>(negative_weight[j] * negative);
    }
  });
  if (!spec.class_gamma) return;
  for (int32_t j = first; j < last; ++j) gammas[j] = spec.class_gamma[j];
}

GradientStatistics::GradientStatistics(const ClassRule& rule, int32_t classes)
    : rule_(rule),
      positive_(classes, 0.0),
      negative_(classes, 0.0),
      ratio_(classes, initial_ratio(rule.rule)) {}

void GradientStatistics::merge(const double* positive, const double* negative, int64_t steps) {
  steps_ = more_steps(steps_, steps);
  const bool holds = rule_.start_after > 0 && steps_ <= rule_.start_after;
  add(positive, negative, 1, holds, 0, static_cast<int32_t>(ratio_.size()));
}

void GradientStatistics::fold_classes(const double* positive, const double* negative, int32_t first,
                                      int32_t last) {
  add(positive, negative, rule_.decay, holds_ratios(rule_, steps_), first, last);
}

void GradientStatistics::add(const double* positive, const double* negative, double decay,
                             bool holds, int32_t first, int32_t last) {
  double* const positives = positive_.data();
  double* const negatives = negative_.data();
  double* const ratios = ratio_.data();
  with_rule(rule_.rule, [&](auto rule) {
    for (int32_t j = first; j < last; ++j) {
      positives[j] = accumulated(positives[j] * decay, positive[j]);
      negatives[j] = accumulated(negatives[j] * decay, negative[j]);
      const double ratio = class_ratio(rule, positives[j], negatives[j]);
      ratios[j] = holds ? ratios[j] : ratio;
    }
  });
}

void GradientStatistics::restore(const double* positive, const double* negative,
                                 const double* ratio, int64_t steps) {
  const std::size_t classes = ratio_.size();
  positive_.assign(positive, positive + classes);
  negative_.assign(negative, negative + classes);
  ratio_.assign(ratio, ratio + classes);
  steps_ = steps;
}

bool PendingSums::make_room(int32_t classes) noexcept {
  const auto count = static_cast<std::size_t>(classes);
  if (negative_.size() == count) return true;
  try {
    positive_.resize(count);
    negative_.resize(count);
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

void PendingSums::add(const double* positive, const double* negative) {
  if (calls_ == 0) return restore(positive, negative, 1);
  for (std::size_t j = 0; j < positive_.size(); ++j) {
    positive_[j] = accumulated(positive_[j], positive[j]);
    negative_[j] = accumulated(negative_[j], negative[j]);
  }
  calls_ = more_steps(calls_, 1);
}

void PendingSums::restore(const double* positive, const double* negative, int64_t calls) {
  std::copy_n(positive, positive_.size(), positive_.begin());
  std::copy_n(negative, negative_.size(), negative_.begin());
  calls_ = calls;
}

void read_factors(const SpecView& spec, const GradientStatistics& statistics, double* first,
                  double* second) {
  const bool v2 = spec.rule.rule == Rule::kEqualizationV2;
  for (std::size_t j = 0; j < statistics.ratio().size(); ++j) {
    const ClassFactors factors = class_factors(spec.rule, statistics.ratio()[j]);
    if (first) first[j] = v2 ? factors.negative : factors.gamma;
    if (second) second[j] = factors.positive;
  }
}

}  // namespace efl
