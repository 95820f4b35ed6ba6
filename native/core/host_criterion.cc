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
efl_parameter_range range_of(const SpecView& spec) {
  const ClassFactors rare = class_factors(spec.rule, 0);
  const ClassFactors balanced = class_factors(spec.rule, 1);
  const auto largest = [&](const auto* weights, double factor) {
    if (!weights) return 0.0f;
    const auto most = std::max_element(weights, weights + spec.convention.classes);
    return static_cast<float>(*most * std::max(1.0, factor));
  };
  efl_parameter_range range = {
      float_gamma(balanced.gamma), float_gamma(rare.gamma),
      std::max({largest(spec.positive_weight, rare.positive),
                largest(spec.negative_weight, rare.negative), largest(spec.foreground_weight, 1)})};
  const auto widen = [&range](float gamma) {
    range.least_gamma = std::min(range.least_gamma, gamma);
    range.largest_gamma = std::max(range.largest_gamma, gamma);
  };
  if (spec.class_gamma) {
    std::for_each(spec.class_gamma, spec.class_gamma + spec.convention.classes, widen);
  }
  if (spec.convention.has_objectness) {
    widen(spec.objectness_gamma);
    range.largest_weight = std::max(range.largest_weight, spec.objectness_weight);
  }
  return range;
}

// What a backend finds is freed with it.
class Survey : public efl_survey {
 public:
  Survey(const efl_backend* backend) : efl_survey(), backend_(backend) {}
  ~Survey() { backend_->release(backend_->self, this); }
  Survey(const Survey&) = delete;

 private:
  const efl_backend* const backend_;
};

// The counts of all processes, and the status that follows from theirs.
efl_status reduce_counts(const efl_reducer& reducer, efl_status status, efl_survey* survey) {
  double counts[kReducedCounts] = {};
  if (status == EFL_OK) {
    counts[kReducedRows] = static_cast<double>(survey->rows);
    counts[kReducedPositives] = static_cast<double>(survey->positives);
    counts[kReducedIgnored] = static_cast<double>(survey->ignored);
    counts[kReducedWeights] = survey->weights;
    counts[kReducedMasked] = static_cast<double>(survey->masked);
  }
  counts[kFailedSurveys] = status != EFL_OK;
  const efl_status reduced = reducer.sum(reducer.self, counts, kReducedCounts, nullptr);
  if (status != EFL_OK || reduced != EFL_OK) return status != EFL_OK ? status : reduced;
  if (counts[kFailedSurveys] > 0) return EFL_PEER_FAILED;
  survey->rows = static_cast<int64_t>(counts[kReducedRows]);
  survey->positives = static_cast<int64_t>(counts[kReducedPositives]);
  survey->ignored = static_cast<int64_t>(counts[kReducedIgnored]);
  survey->weights = counts[kReducedWeights];
  survey->masked = static_cast<int64_t>(counts[kReducedMasked]);
  return EFL_OK;
}

}  // namespace

HostCriterion::HostCriterion(Spec spec, const efl_backend* backend)
    : spec_(std::move(spec)),
      backend_(backend),
      range_(range_of(spec_)),
      sums_(keeps_statistics() ? 2 * columns() + kReducedFlags : 0),
      statistics_(spec_.rule, spec_.convention.classes),
      parameters_(spec_),
      spare_(keeps_statistics() ? ColumnParameters(spec_) : ColumnParameters()) {
  replace(statistics());
}

bool HostCriterion::have_gradients(const double* positive, const double* negative) const {
  const auto is_some = [](double sum) { return sum > 0; };
  // Nearly every class has negatives, and few have positives.
  return std::any_of(negative, negative + spec_.convention.classes, is_some) ||
         std::any_of(positive, positive + spec_.convention.classes, is_some);
}

efl_status HostCriterion::compute(const efl_call& call, bool gradients_given, int32_t threads,
                                  efl_report* report, const efl_reducer* reducer) {
  efl_problem problem = problem_of(spec_, call, gradients_given);
  problem.gamma = parameters_.gamma.data();
  problem.positive_weight = parameters_.positive_weight.data();
  problem.negative_weight = parameters_.negative_weight.data();
  problem.range = range_;
  problem.threads = threads;
  if (wants_statistics(spec_, call, gradients_given)) {
    problem.positive_sums = positive_sums();
    problem.negative_sums = negative_sums();
  } else if (!call.equalize && keeps_statistics()) {
    use_base_parameters(&problem);
  }
  const bool aside = problem.negative_sums && defers(call);
  *report = efl_report{};
  efl_status status = compute(problem, aside, report, reducer);
  if (problem.negative_sums) {
    bool seen = status == EFL_OK && have_gradients(positive_sums(), negative_sums());
    if (reducer && !aside) status = reduce_sums(*reducer, status, &seen);
    if (status == EFL_OK && seen) take_sums(aside, threads);
  }
  report->status = status;
  return status;
}

void HostCriterion::use_base_parameters(efl_problem* problem) {
  SpecView base = spec_;
  base.rule.rule = Rule::kFixed;
  update_parameters(base, statistics_.ratio(), 0, base.convention.classes, &spare_);
  problem->gamma = spare_.gamma.data();
  problem->positive_weight = spare_.positive_weight.data();
  problem->negative_weight = spare_.negative_weight.data();
}

void HostCriterion::take_sums(bool aside, int32_t threads) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (aside) return pending_.add(positive_sums(), negative_sums());
  update(threads);
  std::swap(parameters_, spare_);
}

bool HostCriterion::has_room_aside() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return pending_.make_room(spec_.convention.classes);
}

efl_status HostCriterion::commit(int32_t threads, const efl_reducer* reducer) {
  bool seen = pending_.calls() > 0;
  if (!seen && !reducer) return EFL_OK;
  std::fill(sums_.begin(), sums_.end(), 0.0);
  if (seen) {
    std::copy(pending_.positive().begin(), pending_.positive().end(), positive_sums());
    std::copy(pending_.negative().begin(), pending_.negative().end(), negative_sums());
  }
  const efl_status status = reducer ? reduce_sums(*reducer, EFL_OK, &seen) : EFL_OK;
  if (status != EFL_OK || !seen) return status;
  take_sums(false, threads);
  const std::lock_guard<std::mutex> lock(mutex_);
  pending_.clear();
  return EFL_OK;
}

efl_status HostCriterion::collect(const double* positive, const double* negative, bool defers,
                                  int32_t threads) {
  if (!have_gradients(positive, negative)) return EFL_OK;
  if (defers && !has_room_aside()) return EFL_OUT_OF_MEMORY;
  std::copy_n(positive, spec_.convention.classes, positive_sums());
  std::copy_n(negative, spec_.convention.classes, negative_sums());
  take_sums(defers, threads);
  return EFL_OK;
}

efl_status HostCriterion::compute(const efl_problem& problem, bool aside, efl_report* report,
                                  const efl_reducer* reducer) {
  Survey survey(backend_);
  efl_status status = aside && !has_room_aside()
                          ? EFL_OUT_OF_MEMORY
                          : backend_->survey(backend_->self, &problem, &survey, report);
  if (status == EFL_OK) {
    report->positives = static_cast<double>(survey.positives);
    report->ignored = static_cast<double>(survey.ignored);
  }
  if (reducer) status = reduce_counts(*reducer, status, &survey);
  if (status != EFL_OK) return status;
  return backend_->compute(backend_->self, &problem, &survey, report);
}

efl_status HostCriterion::reduce_sums(const efl_reducer& reducer, efl_status status, bool* seen) {
  double* const flags = sums_.data() + 2 * columns();
  if (status != EFL_OK) std::fill(sums_.begin(), sums_.end(), 0.0);
  flags[kSeenFlag] = *seen;
  flags[kFailedFlag] = status != EFL_OK;
  const auto count = static_cast<int64_t>(sums_.size());
  const efl_status reduced = reducer.sum(reducer.self, sums_.data(), count, nullptr);
  if (status != EFL_OK || reduced != EFL_OK) return status != EFL_OK ? status : reduced;
  *seen = flags[kSeenFlag] > 0;
  return flags[kFailedFlag] > 0 ? EFL_PEER_FAILED : EFL_OK;
}

void HostCriterion::update(int32_t threads) {
  const auto update_part = [](void* context, int64_t part) {
    HostCriterion& of = *static_cast<HostCriterion*>(context);
    const auto first = static_cast<int32_t>(part * kClassesPerPart);
    const int32_t last = std::min(of.spec_.convention.classes - first, kClassesPerPart) + first;
    of.statistics_.fold_classes(of.positive_sums(), of.negative_sums(), first, last);
    update_parameters(of.spec_, of.statistics_.ratio(), first, last, &of.spare_);
  };
  const int64_t parts = (spec_.convention.classes + kClassesPerPart - 1) / kClassesPerPart;
  const int32_t useful = std::min(threads, spec_.convention.classes / kClassesWorthAThread);
  if (useful > 1 && backend_->parallel) {
    backend_->parallel(useful, parts, update_part, this);
  } else {
    for (int64_t part = 0; part < parts; ++part) update_part(this, part);
  }
  statistics_.count_step();
}

GradientStatistics HostCriterion::statistics() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return statistics_;
}

PendingSums HostCriterion::pending() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return pending_;
}

int64_t HostCriterion::pending_calls() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return pending_.calls();
}

void HostCriterion::replace(GradientStatistics statistics, PendingSums pending) {
  replace(std::move(statistics));
  const std::lock_guard<std::mutex> lock(mutex_);
  std::swap(pending_, pending);
}

void HostCriterion::replace(GradientStatistics statistics) {
  ColumnParameters parameters(spec_);
  update_parameters(spec_, statistics.ratio(), 0, spec_.convention.classes, &parameters);
  const std::lock_guard<std::mutex> lock(mutex_);
  std::swap(statistics_, statistics);
  std::swap(parameters_, parameters);
}

void HostCriterion::restore(const double* positive, const double* negative, const double* ratio,
                            int64_t steps) {
  GradientStatistics after = statistics();
  after.restore(positive, negative, ratio, steps);
  replace(std::move(after), PendingSums());
}

void HostCriterion::use_ratios(const double* ratio) {
  GradientStatistics after = statistics();
  after.use_ratios(ratio);
  replace(std::move(after));
}

void HostCriterion::merge(const double* positive, const double* negative, int64_t steps) {
  if (!have_gradients(positive, negative)) return;
  GradientStatistics after = statistics();
  after.merge(positive, negative, steps);
  replace(std::move(after));
}

void HostCriterion::reset() {
  replace(GradientStatistics(spec_.rule, spec_.convention.classes), PendingSums());
}

std::size_t HostCriterion::memory() const {
  // Three sums, two base weights and three parameters a class, these twice where they change, and
  // the workspace.
  const std::size_t classes = static_cast<std::size_t>(spec_.convention.classes);
  const std::size_t parameters = keeps_statistics() ? 6 : 3;
  return classes * (5 * sizeof(double) + parameters * sizeof(float)) +
         sums_.size() * sizeof(double);
}

}  // namespace efl
