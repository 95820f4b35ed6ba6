#include "statistics.h"

#include <cmath>
#include <cstddef>

#include "loss_math.h"

namespace efl {
namespace {

// Beyond it (1 - p_t)^gamma is 0 wherever 1 - p_t < 1 in float32, and gamma times a logit stays
// finite.
constexpr double kLargestGamma = 1e30;

}  // namespace

ClassParameters class_parameters(const FocalParameters& parameters,
                                 const std::vector<double>& ratio) {
  const double positive_alpha = parameters.alpha < 0 ? 1.0 : parameters.alpha;
  const double negative_alpha = parameters.alpha < 0 ? 1.0 : 1.0 - parameters.alpha;
  const std::size_t classes = ratio.size();
  ClassParameters result;
  result.gamma.resize(classes);
  result.positive_weight.resize(classes);
  result.negative_weight.resize(classes);
  for (std::size_t j = 0; j < classes; ++j) {
    const double gamma = focusing_factor(parameters.gamma, parameters.scale_factor, ratio[j]);
    // Plain Focal Loss may have gamma_b = 0, where the factor is 1 by definition and not 0 / 0.
    const double weight =
        parameters.scale_factor > 0 ? weighting_factor(gamma, parameters.gamma) : 1.0;
    result.gamma[j] = static_cast<float>(gamma < kLargestGamma ? gamma : kLargestGamma);
    result.positive_weight[j] = static_cast<float>(positive_alpha * weight);
    result.negative_weight[j] = static_cast<float>(negative_alpha * weight);
  }
  return result;
}

GradientStatistics::GradientStatistics(int32_t classes)
    : positive_(classes, 0.0), negative_(classes, 0.0), ratio_(classes, 1.0) {}

bool GradientStatistics::fold(const std::vector<double>& positive,
                              const std::vector<double>& negative) {
  for (std::size_t j = 0; j < ratio_.size(); ++j) {
    if (!std::isfinite(positive_[j] + positive[j]) || !std::isfinite(negative_[j] + negative[j])) {
      return false;
    }
  }
  for (std::size_t j = 0; j < ratio_.size(); ++j) {
    positive_[j] += positive[j];
    negative_[j] += negative[j];
    ratio_[j] = gradient_ratio(positive_[j], negative_[j]);
  }
  ++steps_;
  return true;
}

void GradientStatistics::restore(const double* positive, const double* negative,
                                 const double* ratio, int64_t steps) {
  const std::size_t classes = ratio_.size();
  positive_.assign(positive, positive + classes);
  negative_.assign(negative, negative + classes);
  ratio_.assign(ratio, ratio + classes);
  steps_ = steps;
}

void GradientStatistics::reset() {
  const std::size_t classes = ratio_.size();
  positive_.assign(classes, 0.0);
  negative_.assign(classes, 0.0);
  ratio_.assign(classes, 1.0);
  steps_ = 0;
}

}  // namespace efl
