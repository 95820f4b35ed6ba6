#include "input.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace fuzz {
namespace {

// Elements of a call: enough for every loop of the kernels, and few enough for many calls a second.
constexpr int64_t kMostElements = 3000;

void take(Array<double>* array, const double** field, Array<double> values) {
  *array = std::move(values);
  *field = array->data();
}

bool all(const Array<double>& values, bool (*holds)(double)) {
  return std::all_of(values.begin(), values.end(), holds);
}

bool is_weight(double value) { return value >= 0 && std::isfinite(value); }
bool is_share(double value) { return value >= 0 && value <= 1; }
bool is_alpha(double value) { return value <= 1; }
bool is_below_one(double value) { return value >= 0 && static_cast<float>(value) < 1; }
bool is_count(double value) { return value > 0 && std::isfinite(value); }

bool is_varifocal(const efl_settings& settings) {
  return settings.family == EFL_VARIFOCAL_LOSS || settings.family == EFL_EQUALIZED_VARIFOCAL_LOSS;
}

}  // namespace

bool has_objectness(const efl_settings& settings) {
  return (settings.family == EFL_EQUALIZATION_LOSS_V2 ||
          settings.family == EFL_EFFECTIVE_CLASS_MARGIN_LOSS) &&
         settings.objectness != 0;
}

bool takes_quality(const efl_settings& settings) {
  return settings.family == EFL_QUALITY_FOCAL_LOSS ||
         settings.family == EFL_EQUALIZED_QUALITY_FOCAL_LOSS || is_varifocal(settings) ||
         settings.family == EFL_IOU_AWARE_BCE_LOSS ||
         settings.family == EFL_MATCHABILITY_AWARE_LOSS;
}

Settings::Settings(Input* input) {
  // The families from EFL_VARIFOCAL_LOSS on are not drawn yet: at infinite logits that weigh 0 the
  // reference and the library have different ideas of them.
  const int32_t family = input->integer(0, EFL_ADAPTIVE_CLASS_SUPPRESSION_LOSS);
  if (efl_default_settings(&given, static_cast<efl_family>(family)) != EFL_OK) std::abort();
  given.classes = input->one_in(2) ? input->integer(1, 9) : input->integer(1, 70);
  const auto classes = static_cast<std::size_t>(given.classes);
  given.background = input->integer(0, 2);
  given.reduction = input->integer(0, 2);
  given.objectness = input->integer(0, 1);
  given.loss_weight = input->number(1);
  given.gamma = input->number(2);
  given.alpha = input->number(0.25);
  given.scale_factor = input->number(8);
  given.map_steepness = input->number(12);
  given.map_midpoint = input->number(0.8);
  given.positive_gain = input->number(4);
  given.frequency_threshold = input->number(0.01);
  given.score_threshold = input->number(0.7);
  if (input->one_in(2)) {
    ignored.resize(static_cast<std::size_t>(input->integer(0, 3)));
    for (int32_t& label : ignored) label = input->one_in(8) ? input->any_integer() : -1;
    given.ignored = ignored.data();
    given.ignored_count = static_cast<int32_t>(ignored.size());
  }
  const auto values = [&](double most) { return input->numbers<double>(classes, 0, most, true); };
  if (input->one_in(3)) take(&class_weight, &given.class_weight, values(3));
  if (input->one_in(3)) take(&class_alpha, &given.class_alpha, values(1));
  if (!input->one_in(20)) take(&class_frequencies, &given.class_frequencies, values(0.02));
  if (input->one_in(2)) take(&background_weight, &given.background_weight, values(2));
  given.iou_weighted = input->integer(0, 1);
  given.detach_weight = input->integer(0, 1);
  given.ignore_zero_quality = input->integer(0, 1);
  given.gamma_positive = input->number(1);
  given.gamma_negative = input->number(4);
  given.margin = input->number(0.05);
  given.background_ratio = input->number(6);
  given.pos_weight = input->number(1);
  if (input->one_in(4)) take(&class_pos_weight, &given.class_pos_weight, values(3));
  if (!input->one_in(20)) take(&class_counts, &given.class_counts, values(100));
  given.threads = input->integer(0, 3);
  int32_t kernels = 0;
  while (efl_kernels(kernels)) ++kernels;
  given.kernels = efl_kernels(input->integer(0, kernels));
  switch (input->integer(0, 63)) {
    case 50:
      given.family = input->one_in(2) ? -1 : 13;
      break;
    case 51:
      given.classes = input->one_in(2) ? INT32_MIN : -input->integer(0, 1);
      break;
    case 52:
      given.background = input->integer(-1, 4);
      break;
    case 53:
      given.reduction = input->integer(-1, 4);
      break;
    case 54:
      given.ignored = nullptr;
      given.ignored_count = input->integer(-1, 2);
      break;
    case 55:
      given.threads = -input->integer(0, 2);
      break;
    case 56:
      given.kernels = "mmx";
      break;
    case 40:
    case 41:
    case 42:
    case 43:
      given.label_smoothing = input->number(0.1);
      given.positive_threshold = input->number(0.1);
      break;
    default:
      break;
  }
}

Verdict Settings::verdict(bool moderate) const {
  const efl_settings& s = given;
  const bool focal = s.family == EFL_FOCAL_LOSS || s.family == EFL_EQUALIZED_FOCAL_LOSS;
  const bool equalized = s.family == EFL_EQUALIZED_FOCAL_LOSS ||
                         s.family == EFL_EQUALIZED_QUALITY_FOCAL_LOSS ||
                         s.family == EFL_EQUALIZED_VARIFOCAL_LOSS;
  bool good = s.family >= 0 && s.family <= 12 && s.classes >= 1 && s.background >= 0 &&
              s.background <= 2 && s.reduction >= 0 && s.reduction <= 2 && s.threads >= 0 &&
              std::isfinite(s.loss_weight) && all(class_weight, is_weight) &&
              (s.class_pos_weight ? all(class_pos_weight, is_weight) : is_weight(s.pos_weight));
  good = good && s.ignored_count >= 0 && (s.ignored || s.ignored_count == 0);
  good = good && !(s.kernels && std::strcmp(s.kernels, "mmx") == 0);
  for (int32_t i = 0; good && i < s.ignored_count; ++i) {
    const int32_t first = s.background == EFL_BACKGROUND_FIRST;
    const int32_t last = s.background == EFL_BACKGROUND_LAST ? s.classes : s.classes - 1 + first;
    good = s.ignored[i] < 0 || s.ignored[i] > last;
  }
  if (focal || takes_quality(s)) {
    const bool of_distance =
        s.family == EFL_QUALITY_FOCAL_LOSS || s.family == EFL_EQUALIZED_QUALITY_FOCAL_LOSS;
    const bool positive = equalized || s.family == EFL_MATCHABILITY_AWARE_LOSS;
    good = good && std::isfinite(s.gamma) && s.gamma >= (of_distance ? 1 : 0) &&
           !(positive && s.gamma == 0);
  }
  good = good && is_below_one(s.positive_threshold);
  const bool is_smoothed = focal || (s.family >= EFL_EQUALIZATION_LOSS_V2 &&
                                     s.family <= EFL_ADAPTIVE_CLASS_SUPPRESSION_LOSS);
  if (is_smoothed) good = good && is_below_one(s.label_smoothing);
  if (is_varifocal(s) || s.family == EFL_MATCHABILITY_AWARE_LOSS) {
    good = good && is_weight(s.alpha);
  }
  if (s.family == EFL_IOU_AWARE_BCE_LOSS) good = good && is_share(s.alpha);
  if (s.family == EFL_ASYMMETRIC_LOSS) {
    good = good && is_weight(s.gamma_positive) && is_weight(s.gamma_negative) &&
           (s.gamma_negative == 0 || s.gamma_negative >= 1) &&
           (s.margin == 0 || (s.margin >= 1e-6 && s.margin < 1));
  }
  if (s.family == EFL_EFFECTIVE_CLASS_MARGIN_LOSS) {
    good = good && s.class_counts && all(class_counts, is_count) && is_count(s.background_ratio);
  }
  const bool has_alpha = s.family >= 0 && s.family <= EFL_EQUALIZED_QUALITY_FOCAL_LOSS;
  if (has_alpha) good = good && (s.class_alpha ? all(class_alpha, is_alpha) : is_alpha(s.alpha));
  if (equalized) good = good && is_weight(s.scale_factor);
  if (s.family == EFL_EQUALIZATION_LOSS_V2) {
    good = good && s.map_steepness > 0 && std::isfinite(s.map_steepness) &&
           std::isfinite(s.map_midpoint) && is_weight(s.positive_gain);
  }
  if (s.family == EFL_EQUALIZATION_LOSS) {
    good = good && s.class_frequencies && all(class_frequencies, is_share) &&
           is_share(s.frequency_threshold);
  }
  if (s.family == EFL_ADAPTIVE_CLASS_SUPPRESSION_LOSS) {
    good =
        good && s.score_threshold > 0 && s.score_threshold < 1 && all(background_weight, is_weight);
  }
  return !good ? Verdict::kBad : moderate ? Verdict::kGood : Verdict::kEither;
}

Call::Call(Input* input, const Settings& settings, bool collects) {
  if (efl_default_call(&given) != EFL_OK) std::abort();
  choose_format(input);
  given.collect = !input->one_in(4);
  given.upstream = input->number(1);
  given.loss_scale = input->number(1);
  if (settings.given.reduction == EFL_REDUCTION_SUM || input->one_in(16)) {
    given.normalizer = input->one_in(3) ? EFL_NORMALIZER_POSITIVES : input->number(1);
  }
  dense_ = !collects && input->one_in(3);
  gradient_ = !input->one_in(4);
  in_place_ = input->one_in(4);
  elements_ = input->one_in(2);
  upstream_ = gradient_ && settings.given.reduction == EFL_REDUCTION_NONE && input->one_in(2);
  const int64_t images = input->integer(0, 2);
  const int32_t count = input->one_in(2) ? input->integer(1, 3) : 1;
  levels.reserve(static_cast<std::size_t>(count));
  arrays.reserve(static_cast<std::size_t>(count));
  for (int32_t i = 0; i < count; ++i) add_level(input, settings, collects, images);
  given.levels = levels.data();
  given.level_count = count;
  if (input->one_in(16)) spoil(input);
}

void Call::choose_format(Input* input) {
  given.format.dtype = static_cast<efl_dtype>(input->integer(0, 2));
  given.format.layout = static_cast<efl_layout>(input->integer(0, 1));
  given.format.channel_order = static_cast<efl_channel_order>(input->integer(0, 1));
  given.format.anchors = input->one_in(2) ? input->integer(1, 3) : 1;
}

void Call::add_level(Input* input, const Settings& settings, bool collects, int64_t images) {
  const int64_t columns = settings.given.classes + has_objectness(settings.given);
  levels.emplace_back();
  arrays.emplace_back();
  efl_level& level = levels.back();
  LevelArrays& own = arrays.back();
  level.images = images;
  level.positions = input->one_in(4) ? input->integer(0, 600) : input->integer(0, 12);
  const int64_t per_position = std::max<int64_t>(1, images) * given.format.anchors * columns;
  level.positions = std::min(level.positions, kMostElements / per_position);
  const auto rows = static_cast<std::size_t>(images * level.positions * given.format.anchors);
  const std::size_t size = rows * static_cast<std::size_t>(columns);

  own.logits = collects ? input->numbers<float>(size, -1, 1, true) : input->logits(size);
  const bool wide = given.format.dtype == EFL_FLOAT32;
  if (wide) {
    own.gradient.assign(gradient_ && !in_place_ ? size : 0, kUntouched);
  } else {
    // The upper half of a float32 is a bfloat16; as float16 it is a number of another size.
    own.logits16.resize(size);
    for (std::size_t i = 0; i < size; ++i) {
      uint32_t bits;
      std::memcpy(&bits, &own.logits[i], sizeof bits);
      own.logits16[i] = static_cast<uint16_t>(bits >> 16);
    }
    own.gradient16.assign(gradient_ && !in_place_ ? size : 0, kUntouched16);
  }
  void* const logits = wide ? static_cast<void*>(own.logits.data()) : own.logits16.data();
  void* const gradient = wide ? static_cast<void*>(own.gradient.data()) : own.gradient16.data();
  level.logits = logits;
  if (gradient_) level.gradient = in_place_ ? logits : gradient;
  own.elements.assign(elements_ ? size : 0, kUntouched);
  if (elements_) level.elements = own.elements.data();
  if (upstream_) {
    own.grad_output = input->numbers<float>(size, -2, 2, true);
    level.grad_output = own.grad_output.data();
    if (wide && !in_place_ && input->one_in(4)) level.gradient = own.grad_output.data();
  }
  if (dense_) {
    own.targets = input->shares(size);
    level.targets = own.targets.data();
    return;
  }
  own.labels = input->labels(rows, settings.given.classes);
  level.labels = own.labels.data();
  if (takes_quality(settings.given) && !collects) {
    own.quality = input->shares(rows);
    level.quality = own.quality.data();
  }
}

// Breaks the call in one place, so that it has to be refused before any array is looked at.
void Call::spoil(Input* input) {
  spoilt_ = true;
  efl_level& level = levels[static_cast<std::size_t>(input->integer(0, given.level_count - 1))];
  switch (input->integer(0, 10)) {
    case 0:
      given.level_count = input->integer(-1, 0);
      break;
    case 1:
      given.levels = nullptr;
      break;
    case 2:
      given.format.dtype = static_cast<efl_dtype>(3);
      break;
    case 3:
      given.format.layout = static_cast<efl_layout>(2);
      break;
    case 4:
      given.format.channel_order = static_cast<efl_channel_order>(2);
      break;
    case 5:
      given.format.anchors = -input->integer(0, 1);
      break;
    case 6:
      level.images = -1;
      break;
    case 7:
      level.positions = INT64_MIN;
      break;
    case 8:
      level.images = level.positions = INT64_MAX;
      break;
    case 9:
      given.abi = EFL_ABI + 1;
      break;
    default:
      given.size -= 8;
  }
}

Verdict Call::verdict(const efl_settings& settings, bool collects, bool moderate) const {
  bool good = !spoilt_ && std::isfinite(given.loss_scale) && given.loss_scale != 0;
  if (!collects) {
    const bool only_one = settings.reduction != EFL_REDUCTION_SUM;
    good = good && std::isfinite(given.normalizer) && std::isfinite(given.upstream) &&
           (only_one ? given.normalizer == 1
                     : given.normalizer >= 0 || given.normalizer == EFL_NORMALIZER_WEIGHTS);
  }
  return !good ? Verdict::kBad : moderate ? Verdict::kGood : Verdict::kEither;
}

}  // namespace fuzz
