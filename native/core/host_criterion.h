// A criterion on the host: its hyper-parameters and, for the equalized ones, its gradient
// statistics. One call at a time; what reads the state may do so meanwhile, from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "backend.h"
#include "labels.h"
#include "statistics.h"

namespace efl {

struct CriterionSettings {
  efl_loss loss;
  LossParameters parameters;
  std::vector<float> foreground_weight;  // by class; empty where negatives weigh the same anywhere
  float foreground_threshold;
  int32_t classes;
  bool has_objectness;
  int32_t first_class;
  int32_t background;
  bool has_background;
  std::vector<int32_t> ignored;
  efl_reduction reduction;
  double loss_weight;
};

class HostCriterion {
 public:
  HostCriterion(CriterionSettings settings, const efl_backend* backend);

  const CriterionSettings& settings() const { return settings_; }
  const efl_backend& backend() const { return *backend_; }
  int32_t columns() const { return columns_of(convention()); }
  efl_label_convention convention() const;
  bool keeps_statistics() const { return settings_.parameters.rule != Rule::kFixed; }

  // Computes a problem whose arrays and call options are filled in, with the parameters that follow
  // from the calls before, and, where `collect` is set, folds its statistics in.
  efl_status compute(efl_focal_problem problem, bool collect, efl_result* result);
  efl_status compute(efl_collect_problem problem, efl_result* result);

  // A copy, consistent in itself.
  GradientStatistics statistics() const;
  // These either take place whole or throw std::bad_alloc.
  void replace(GradientStatistics statistics);
  void restore(const double* positive, const double* negative, const double* ratio, int64_t steps);
  void merge(const double* positive, const double* negative, int64_t steps);
  void reset();

  std::size_t memory() const;

 private:
  template <class Compute>
  efl_status collecting(int32_t threads, const Compute& compute);
  // The statistics and parameters after a call, in parts of classes that threads take in any order:
  // what comes of a class depends on its own sums alone.
  void update(int32_t threads);
  // Whether any class has seen a gradient. Sums without one say nothing of the balance of classes,
  // and g does not change for them: those of a call whose rows are all ignored, or whose loss
  // weighs nothing.
  bool have_gradients(const double* positive, const double* negative) const;

  const CriterionSettings settings_;
  const efl_backend* const backend_;
  const efl_parameter_range range_;  // of the parameters, whatever the statistics
  // Workspace of the one computation that can be under way.
  std::vector<double> positive_sums_;
  std::vector<double> negative_sums_;

  mutable std::mutex mutex_;
  GradientStatistics statistics_;
  std::shared_ptr<ColumnParameters> parameters_;
  // Where there are statistics: takes the parameters of the next call, which then change places
  // with the present ones: a call allocates nothing and cannot fail after its computation. Nobody
  // else has it, since a call that would still read it has ended before the next one begins.
  std::shared_ptr<ColumnParameters> spare_;
};

}  // namespace efl
