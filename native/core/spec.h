// What a criterion is: the options of each family with their defaults and ranges, and what they
// mean for the kernels.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "argument_error.h"
#include "class_rule.h"
#include "labels.h"
#include "problem.h"

namespace efl {

enum class OptionKind { kInteger, kNumber, kFlag, kPerClass };

// An option that is a field of efl_settings.
struct Option {
  const char* name;  // of the field
  OptionKind kind;
  uint32_t families;  // one bit for each efl_family that has it
  std::size_t offset;
  double fallback;       // the default of a number or a flag; per class there is none
  const char* expected;  // what a value may be
  bool (*accepts)(double value);
  bool required = false;

  bool belongs_to(int32_t family) const { return (families >> family & 1) != 0; }
};

// All of them, in the order in which they are checked.
const std::vector<Option>& options();

// A family of efl.h: what it is called, what an element's loss is, and how the statistics change
// the parameters of a class.
struct Family {
  efl_family code;
  const char* name;
  efl_loss loss;
  Rule rule;
};

// Null where there is none.
const Family* family_of(int32_t code);
const Family* family_named(const char* name);

// Every field at its default. Throws ArgumentError for a family that there is none of.
efl_settings default_settings(int32_t family);

// Throws ArgumentError where the value is not one the option may have.
void check_option(const Option& option, double value, int64_t index = -1);

// Plain data, which a library of another compiler can read, too. Arrays have one value for each
// class but for foreground_weight, which has one for each column.
struct SpecView {
  ClassRule rule;
  efl_label_convention convention;
  efl_loss loss;
  efl_constants constants;
  efl_reduction reduction;
  double loss_weight;
  const double* positive_weight;   // alpha, or what takes its place, times the class's weight
  const double* negative_weight;   // 1 - alpha, likewise
  const float* foreground_weight;  // or null where negatives weigh the same in all rows
  float foreground_threshold;
  float positive_threshold;
  double label_smoothing;    // 0 in the quality losses, whose targets are soft for a reason
  const float* class_gamma;  // or null: in place of that of the rule, which is kFixed then
  float objectness_gamma, objectness_weight;  // of the column beyond the classes

  int32_t columns() const { return columns_of(convention); }
  bool keeps_statistics() const { return rule.rule != Rule::kFixed; }
};

// A view with the arrays it shows.
class Spec : public SpecView {
 public:
  // Throws ArgumentError for what is out of its range.
  explicit Spec(const efl_settings& given);
  Spec(Spec&&) = default;
  Spec(const Spec&) = delete;

 private:
  void set_rule(const efl_settings& given);
  void set_labels(const efl_settings& given);
  void set_constants(const efl_settings& given);
  void set_margins(const efl_settings& given);
  void set_weights(const efl_settings& given);
  void check_weights(const efl_settings& given) const;

  std::vector<int32_t> ignored_;
  std::vector<double> positive_weights_, negative_weights_;
  std::vector<float> foreground_weights_, class_gammas_;
};

// Finite as the float32 the kernels compute with.
inline bool is_finite_float(double value) { return std::isfinite(static_cast<float>(value)); }

}  // namespace efl
