#include "host_criterion.h"

#include <algorithm>
#include <utility>

namespace efl {
namespace {

bool has_gradient(const efl_focal_problem& problem) {
  return std::any_of(problem.levels, problem.levels + problem.level_count,
                     [](const efl_level& level) { return level.gradient != nullptr; });
}

}  // namespace

HostCriterion::HostCriterion(CriterionSettings settings, const efl_backend* backend)
    : settings_(std::move(settings)),
      backend_(backend),
      positive_sums_(keeps_statistics() ? columns() : 0),
      negative_sums_(keeps_statistics() ? columns() : 0),
      statistics_(settings_.parameters.rule, settings_.classes),
      spare_(std::make_shared<ColumnParameters>(columns())) {
  replace(statistics());
}

bool HostCriterion::have_gradients(const double* positive, const double* negative) const {
  const auto is_some = [](double sum) { return sum > 0; };
  return std::any_of(positive, positive + settings_.classes, is_some) ||
         std::any_of(negative, negative + settings_.classes, is_some);
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
  return collecting([&] { return backend_->focal(&problem, result); });
}

efl_status HostCriterion::compute(efl_collect_problem problem, efl_result* result) {
  problem.convention = convention();
  problem.positive_sums = positive_sums_.data();
  problem.negative_sums = negative_sums_.data();
  return collecting([&] { return backend_->collect(&problem, result); });
}

template <class Compute>
efl_status HostCriterion::collecting(const Compute& compute) {
  const efl_status status = compute();
  if (status == EFL_OK && have_gradients(positive_sums_.data(), negative_sums_.data())) {
    const std::lock_guard<std::mutex> lock(mutex_);
    statistics_.fold(positive_sums_.data(), negative_sums_.data(), 1);
    update_parameters(settings_.parameters, statistics_.ratio(), spare_.get());
    std::swap(parameters_, spare_);
  }
  return status;
}

GradientStatistics HostCriterion::statistics() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return statistics_;
}

void HostCriterion::replace(GradientStatistics statistics) {
  auto parameters = std::make_shared<ColumnParameters>(columns());
  update_parameters(settings_.parameters, statistics.ratio(), parameters.get());
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
  // Three sums, two base weights and twice three parameters a class, and the workspace.
  const std::size_t classes = static_cast<std::size_t>(settings_.classes);
  return classes * (5 * sizeof(double) + 6 * sizeof(float)) +
         2 * positive_sums_.size() * sizeof(double);
}

}  // namespace efl
