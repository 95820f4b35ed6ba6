// The state of an equalized criterion: per-class gradient sums and what follows from them.
#pragma once

#include <cstdint>
#include <vector>

#include "spec.h"

namespace efl {

// Arrays in the form the kernels read, one value for each column. A column beyond the classes is
// that of objectness, which no statistics change.
struct ColumnParameters {
  ColumnParameters() = default;
  // Those of objectness in every column.
  explicit ColumnParameters(const SpecView& spec)
      : gamma(spec.columns(), spec.objectness_gamma),
        positive_weight(spec.columns(), spec.objectness_weight),
        negative_weight(spec.columns(), spec.objectness_weight) {}

  std::vector<float> gamma;
  std::vector<float> positive_weight;
  std::vector<float> negative_weight;
};

// Fills in the parameters of classes first to last - 1 from their ratios. `result` has room for all
// classes already, so that this cannot fail.
void update_parameters(const SpecView& spec, const std::vector<double>& ratio, int32_t first,
                       int32_t last, ColumnParameters* result);

class GradientStatistics {
 public:
  GradientStatistics(const ClassRule& rule, int32_t classes);

  // Adds the sums of so many steps of somebody else, at most kMostSteps, and updates g. No sum
  // decays. Cannot fail.
  void merge(const double* positive, const double* negative, int64_t steps);
  // The two parts of a step: the sums of classes first to last - 1, then the step itself.
  void fold_classes(const double* positive, const double* negative, int32_t first, int32_t last);
  void count_step() { steps_ = more_steps(steps_, 1); }

  // Replaces everything, or the ratios alone.
  void restore(const double* positive, const double* negative, const double* ratio, int64_t steps);
  void use_ratios(const double* ratio) { ratio_.assign(ratio, ratio + ratio_.size()); }

  const std::vector<double>& positive() const { return positive_; }
  const std::vector<double>& negative() const { return negative_; }
  const std::vector<double>& ratio() const { return ratio_; }
  int64_t steps() const { return steps_; }

 private:
  void add(const double* positive, const double* negative, double decay, bool holds, int32_t first,
           int32_t last);

  ClassRule rule_;
  std::vector<double> positive_;
  std::vector<double> negative_;
  std::vector<double> ratio_;  // g_j; before the first step that of a balanced class
  int64_t steps_ = 0;
};

// Sums of calls that wait to be folded in as one step. Whoever has no such calls pays no memory.
class PendingSums {
 public:
  // False where there is no memory. To be asked before `add`.
  bool make_room(int32_t classes) noexcept;
  void add(const double* positive, const double* negative);
  void clear() { calls_ = 0; }
  // Sums of so many calls, from elsewhere. There is room.
  void restore(const double* positive, const double* negative, int64_t calls);

  // Calls in the sums; without any, nothing else is to be looked at.
  int64_t calls() const { return calls_; }
  const std::vector<double>& positive() const { return positive_; }
  const std::vector<double>& negative() const { return negative_; }

 private:
  std::vector<double> positive_;
  std::vector<double> negative_;
  int64_t calls_ = 0;
};

// What the ratios make of each class: gamma_j and gamma_j / gamma_b; of Equalization Loss v2 the
// factors on negatives and on positives. Either array may be null.
void read_factors(const SpecView& spec, const GradientStatistics& statistics, double* first,
                  double* second);

}  // namespace efl
