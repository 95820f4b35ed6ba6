// The state of an equalized criterion: per-class gradient sums and what follows from them.
#pragma once

#include <cstdint>
#include <vector>

namespace efl {

// Hyper-parameters that turn a class's gradient ratio into its parameters.
struct FocalParameters {
  double gamma;         // gamma_b
  double alpha;         // negative: no alpha
  double scale_factor;  // s; 0 is plain Focal Loss
};

// Per-class arrays in the form the kernels read.
struct ClassParameters {
  explicit ClassParameters(int32_t classes)
      : gamma(classes), positive_weight(classes), negative_weight(classes) {}

  std::vector<float> gamma;
  std::vector<float> positive_weight;
  std::vector<float> negative_weight;
};

// Fills in the parameters of every class from its ratio. `result` has room for all classes already,
// so that this cannot fail.
void update_parameters(const FocalParameters& parameters, const std::vector<double>& ratio,
                       ClassParameters* result);

class GradientStatistics {
 public:
  explicit GradientStatistics(int32_t classes);

  // Adds the sums of so many calls and updates g. Cannot fail: float64 has room for the gradients
  // of more calls than can be made.
  void fold(const double* positive, const double* negative, int64_t steps);

  // Replaces everything.
  void restore(const double* positive, const double* negative, const double* ratio, int64_t steps);

  const std::vector<double>& positive() const { return positive_; }
  const std::vector<double>& negative() const { return negative_; }
  const std::vector<double>& ratio() const { return ratio_; }
  int64_t steps() const { return steps_; }

 private:
  std::vector<double> positive_;
  std::vector<double> negative_;
  std::vector<double> ratio_;  // g_j; 1 before the first step, which is Focal Loss then
  int64_t steps_ = 0;
};

}  // namespace efl
