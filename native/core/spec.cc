#include "spec.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>

namespace efl {
namespace {

constexpr int32_t kMaxClasses = 1 << 24;
constexpr int32_t kIgnoredByDefault = -1;
constexpr double kNone = 0;

constexpr uint32_t only(efl_family family) { return 1u << family; }
constexpr uint32_t kFocal = only(EFL_FOCAL_LOSS) | only(EFL_EQUALIZED_FOCAL_LOSS);
constexpr uint32_t kQuality = only(EFL_QUALITY_FOCAL_LOSS) | only(EFL_EQUALIZED_QUALITY_FOCAL_LOSS);
constexpr uint32_t kVarifocal = only(EFL_VARIFOCAL_LOSS) | only(EFL_EQUALIZED_VARIFOCAL_LOSS);
constexpr uint32_t kEqualized = only(EFL_EQUALIZED_FOCAL_LOSS) |
                                only(EFL_EQUALIZED_QUALITY_FOCAL_LOSS) |
                                only(EFL_EQUALIZED_VARIFOCAL_LOSS);
constexpr uint32_t kWithStatistics = kEqualized | only(EFL_EQUALIZATION_LOSS_V2);
constexpr uint32_t kAllFamilies = ~0u;
// Whose targets can be smoothed: a quality is a soft target by itself, and other losses have
// positives that are not their negatives turned round.
constexpr uint32_t kSmoothed = kFocal | only(EFL_EQUALIZATION_LOSS_V2) |
                               only(EFL_EQUALIZATION_LOSS) |
                               only(EFL_ADAPTIVE_CLASS_SUPPRESSION_LOSS);

// What an option may be. A float32 that is not finite would make every result NaN.
bool any(double) { return true; }
bool is_not_negative(double value) { return value >= 0 && is_finite_float(value); }
bool is_positive(double value) { return value > 0 && is_finite_float(value); }
// Of sums, which are float64.
bool is_positive_double(double value) { return value > 0 && std::isfinite(value); }
bool is_one_or_more(double value) { return value >= 1 && is_finite_float(value); }
bool is_gain(double value) { return value >= 0 && is_finite_float(1 + value); }
bool is_zero_or_one_or_more(double value) { return value == 0 || is_one_or_more(value); }
bool is_margin(double value) { return value == 0 || (value >= 1e-6 && value < 1); }
bool is_share(double value) { return value >= 0 && value <= 1; }
bool is_score(double value) { return value > 0 && value < 1; }
bool is_below_one(double value) { return value >= 0 && static_cast<float>(value) < 1; }
bool is_alpha(double value) { return value <= 1; }
bool is_class_count(double value) {
  return value >= 1 && value <= kMaxClasses && value == std::floor(value);
}

bool is_step_count(double value) {
  return value >= 0 && value <= std::numeric_limits<int32_t>::max() && value == std::floor(value);
}

constexpr const char* kFinite = "a finite number";
constexpr const char* kNotNegative = "a finite number >= 0";
constexpr const char* kPositive = "a finite number > 0";
constexpr const char* kOneOrMore = "a finite number >= 1";
constexpr const char* kZeroOrOneOrMore = "0, or a finite number >= 1";
constexpr const char* kMargin = "0, or a number in [1e-6, 1)";
constexpr const char* kFlagged = "true or false";
constexpr const char* kShare = "a number in [0, 1]";
constexpr const char* kScore = "a number in (0, 1)";
constexpr const char* kBelowOne = "a number in [0, 1)";
constexpr const char* kAlpha = "a number in [0, 1], or a negative one to leave alpha out";
constexpr const char* kScale =
    "a finite number >= 0 for which ({gamma} + {scale_factor}) / {gamma} is finite too";

constexpr const char* kClasses = "an integer from 1 to 16777216";
constexpr const char* kSteps = "an integer from 0 to 2147483647";

}  // namespace

const std::vector<Option>& options() {
  constexpr OptionKind kInteger = OptionKind::kInteger, kNumber = OptionKind::kNumber,
                       kFlag = OptionKind::kFlag, kPerClass = OptionKind::kPerClass;
#define EFL_FIELD(name) #name, offsetof(efl_settings, name)
  const auto option = [](const char* name, std::size_t offset, OptionKind kind, uint32_t families,
                         double fallback, const char* expected, bool (*accepts)(double),
                         bool required = false) {
    return Option{name, kind, families, offset, fallback, expected, accepts, required};
  };
  static const std::vector<Option> all = {
      option(EFL_FIELD(classes), kInteger, kAllFamilies, kNone, kClasses, is_class_count, true),
      option(EFL_FIELD(class_weight), kPerClass, kAllFamilies, kNone, kNotNegative,
             is_not_negative),
      option(EFL_FIELD(loss_weight), kNumber, kAllFamilies, 1, kFinite, is_finite_float),
      option(EFL_FIELD(gamma), kNumber,
             only(EFL_FOCAL_LOSS) | only(EFL_VARIFOCAL_LOSS) | only(EFL_IOU_AWARE_BCE_LOSS), 2,
             kNotNegative, is_not_negative),
      option(EFL_FIELD(gamma), kNumber,
             only(EFL_EQUALIZED_FOCAL_LOSS) | only(EFL_EQUALIZED_VARIFOCAL_LOSS), 2, kPositive,
             is_positive),
      option(EFL_FIELD(gamma), kNumber, only(EFL_MATCHABILITY_AWARE_LOSS), 1.5, kPositive,
             is_positive),
      option(EFL_FIELD(gamma), kNumber, kQuality, 2, kOneOrMore, is_one_or_more),
      option(EFL_FIELD(class_alpha), kPerClass, kFocal | kQuality, kNone, kAlpha, is_alpha),
      option(EFL_FIELD(alpha), kNumber, kFocal, 0.25, kAlpha, is_alpha),
      option(EFL_FIELD(alpha), kNumber, kQuality, -1, kAlpha, is_alpha),
      option(EFL_FIELD(alpha), kNumber, kVarifocal, 0.75, kNotNegative, is_not_negative),
      option(EFL_FIELD(alpha), kNumber, only(EFL_MATCHABILITY_AWARE_LOSS), 1, kNotNegative,
             is_not_negative),
      option(EFL_FIELD(alpha), kNumber, only(EFL_IOU_AWARE_BCE_LOSS), 0.25, kShare, is_share),
      option(EFL_FIELD(class_pos_weight), kPerClass, kAllFamilies, kNone, kNotNegative,
             is_not_negative),
      option(EFL_FIELD(pos_weight), kNumber, kAllFamilies, 1, kNotNegative, is_not_negative),
      // What gamma allows is checked in set_rule.
      option(EFL_FIELD(scale_factor), kNumber, kEqualized, 8, kScale, is_not_negative),
      option(EFL_FIELD(map_steepness), kNumber, only(EFL_EQUALIZATION_LOSS_V2), 12, kPositive,
             is_positive),
      option(EFL_FIELD(map_midpoint), kNumber, only(EFL_EQUALIZATION_LOSS_V2), 0.8, kFinite,
             is_finite_float),
      option(EFL_FIELD(positive_gain), kNumber, only(EFL_EQUALIZATION_LOSS_V2), 4, kNotNegative,
             is_gain),
      option(EFL_FIELD(objectness), kFlag,
             only(EFL_EQUALIZATION_LOSS_V2) | only(EFL_EFFECTIVE_CLASS_MARGIN_LOSS), 0, kFlagged,
             any),
      option(EFL_FIELD(class_frequencies), kPerClass, only(EFL_EQUALIZATION_LOSS), kNone, kShare,
             is_share, true),
      option(EFL_FIELD(frequency_threshold), kNumber, only(EFL_EQUALIZATION_LOSS), 0.00177, kShare,
             is_share),
      option(EFL_FIELD(score_threshold), kNumber, only(EFL_ADAPTIVE_CLASS_SUPPRESSION_LOSS), 0.7,
             kScore, is_score),
      option(EFL_FIELD(background_weight), kPerClass, only(EFL_ADAPTIVE_CLASS_SUPPRESSION_LOSS),
             kNone, kNotNegative, is_not_negative),
      option(EFL_FIELD(positive_threshold), kNumber, kAllFamilies, 0, kBelowOne, is_below_one),
      option(EFL_FIELD(label_smoothing), kNumber, kSmoothed, 0, kBelowOne, is_below_one),
      option(EFL_FIELD(half_life), kNumber, kWithStatistics, kNone, kPositive, is_positive_double),
      option(EFL_FIELD(start_after), kInteger, kWithStatistics, 0, kSteps, is_step_count),
      option(EFL_FIELD(iou_weighted), kFlag, kVarifocal, 1, kFlagged, any),
      option(EFL_FIELD(detach_weight), kFlag, kVarifocal | only(EFL_ASYMMETRIC_LOSS), 0, kFlagged,
             any),
      option(EFL_FIELD(ignore_zero_quality), kFlag, kVarifocal, 0, kFlagged, any),
      option(EFL_FIELD(gamma_positive), kNumber, only(EFL_ASYMMETRIC_LOSS), 1, kNotNegative,
             is_not_negative),
      option(EFL_FIELD(gamma_negative), kNumber, only(EFL_ASYMMETRIC_LOSS), 4, kZeroOrOneOrMore,
             is_zero_or_one_or_more),
      option(EFL_FIELD(margin), kNumber, only(EFL_ASYMMETRIC_LOSS), 0.05, kMargin, is_margin),
      option(EFL_FIELD(class_counts), kPerClass, only(EFL_EFFECTIVE_CLASS_MARGIN_LOSS), kNone,
             kPositive, is_positive, true),
      option(EFL_FIELD(background_ratio), kNumber, only(EFL_EFFECTIVE_CLASS_MARGIN_LOSS), 6.3313,
             kPositive, is_positive),
  };
#undef EFL_FIELD
  return all;
}

namespace {

// Fields are reached by their places, as options() names them.
template <class T>
const T& field(const efl_settings& settings, const Option& option) {
  return *reinterpret_cast<const T*>(reinterpret_cast<const char*>(&settings) + option.offset);
}
template <class T>
T& field(efl_settings& settings, const Option& option) {
  return *reinterpret_cast<T*>(reinterpret_cast<char*>(&settings) + option.offset);
}

void check_one_of(const char* argument, const char* expected, int32_t value, int32_t last) {
  if (value < 0 || value > last) throw ArgumentError{argument, expected, double(value)};
}

void check_options(const efl_settings& given) {
  for (const Option& option : options()) {
    if (!option.belongs_to(given.family)) continue;
    if (option.kind == OptionKind::kInteger) check_option(option, field<int32_t>(given, option));
    const bool has_class_alpha =
        given.class_alpha && ((kFocal | kQuality) >> given.family & 1) != 0;
    if (option.offset == offsetof(efl_settings, alpha) && has_class_alpha) continue;
    if (option.offset == offsetof(efl_settings, pos_weight) && given.class_pos_weight) continue;
    if (option.kind == OptionKind::kNumber) {
      // A default is good, also one that means none.
      const double value = field<double>(given, option);
      if (value != option.fallback) check_option(option, value);
    }
    if (option.kind != OptionKind::kPerClass) continue;
    const double* const values = field<const double*>(given, option);
    if (!values && option.required) {
      throw ArgumentError{option.name, "a number for each class", 0, false};
    }
    for (int32_t j = 0; values && j < given.classes; ++j) check_option(option, values[j], j);
  }
}

constexpr Family kFamilies[] = {
    {EFL_FOCAL_LOSS, "FocalLoss", EFL_LOSS_FOCAL, Rule::kFixed},
    {EFL_EQUALIZED_FOCAL_LOSS, "EqualizedFocalLoss", EFL_LOSS_FOCAL, Rule::kEqualizedFocal},
    {EFL_QUALITY_FOCAL_LOSS, "QualityFocalLoss", EFL_LOSS_QUALITY_FOCAL, Rule::kFixed},
    {EFL_EQUALIZED_QUALITY_FOCAL_LOSS, "EqualizedQualityFocalLoss", EFL_LOSS_QUALITY_FOCAL,
     Rule::kEqualizedFocal},
    {EFL_EQUALIZATION_LOSS_V2, "EqualizationLossV2", EFL_LOSS_CROSS_ENTROPY, Rule::kEqualizationV2},
    {EFL_EQUALIZATION_LOSS, "EqualizationLoss", EFL_LOSS_CROSS_ENTROPY, Rule::kFixed},
    {EFL_ADAPTIVE_CLASS_SUPPRESSION_LOSS, "AdaptiveClassSuppressionLoss", EFL_LOSS_CROSS_ENTROPY,
     Rule::kFixed},
    {EFL_VARIFOCAL_LOSS, "VarifocalLoss", EFL_LOSS_VARIFOCAL, Rule::kFixed},
    {EFL_EQUALIZED_VARIFOCAL_LOSS, "EqualizedVarifocalLoss", EFL_LOSS_VARIFOCAL,
     Rule::kEqualizedFocal},
    {EFL_IOU_AWARE_BCE_LOSS, "IouAwareBceLoss", EFL_LOSS_IOU_AWARE_BCE, Rule::kFixed},
    {EFL_MATCHABILITY_AWARE_LOSS, "MatchabilityAwareLoss", EFL_LOSS_MATCHABILITY, Rule::kFixed},
    {EFL_ASYMMETRIC_LOSS, "AsymmetricLoss", EFL_LOSS_ASYMMETRIC, Rule::kFixed},
    {EFL_EFFECTIVE_CLASS_MARGIN_LOSS, "EffectiveClassMarginLoss", EFL_LOSS_CLASS_MARGIN,
     Rule::kFixed},
};

template <class Test>
const Family* find_family(const Test& test) {
  const auto found = std::find_if(std::begin(kFamilies), std::end(kFamilies), test);
  return found == std::end(kFamilies) ? nullptr : found;
}

const Family& checked_family(int32_t code) {
  if (const Family* const found = family_of(code)) return *found;
  throw ArgumentError{"family", "an efl_family", double(code)};
}

}  // namespace

const Family* family_of(int32_t code) {
  return find_family([code](const Family& family) { return family.code == code; });
}

const Family* family_named(const char* name) {
  return find_family([name](const Family& family) { return std::strcmp(family.name, name) == 0; });
}

void check_option(const Option& option, double value, int64_t index) {
  if (!option.accepts(value)) throw ArgumentError{option.name, option.expected, value, true, index};
}

efl_settings default_settings(int32_t family) {
  (void)checked_family(family);
  efl_settings settings{};
  settings.abi = EFL_ABI;
  settings.size = sizeof(efl_settings);
  settings.family = family;
  settings.ignored_count = 1;
  settings.ignored = &kIgnoredByDefault;
  // The family's own last: another one may have another default for the same field.
  for (const bool own : {false, true}) {
    for (const Option& option : options()) {
      if (option.belongs_to(family) != own) continue;
      if (option.kind == OptionKind::kNumber) field<double>(settings, option) = option.fallback;
      if (option.kind == OptionKind::kFlag) field<int32_t>(settings, option) = option.fallback != 0;
    }
  }
  return settings;
}

Spec::Spec(const efl_settings& given) : SpecView() {
  loss = checked_family(given.family).loss;
  if (loss == EFL_LOSS_VARIFOCAL && given.detach_weight) loss = EFL_LOSS_DETACHED_VARIFOCAL;
  check_options(given);
  check_one_of("background", "an efl_background", given.background, EFL_BACKGROUND_NONE);
  check_one_of("reduction", "an efl_reduction", given.reduction, EFL_REDUCTION_NONE);
  set_labels(given);
  set_rule(given);
  set_constants(given);
  reduction = static_cast<efl_reduction>(given.reduction);
  loss_weight = given.loss_weight;
  positive_threshold = static_cast<float>(given.positive_threshold);
  label_smoothing = (kSmoothed >> given.family & 1) != 0 ? given.label_smoothing : 0;
  set_weights(given);
  check_weights(given);
}

void Spec::set_rule(const efl_settings& given) {
  rule.rule = checked_family(given.family).rule;
  rule.decay = 1;
  if (keeps_statistics()) {
    if (given.half_life > 0) rule.decay = std::exp2(-1 / given.half_life);
    rule.start_after = given.start_after;
  }
  // A loss without a focusing parameter has the modulator of gamma 0, which is 1.
  const bool focuses = loss != EFL_LOSS_CROSS_ENTROPY && loss != EFL_LOSS_CLASS_MARGIN;
  if (focuses) rule.gamma = loss == EFL_LOSS_ASYMMETRIC ? given.gamma_negative : given.gamma;
  if (rule.rule == Rule::kEqualizedFocal) {
    const double gamma = given.gamma, most = gamma + given.scale_factor;
    if (!is_finite_float(most) || !is_finite_float(most / gamma)) {
      throw ArgumentError{"scale_factor", kScale, given.scale_factor};
    }
    rule.scale_factor = given.scale_factor;
  }
  if (rule.rule == Rule::kEqualizationV2) {
    rule.map_steepness = given.map_steepness;
    rule.map_midpoint = given.map_midpoint;
    rule.positive_gain = given.positive_gain;
  }
  const bool has_objectness = rule.rule == Rule::kEqualizationV2 || loss == EFL_LOSS_CLASS_MARGIN;
  convention.has_objectness = has_objectness && given.objectness != 0;
}

void Spec::set_constants(const efl_settings& given) {
  objectness_weight = 1;
  constants.unweighted = given.iou_weighted == 0;
  constants.spares_zero = given.ignore_zero_quality != 0;
  if (loss == EFL_LOSS_IOU_AWARE_BCE) constants.exponent = given.alpha;
  if (loss == EFL_LOSS_ASYMMETRIC) {
    constants.exponent = given.gamma_positive;
    constants.margin = static_cast<float>(given.margin);
    constants.detached = given.detach_weight != 0;
  }
}

// Effective Class Margins: with r = (sum of all counts - n_j) / n_j a class is shifted by
// delta_j = log(1 / r) / 4, and weighs r log((1 + r) / r).
void Spec::set_margins(const efl_settings& given) {
  const int32_t classes = given.classes;
  double of_classes = 0;
  for (int32_t j = 0; j < classes; ++j) of_classes += given.class_counts[j];
  const double background = given.background_ratio * of_classes;
  const auto shift = [](double rest) { return static_cast<float>(-std::log(rest) / 4); };
  for (int32_t j = 0; j < classes; ++j) {
    const double count = given.class_counts[j];
    const double rest = (of_classes - count + background) / count;
    class_gammas_.push_back(shift(rest));
    const double weight = rest * std::log1p(1 / rest);
    positive_weights_[j] *= weight;
    negative_weights_[j] *= weight;
  }
  class_gamma = class_gammas_.data();
  if (!convention.has_objectness) return;
  const double rest = of_classes / background;
  objectness_gamma = shift(rest);
  objectness_weight = static_cast<float>(rest * std::log1p(1 / rest));
}

void Spec::set_labels(const efl_settings& given) {
  convention.classes = given.classes;
  convention.first_class = given.background == EFL_BACKGROUND_FIRST ? 1 : 0;
  convention.has_background = given.background != EFL_BACKGROUND_NONE;
  convention.background = given.background == EFL_BACKGROUND_FIRST ? 0 : given.classes;
  if (given.ignored_count < 0 || (given.ignored_count > 0 && !given.ignored)) {
    throw ArgumentError{"ignored", "ignored_count labels", double(given.ignored_count)};
  }
  for (int32_t i = 0; i < given.ignored_count; ++i) {
    const int32_t found = label_column(convention, given.ignored[i]);
    if (found >= 0 || found == kBackground) {
      throw ArgumentError{"ignored", "labels that are neither a class nor background",
                          double(given.ignored[i])};
    }
    ignored_.push_back(given.ignored[i]);
  }
  convention.ignored = ignored_.data();
  convention.ignored_count = given.ignored_count;
}

void Spec::set_weights(const efl_settings& given) {
  const bool has_alpha = loss == EFL_LOSS_FOCAL || loss == EFL_LOSS_QUALITY_FOCAL;
  const bool weighs_negatives = loss == EFL_LOSS_VARIFOCAL || loss == EFL_LOSS_DETACHED_VARIFOCAL ||
                                loss == EFL_LOSS_MATCHABILITY;
  const bool spares_rare = given.family == EFL_EQUALIZATION_LOSS;
  const bool suppresses = given.family == EFL_ADAPTIVE_CLASS_SUPPRESSION_LOSS;
  const auto value_or = [](const double* values, int32_t j, double otherwise) {
    return values ? values[j] : otherwise;
  };
  for (int32_t j = 0; j < given.classes; ++j) {
    const double weight = value_or(given.class_weight, j, 1);
    const double alpha = has_alpha ? value_or(given.class_alpha, j, given.alpha) : -1;
    const double negative = weighs_negatives ? given.alpha * weight
                            : alpha < 0      ? weight
                                             : (1 - alpha) * weight;
    const double of_positives = value_or(given.class_pos_weight, j, given.pos_weight);
    const double in_background = suppresses ? value_or(given.background_weight, j, 1) : 1;
    positive_weights_.push_back((alpha < 0 ? weight : alpha * weight) * of_positives);
    negative_weights_.push_back(negative * in_background);
    if (spares_rare) {
      const bool rare = given.class_frequencies[j] < given.frequency_threshold;
      foreground_weights_.push_back(rare ? 0.0f : static_cast<float>(negative));
    }
    if (suppresses) foreground_weights_.push_back(static_cast<float>(negative));
  }
  if (loss == EFL_LOSS_CLASS_MARGIN) set_margins(given);
  positive_weight = positive_weights_.data();
  negative_weight = negative_weights_.data();
  foreground_weight = foreground_weights_.empty() ? nullptr : foreground_weights_.data();
  foreground_threshold = -std::numeric_limits<float>::infinity();
  if (suppresses) {
    // The logit of the score: comparing logits saves the kernels a sigmoid.
    const double score = given.score_threshold;
    foreground_threshold = static_cast<float>(std::log(score) - std::log1p(-score));
  }
}

// An infinite weight would turn a modulator of 0 into NaN.
void Spec::check_weights(const efl_settings& given) const {
  const double focus = rule.scale_factor > 0 ? (rule.gamma + rule.scale_factor) / rule.gamma : 1;
  const double most = focus * (1 + rule.positive_gain) * std::max(1.0, std::fabs(loss_weight));
  for (const std::vector<double>* weights : {&positive_weights_, &negative_weights_}) {
    const auto found = std::find_if(weights->begin(), weights->end(),
                                    [&](double weight) { return !is_finite_float(weight * most); });
    if (found == weights->end()) continue;
    const auto j = found - weights->begin();
    constexpr const char* kExpected =
        "a number that keeps the largest weight of an element finite in float32";
    const bool is_own = given.class_weight || (!given.class_pos_weight && given.pos_weight == 1);
    if (is_own) {
      throw ArgumentError{"class_weight", kExpected,
                          given.class_weight ? given.class_weight[j] : *found, true, j};
    }
    if (!given.class_pos_weight) throw ArgumentError{"pos_weight", kExpected, given.pos_weight};
    throw ArgumentError{"class_pos_weight", kExpected, given.class_pos_weight[j], true, j};
  }
}

}  // namespace efl
