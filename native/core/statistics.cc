#include "statistics.h"

#include <cstddef>

#include "loss_math.h"

namespace efl {
namespace {

// Beyond it (1 - p_t)^gamma is 0 wherever 1 - p_t < 1 in float32, and gamma times a logit stays
// finite.
constexpr double kLargestGamma = 1e30;

}  // namespace

void update_parameters(const FocalParameters& parameters, const std::vector<double>& ratio,
                       ClassParameters* result) {
  const double positive_alpha = parameters.alpha < 0 ? 1.0 : parameters.alpha;
  const double negative_alpha = parameters.alpha < 0 ? 1.0 : 1.0 - parameters.alpha;
  for (std::size_t j = 0; j < ratio.size(); ++j) {
    const double gamma = focusing_factor(parameters.gamma, parameters.scale_factor, ratio[j]);
    // Plain Focal Loss may have gamma_b = 0, where the factor is 1 by definition and not 0 / 0.
    const double weight =
        parameters.scale_factor > 0 ? weighting_factor(gamma, parameters.gamma) : 1.0;
    result->gamma[j] = static_cast<float>(gamma < kLargestGamma ? gamma : kLargestGamma);
    result->positive_weight[j] = static_cast<float>(positive_alpha * weight);
    result->negative_weight[j] = static_cast<float>(negative_alpha * weight);
  }
}

GradientStatistics::GradientStatistics(int32_t classes)
    : positive_(classes, 0.0), negative_(classes, 0.0), ratio_(classes, 1.0) {}

void GradientStatistics::fold(const double* positive, const double* negative, int64_t steps) {
  for (std::size_t j = 0; j < ratio_.size(); ++j) {
    positive_[j] += positive[j];
    negative_[j] += negative[j];
    ratio_[j] = gradient_ratio(positive_[j], negative_[j]);
  }
  steps_ += steps;
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
