#include "settings.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <vector>

#include "../cpu/available_processors.h"
#include "../cpu/cpu_backend.h"
#include "errors.h"

namespace efl::library {
namespace {

constexpr int32_t kMaxClasses = 1 << 24;
constexpr int32_t kIgnoredByDefault = -1;

bool is_finite_float(double value) { return std::isfinite(static_cast<float>(value)); }

// What sets the families apart.
struct Family {
  efl_loss loss;
  Rule rule;
  double least_gamma;
  bool takes_gamma, takes_alpha;
};

Family family_of(int32_t family) {
  switch (family) {
    case EFL_FOCAL_LOSS:
      return {EFL_LOSS_FOCAL, Rule::kFixed, 0, true, true};
    case EFL_EQUALIZED_FOCAL_LOSS:
      return {EFL_LOSS_FOCAL, Rule::kEqualizedFocal, std::numeric_limits<double>::min(), true,
              true};
    case EFL_QUALITY_FOCAL_LOSS:
      return {EFL_LOSS_QUALITY_FOCAL, Rule::kFixed, 1, true, false};
    case EFL_EQUALIZED_QUALITY_FOCAL_LOSS:
      return {EFL_LOSS_QUALITY_FOCAL, Rule::kEqualizedFocal, 1, true, false};
    case EFL_EQUALIZATION_LOSS_V2:
      return {EFL_LOSS_CROSS_ENTROPY, Rule::kEqualizationV2, 0, false, false};
    case EFL_EQUALIZATION_LOSS:
    case EFL_ADAPTIVE_CLASS_SUPPRESSION_LOSS:
      return {EFL_LOSS_CROSS_ENTROPY, Rule::kFixed, 0, false, false};
    default:
      reject("settings.family", "an efl_family", family);
  }
}

// Arrays that may be absent are read through these.
double value_or(const double* values, int32_t index, double otherwise) {
  return values ? values[index] : otherwise;
}

template <class Accept>
void check_values(const char* argument, const char* expected, const double* values, int32_t count,
                  const Accept& accept) {
  for (int32_t j = 0; values && j < count; ++j) {
    if (accept(values[j])) continue;
    char place[64];
    (void)std::snprintf(place, sizeof place, "%s[%d]", argument, j);
    reject(place, expected, values[j]);
  }
}

bool is_weight(double value) { return value >= 0 && is_finite_float(value); }
bool is_share(double value) { return value >= 0 && value <= 1; }
bool is_alpha(double value) { return value <= 1; }

constexpr const char* kWeight = "a finite number >= 0";
constexpr const char* kShare = "a number in [0, 1]";
constexpr const char* kAlpha = "a number in [0, 1], or a negative one to leave alpha out";

void check_focus(const efl_settings& given, const Family& family) {
  const double gamma = given.gamma, scale = given.scale_factor;
  if (family.takes_gamma && !(is_finite_float(gamma) && gamma >= family.least_gamma)) {
    const char* const range = family.least_gamma == 0   ? "a finite number >= 0"
                              : family.least_gamma == 1 ? "a finite number >= 1"
                                                        : "a finite number > 0";
    reject("settings.gamma", range, gamma);
  }
  if (family.rule == Rule::kEqualizedFocal &&
      !(scale >= 0 && is_finite_float(gamma + scale) && is_finite_float((gamma + scale) / gamma))) {
    reject("settings.scale_factor",
           "a finite number >= 0 for which (gamma + scale_factor) / gamma is finite too", scale);
  }
  if (!family.takes_alpha) return;
  check_values("settings.class_alpha", kAlpha, given.class_alpha, given.classes, is_alpha);
  if (!given.class_alpha && !is_alpha(given.alpha)) reject("settings.alpha", kAlpha, given.alpha);
}

void check_ratio_map(const efl_settings& given) {
  if (!(given.map_steepness > 0 && is_finite_float(given.map_steepness))) {
    reject("settings.map_steepness", "a finite number > 0", given.map_steepness);
  }
  if (!is_finite_float(given.map_midpoint)) {
    reject("settings.map_midpoint", "a finite number", given.map_midpoint);
  }
  if (!(given.positive_gain >= 0 && is_finite_float(1 + given.positive_gain))) {
    reject("settings.positive_gain", kWeight, given.positive_gain);
  }
}

void check_suppression(const efl_settings& given) {
  if (given.family == EFL_EQUALIZATION_LOSS) {
    if (!given.class_frequencies) reject("settings.class_frequencies", "a number for each class");
    check_values("settings.class_frequencies", kShare, given.class_frequencies, given.classes,
                 is_share);
    if (!is_share(given.frequency_threshold)) {
      reject("settings.frequency_threshold", kShare, given.frequency_threshold);
    }
  }
  if (given.family == EFL_ADAPTIVE_CLASS_SUPPRESSION_LOSS) {
    if (!(given.score_threshold > 0 && given.score_threshold < 1)) {
      reject("settings.score_threshold", "a number in (0, 1)", given.score_threshold);
    }
    check_values("settings.background_weight", kWeight, given.background_weight, given.classes,
                 is_weight);
  }
}

void check_common(const efl_settings& given) {
  if (given.classes < 1 || given.classes > kMaxClasses) {
    reject("settings.classes", "an integer from 1 to 16777216", given.classes);
  }
  if (given.background < EFL_BACKGROUND_FIRST || given.background > EFL_BACKGROUND_NONE) {
    reject("settings.background", "an efl_background", given.background);
  }
  if (given.reduction < EFL_REDUCTION_SUM || given.reduction > EFL_REDUCTION_NONE) {
    reject("settings.reduction", "an efl_reduction", given.reduction);
  }
  if (!is_finite_float(given.loss_weight)) {
    reject("settings.loss_weight", "a finite number", given.loss_weight);
  }
  check_values("settings.class_weight", kWeight, given.class_weight, given.classes, is_weight);
}

void set_labels(const efl_settings& given, CriterionSettings* settings) {
  settings->first_class = given.background == EFL_BACKGROUND_FIRST ? 1 : 0;
  settings->has_background = given.background != EFL_BACKGROUND_NONE;
  settings->background = given.background == EFL_BACKGROUND_FIRST ? 0 : given.classes;
  if (given.ignored_count < 0 || (given.ignored_count > 0 && !given.ignored)) {
    reject("settings.ignored", "ignored_count labels", given.ignored_count);
  }
  for (int32_t i = 0; i < given.ignored_count; ++i) {
    const int64_t label = given.ignored[i];
    const bool is_class =
        label >= settings->first_class && label < settings->first_class + int64_t{given.classes};
    if (is_class || (settings->has_background && label == settings->background)) {
      reject("settings.ignored", "labels that are neither a class nor background",
             static_cast<double>(label));
    }
    settings->ignored.push_back(given.ignored[i]);
  }
}

void set_weights(const efl_settings& given, const Family& family, CriterionSettings* settings) {
  const bool spares_rare = given.family == EFL_EQUALIZATION_LOSS;
  const bool suppresses = given.family == EFL_ADAPTIVE_CLASS_SUPPRESSION_LOSS;
  for (int32_t j = 0; j < given.classes; ++j) {
    const double weight = value_or(given.class_weight, j, 1);
    const double alpha = family.takes_alpha ? value_or(given.class_alpha, j, given.alpha) : -1;
    const double negative = alpha < 0 ? weight : (1 - alpha) * weight;
    const double in_background = suppresses ? value_or(given.background_weight, j, 1) : 1;
    settings->parameters.positive_weight.push_back(alpha < 0 ? weight : alpha * weight);
    settings->parameters.negative_weight.push_back(negative * in_background);
    if (spares_rare) {
      const bool rare = given.class_frequencies[j] < given.frequency_threshold;
      settings->foreground_weight.push_back(rare ? 0.0f : static_cast<float>(negative));
    }
    if (suppresses) settings->foreground_weight.push_back(static_cast<float>(negative));
  }
  settings->foreground_threshold = -std::numeric_limits<float>::infinity();
  if (suppresses) {
    const double score = given.score_threshold;
    settings->foreground_threshold = static_cast<float>(std::log(score) - std::log1p(-score));
  }
}

// An infinite weight would turn a modulator of 0 into NaN.
void check_weights(const CriterionSettings& settings) {
  const LossParameters& p = settings.parameters;
  const double focus = p.scale_factor > 0 ? (p.gamma + p.scale_factor) / p.gamma : 1;
  const double most =
      focus * (1 + p.positive_gain) * std::max(1.0, std::fabs(settings.loss_weight));
  for (const std::vector<double>* weights : {&p.positive_weight, &p.negative_weight}) {
    const double largest = *std::max_element(weights->begin(), weights->end());
    if (is_finite_float(largest * most)) continue;
    reject("settings.class_weight",
           "numbers that keep the largest weight of an element finite in float32", largest);
  }
}

}  // namespace

efl_settings default_settings(int32_t family) {
  (void)family_of(family);
  efl_settings settings{};
  settings.abi = EFL_ABI;
  settings.size = sizeof(efl_settings);
  settings.family = family;
  settings.loss_weight = 1;
  settings.gamma = 2;
  settings.alpha = 0.25;
  settings.scale_factor = 8;
  settings.map_steepness = 12;
  settings.map_midpoint = 0.8;
  settings.positive_gain = 4;
  settings.ignored_count = 1;
  settings.ignored = &kIgnoredByDefault;
  settings.frequency_threshold = 0.00177;
  settings.score_threshold = 0.7;
  return settings;
}

CriterionSettings checked_settings(const efl_settings& given) {
  const Family family = family_of(given.family);
  check_common(given);
  check_focus(given, family);
  check_suppression(given);
  CriterionSettings settings{};
  settings.classes = given.classes;
  settings.loss = family.loss;
  settings.parameters.rule = family.rule;
  if (family.takes_gamma) settings.parameters.gamma = given.gamma;
  if (family.rule == Rule::kEqualizedFocal) settings.parameters.scale_factor = given.scale_factor;
  if (family.rule == Rule::kEqualizationV2) {
    check_ratio_map(given);
    settings.parameters.map_steepness = given.map_steepness;
    settings.parameters.map_midpoint = given.map_midpoint;
    settings.parameters.positive_gain = given.positive_gain;
    settings.has_objectness = given.objectness != 0;
  }
  settings.reduction = static_cast<efl_reduction>(given.reduction);
  settings.loss_weight = given.loss_weight;
  set_labels(given, &settings);
  set_weights(given, family, &settings);
  check_weights(settings);
  return settings;
}

const efl_backend* chosen_backend(const efl_settings& given) {
  const std::vector<const efl_backend*> usable = cpu::backends();
  if (!given.kernels) return usable.front();
  for (const efl_backend* backend : usable) {
    if (std::strcmp(backend->detail, given.kernels) == 0) return backend;
  }
  throw Failure{fail(EFL_BAD_ARGUMENT, "settings.kernels: expected one of efl_kernels, received %s",
                     given.kernels)};
}

int32_t chosen_threads(const efl_settings& given) {
  if (given.threads < 0) reject("settings.threads", "an integer >= 0", given.threads);
  if (given.threads > 0) return given.threads;
  return cpu::available_processors();
}

}  // namespace efl::library
