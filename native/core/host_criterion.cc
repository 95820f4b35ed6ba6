#include "host_criterion.h"

#include <algorithm>
#include <utility>

namespace efl {
namespace {

// Classes are updated in parts that stay in the nearest cache; a helper is woken for no less than
// some 25 us.
constexpr int32_t kClassesPerPart = 1024;
constexpr int32_t kClassesWorthAThread = 8 * 1024;

// What all parameters that can follow from statistics lie within: gamma_j and the weights of the
// focal losses are largest for a class without positives, of ratio 0. With Equalization Loss v2
// that holds for the weights of positives, and those of negatives are not raised.
efl_parameter_range range_of(const CriterionSettings& settings) {
  const LossParameters& parameters = settings.parameters;
  const ClassFactors rare = class_factors(parameters, 0);
  const ClassFactors balanced = class_factors(parameters, 1);
  const auto largest = [](const auto& weights, double factor) {
    const auto most = std::max_element(weights.begin(), weights.end());
    return most == weights.end() ? 0.0f : static_cast<float>(*most * std::max(1.0, factor));
  };
  efl_parameter_range range = {float_gamma(balanced.gamma), float_gamma(rare.gamma),
                               std::max({largest(parameters.positive_weight, rare.positive),
                                         largest(parameters.negative_weight, rare.negative),
                                         largest(settings.foreground_weight, 1)})};
  if (settings.has_objectness) {
    const ColumnParameters objectness(1);
    range.least_gamma = std::min(range.least_gamma, objectness.gamma[0]);
    range.largest_weight = std::max(range.largest_weight, objectness.positive_weight[0]);
  }
  return range;
}

bool has_gradient(const efl_focal_problem& problem) {
  return std::any_of(problem.levels, problem.levels + problem.level_count,
                     [](const efl_level& level) { return level.gradient != nullptr; });
}

}  // namespace

HostCriterion::HostCriterion(CriterionSettings settings, const efl_backend* backend)
    : settings_(std::move(settings)),
      backend_(backend),
      range_(range_of(settings_)),
      positive_sums_(keeps_statistics() ? columns() : 0),
      negative_sums_(keeps_statistics() ? columns() : 0),
      statistics_(settings_.parameters.rule, settings_.classes),
      spare_(keeps_statistics() ? std::make_shared<ColumnParameters>(columns()) : nullptr) {
  replace(statistics());
}

bool HostCriterion::have_gradients(const double* positive, const double* negative) const {
  const auto is_some = [](double sum) { return sum > 0; };
  // Nearly every class has negatives, and few have positives.
  return std::any_of(negative, negative + settings_.classes, is_some) ||
         std::any_of(positive, positive + settings_.classes, is_some);
}

efl_label_convention HostCriterion::convention() const {
  efl_label_convention convention{};
  convention.classes = settings_.classes;
  convention.first_class = settings_.first_class;
  convention.background = settings_.background;
  convention.has_background = settings_.has_background;
  convention.has_objectness = settings_.has_objectness;
  convention.ignored = settings_.ignored.data();
  convention.ignored_count = static_cast<int32_t>(settings_.ignored.size());
  return convention;
}

efl_status HostCriterion::compute(efl_focal_problem problem, bool collect, efl_result* result) {
  std::shared_ptr<const ColumnParameters> parameters;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    parameters = parameters_;
  }
  problem.convention = convention();
  problem.gamma = parameters->gamma.data();
  problem.positive_weight = parameters->positive_weight.data();
  problem.negative_weight = parameters->negative_weight.data();
  problem.range = range_;
  if (!settings_.foreground_weight.empty()) {
    problem.foreground_weight = settings_.foreground_weight.data();
    problem.foreground_threshold = settings_.foreground_threshold;
  }
  problem.loss = settings_.loss;
  problem.reduction = settings_.reduction;
  problem.loss_weight = settings_.loss_weight;
  if (!collect || !keeps_statistics() || !has_gradient(problem)) {
    return backend_->focal(&problem, result);
  }
  problem.positive_sums = positive_sums_.data();
  problem.negative_sums = negative_sums_.data();
  return collecting(problem.threads, [&] { return backend_->focal(&problem, result); });
}

efl_status HostCriterion::compute(efl_collect_problem problem, efl_result* result) {
  problem.convention = convention();
  problem.positive_sums = positive_sums_.data();
  problem.negative_sums = negative_sums_.data();
  return collecting(problem.threads, [&] { return backend_->collect(&problem, result); });
}

template <class Compute>
efl_status HostCriterion::collecting(int32_t threads, const Compute& compute) {
  const efl_status status = compute();
  if (status == EFL_OK && have_gradients(positive_sums_.data(), negative_sums_.data())) {
    const std::lock_guard<std::mutex> lock(mutex_);
    update(threads);
    std::swap(parameters_, spare_);
  }
  return status;
}

void HostCriterion::update(int32_t threads) {
  const auto update_part = [](void* context, int64_t part) {
    HostCriterion& of = *static_cast<HostCriterion*>(context);
    const auto first = static_cast<int32_t>(part * kClassesPerPart);
    const int32_t last = std::min(of.settings_.classes - first, kClassesPerPart) + first;
    of.statistics_.fold_classes(of.positive_sums_.data(), of.negative_sums_.data(), first, last);
    update_parameters(of.settings_.parameters, of.statistics_.ratio(), first, last,
                      of.spare_.get());
  };
  const int64_t parts = (settings_.classes + kClassesPerPart - 1) / kClassesPerPart;
  const int32_t useful = std::min(threads, settings_.classes / kClassesWorthAThread);
  if (useful > 1 && backend_->parallel) {
    backend_->parallel(useful, parts, update_part, this);
  } else {
    for (int64_t part = 0; part < parts; ++part) update_part(this, part);
  }
  statistics_.count(1);
}

GradientStatistics HostCriterion::statistics() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return statistics_;
}

void HostCriterion::replace(GradientStatistics statistics) {
  auto parameters = std::make_shared<ColumnParameters>(columns());
  update_parameters(settings_.parameters, statistics.ratio(), 0, settings_.classes,
                    parameters.get());
  const std::lock_guard<std::mutex> lock(mutex_);
  std::swap(statistics_, statistics);
  parameters_ = std::move(parameters);
}

void HostCriterion::restore(const double* positive, const double* negative, const double* ratio,
                            int64_t steps) {
  GradientStatistics after = statistics();
  after.restore(positive, negative, ratio, steps);
  replace(std::move(after));
}

void HostCriterion::merge(const double* positive, const double* negative, int64_t steps) {
  if (!have_gradients(positive, negative)) return;
  GradientStatistics after = statistics();
  after.fold(positive, negative, steps);
  replace(std::move(after));
}

void HostCriterion::reset() {
  replace(GradientStatistics(settings_.parameters.rule, settings_.classes));
}

std::size_t HostCriterion::memory() const {
  // Three sums, two base weights and three parameters a class, these twice where they change, and
  // the workspace.
  const std::size_t classes = static_cast<std::size_t>(settings_.classes);
  const std::size_t parameters = spare_ ? 6 : 3;
  return classes * (5 * sizeof(double) + parameters * sizeof(float)) +
         2 * positive_sums_.size() * sizeof(double);
}

}  // namespace efl
