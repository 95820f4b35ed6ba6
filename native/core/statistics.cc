#include "statistics.h"

#include <cstddef>

namespace efl {

void update_parameters(const LossParameters& parameters, const std::vector<double>& ratio,
                       ColumnParameters* result) {
  for (std::size_t j = 0; j < ratio.size(); ++j) {
    const auto [gamma, positive, negative] = class_factors(parameters, ratio[j]);
    result->gamma[j] = float_gamma(gamma);
    result->positive_weight[j] = static_cast<float>(parameters.positive_weight[j] * positive);
    result->negative_weight[j] = static_cast<float>(parameters.negative_weight[j] * negative);
  }
}

GradientStatistics::GradientStatistics(Rule rule, int32_t classes)
    : rule_(rule),
      positive_(classes, 0.0),
      negative_(classes, 0.0),
      ratio_(classes, initial_ratio(rule)) {}

void GradientStatistics::fold(const double* positive, const double* negative, int64_t steps) {
  for (std::size_t j = 0; j < ratio_.size(); ++j) {
    positive_[j] = accumulated(positive_[j], positive[j]);
    negative_[j] = accumulated(negative_[j], negative[j]);
    ratio_[j] = class_ratio(rule_, positive_[j], negative_[j]);
  }
  steps_ = more_steps(steps_, steps);
}

void GradientStatistics::restore(const double* positive, const double* negative,
                                 const double* ratio, int64_t steps) {
  const std::size_t classes = ratio_.size();
  positive_.assign(positive, positive + classes);
  negative_.assign(negative, negative + classes);
  ratio_.assign(ratio, ratio + classes);
  steps_ = steps;
}

}  // namespace efl
