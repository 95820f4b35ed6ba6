// Tests of the C interface without Node.js: what every function does with good and with bad
// arguments, from one thread and from several. That losses are right is tested through core.

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "../../native/include/efl.h"
#include "check.h"

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// A call with all its arrays, in rows.
struct Call {
  explicit Call(int32_t columns, int64_t rows = 40, uint32_t seed = 1) {
    for (int64_t i = 0; i < rows * columns; ++i) {
      seed = seed * 1664525u + 1013904223u;
      logits.push_back(static_cast<float>(seed >> 8) / 4194304.0f - 2.0f);
    }
    for (int64_t r = 0; r < rows; ++r) labels.push_back(static_cast<int32_t>(r % 4));
    gradient.assign(logits.size(), 7.0f);
    level.images = 1;
    level.positions = rows;
    level.logits = logits.data();
    level.gradient = gradient.data();
    level.labels = labels.data();
    CHECK(efl_default_call(&call) == EFL_OK);
    call.levels = &level;
    call.level_count = 1;
  }
  Call(const Call&) = delete;

  bool untouched() const {
    for (const float value : gradient) {
      if (value != 7.0f) return false;
    }
    return true;
  }

  std::vector<float> logits, gradient;
  std::vector<int32_t> labels;
  efl_level level{};
  efl_call call;
  efl_result result{};
};

efl_settings settings_of(efl_family family, int32_t classes = 3) {
  efl_settings settings;
  CHECK(efl_default_settings(&settings, family) == EFL_OK);
  settings.classes = classes;
  return settings;
}

efl_criterion* criterion_of(const efl_settings& settings) {
  efl_criterion* criterion = nullptr;
  CHECK(efl_criterion_create(&settings, &criterion) == EFL_OK);
  return criterion;
}

bool says(const char* words) { return std::strstr(efl_error_text(), words) != nullptr; }

void another_interface_is_an_error() {
  efl_settings settings;
  std::memset(&settings, 0, sizeof settings);
  efl_criterion* criterion = nullptr;
  CHECK(efl_abi() == EFL_ABI);
  CHECK(efl_settings_init(&settings, EFL_ABI + 1, sizeof settings, 0) == EFL_ABI_MISMATCH);
  CHECK(says("the library has interface 1"));
  CHECK(efl_settings_init(&settings, EFL_ABI, sizeof settings - 8, 0) == EFL_ABI_MISMATCH);
  CHECK(efl_criterion_create(&settings, &criterion) == EFL_ABI_MISMATCH);
  CHECK(criterion == nullptr);

  settings = settings_of(EFL_FOCAL_LOSS);
  criterion = criterion_of(settings);
  Call given(3);
  given.call.abi = EFL_ABI + 1;
  CHECK(efl_criterion_compute(criterion, &given.call, &given.result) == EFL_ABI_MISMATCH);
  CHECK(given.untouched());
  CHECK(efl_call_init(&given.call, 0, sizeof given.call) == EFL_ABI_MISMATCH);
  efl_criterion_destroy(criterion);
}

void settings_are_checked() {
  struct Case {
    efl_family family;
    void (*spoil)(efl_settings*);
    const char* words;
  };
  static const double frequencies[] = {0.5, 2, 0};
  static const double heavy[] = {1, 1e38, 1};
  static const int32_t a_class = 2, the_background = 0;
  const Case cases[] = {
      {EFL_FOCAL_LOSS, [](efl_settings* s) { s->classes = 0; }, "settings.classes"},
      {EFL_FOCAL_LOSS, [](efl_settings* s) { s->gamma = -1; }, "settings.gamma: expected"},
      {EFL_FOCAL_LOSS, [](efl_settings* s) { s->gamma = kNaN; }, "settings.gamma"},
      {EFL_FOCAL_LOSS, [](efl_settings* s) { s->alpha = 1.5; }, "received 1.5"},
      {EFL_FOCAL_LOSS, [](efl_settings* s) { s->background = 3; }, "settings.background"},
      {EFL_FOCAL_LOSS, [](efl_settings* s) { s->reduction = -1; }, "settings.reduction"},
      {EFL_FOCAL_LOSS, [](efl_settings* s) { s->loss_weight = 1e300; }, "settings.loss_weight"},
      {EFL_FOCAL_LOSS, [](efl_settings* s) { s->ignored = &a_class; }, "settings.ignored"},
      {EFL_FOCAL_LOSS, [](efl_settings* s) { s->ignored = &the_background; }, "settings.ignored"},
      {EFL_FOCAL_LOSS, [](efl_settings* s) { s->ignored = nullptr; }, "settings.ignored"},
      {EFL_FOCAL_LOSS, [](efl_settings* s) { s->threads = -1; }, "settings.threads"},
      {EFL_FOCAL_LOSS, [](efl_settings* s) { s->kernels = "mmx"; }, "received mmx"},
      {EFL_FOCAL_LOSS, [](efl_settings* s) { s->family = 99; }, "settings.family"},
      {EFL_EQUALIZED_FOCAL_LOSS, [](efl_settings* s) { s->gamma = 0; }, "settings.gamma"},
      {EFL_EQUALIZED_FOCAL_LOSS, [](efl_settings* s) { s->scale_factor = -1; }, "scale_factor"},
      {EFL_EQUALIZED_FOCAL_LOSS, [](efl_settings* s) { s->scale_factor = 3.4e38, s->gamma = 0.5; },
       "settings.scale_factor: expected"},
      // With the weighting factor of 5, of which alpha leaves either side more.
      {EFL_EQUALIZED_FOCAL_LOSS, [](efl_settings* s) { s->class_weight = heavy; },
       "settings.class_weight[1]: expected"},
      {EFL_EQUALIZED_FOCAL_LOSS, [](efl_settings* s) { s->class_weight = heavy, s->alpha = 0.75; },
       "settings.class_weight[1]: expected"},
      {EFL_QUALITY_FOCAL_LOSS, [](efl_settings* s) { s->gamma = 0.5; }, ">= 1"},
      {EFL_EQUALIZATION_LOSS_V2, [](efl_settings* s) { s->map_steepness = 0; }, "steepness"},
      {EFL_EQUALIZATION_LOSS_V2, [](efl_settings* s) { s->positive_gain = -1; }, "positive_gain"},
      {EFL_EQUALIZATION_LOSS, [](efl_settings*) {}, "settings.class_frequencies: expected"},
      {EFL_EQUALIZATION_LOSS, [](efl_settings* s) { s->class_frequencies = frequencies; },
       "settings.class_frequencies[1]"},
      {EFL_ADAPTIVE_CLASS_SUPPRESSION_LOSS, [](efl_settings* s) { s->score_threshold = 1; },
       "settings.score_threshold"},
      {EFL_FOCAL_LOSS, [](efl_settings* s) { s->label_smoothing = 1; }, "settings.label_smoothing"},
      {EFL_QUALITY_FOCAL_LOSS, [](efl_settings* s) { s->positive_threshold = NAN; },
       "settings.positive_threshold: expected a number in [0, 1)"},
      {EFL_VARIFOCAL_LOSS, [](efl_settings* s) { s->alpha = -1; }, "settings.alpha: expected"},
      {EFL_EQUALIZED_VARIFOCAL_LOSS, [](efl_settings* s) { s->gamma = 0; }, "settings.gamma"},
      {EFL_IOU_AWARE_BCE_LOSS, [](efl_settings* s) { s->alpha = 1.5; }, "received 1.5"},
      {EFL_MATCHABILITY_AWARE_LOSS, [](efl_settings* s) { s->gamma = 0; }, "settings.gamma"},
      {EFL_ASYMMETRIC_LOSS, [](efl_settings* s) { s->gamma_negative = 0.5; }, "gamma_negative"},
      {EFL_ASYMMETRIC_LOSS, [](efl_settings* s) { s->margin = 1; }, "settings.margin"},
      {EFL_EFFECTIVE_CLASS_MARGIN_LOSS, [](efl_settings*) {}, "settings.class_counts: expected"},
      {EFL_EFFECTIVE_CLASS_MARGIN_LOSS, [](efl_settings* s) { s->class_counts = frequencies; },
       "settings.class_counts[2]"},
  };
  for (const Case& each : cases) {
    efl_settings settings = settings_of(each.family);
    each.spoil(&settings);
    efl_criterion* criterion = nullptr;
    test::context = each.words;
    CHECK(efl_criterion_create(&settings, &criterion) == EFL_BAD_ARGUMENT);
    CHECK(criterion == nullptr);
    CHECK(says(each.words));
  }
  test::context = "";
  CHECK(efl_criterion_create(nullptr, nullptr) == EFL_BAD_ARGUMENT);
  efl_settings settings;
  CHECK(efl_default_settings(&settings, static_cast<efl_family>(13)) == EFL_BAD_ARGUMENT);
}

void calls_are_checked_before_anything_is_read_or_written() {
  struct Case {
    void (*spoil)(Call*);
    efl_status status;
    const char* words;
  };
  static const float half[120] = {};
  const Case cases[] = {
      {[](Call* c) { c->level.logits = nullptr; }, EFL_BAD_ARGUMENT, "call.levels[0].logits"},
      {[](Call* c) { c->level.labels = nullptr; }, EFL_BAD_ARGUMENT, "call.levels[0].labels"},
      {[](Call* c) { c->level.targets = half; }, EFL_BAD_ARGUMENT, "call.levels[0].labels"},
      {[](Call* c) { c->level.quality = half; }, EFL_BAD_ARGUMENT, "call.levels[0].quality"},
      {[](Call* c) { c->level.grad_output = half; }, EFL_BAD_ARGUMENT, "grad_output"},
      {[](Call* c) { c->level.positions = -1; }, EFL_BAD_ARGUMENT, "call.levels[0].positions"},
      {[](Call* c) { c->level.images = INT64_MAX; }, EFL_BAD_ARGUMENT, "call.levels[0].positions"},
      {[](Call* c) { c->level.images = (int64_t{1} << 60) / 120 + 1; }, EFL_BAD_ARGUMENT,
       "call.levels[0].positions"},
      {[](Call* c) { c->call.level_count = 0; }, EFL_BAD_ARGUMENT, "call.level_count"},
      {[](Call* c) { c->call.levels = nullptr; }, EFL_BAD_ARGUMENT, "call.levels"},
      {[](Call* c) { c->call.format.anchors = 0; }, EFL_BAD_ARGUMENT, "call.format.anchors"},
      {[](Call* c) { c->call.format.dtype = static_cast<efl_dtype>(3); }, EFL_BAD_ARGUMENT,
       "call.format.dtype"},
      {[](Call* c) { c->call.normalizer = -2; }, EFL_BAD_ARGUMENT, "call.normalizer"},
      {[](Call* c) { c->call.normalizer = kInfinity; }, EFL_BAD_ARGUMENT, "call.normalizer"},
      {[](Call* c) { c->call.normalizer = 1e-39; }, EFL_BAD_ARGUMENT, "call.normalizer"},
      {[](Call* c) { c->call.upstream = kNaN; }, EFL_BAD_ARGUMENT, "call.upstream"},
      {[](Call* c) { c->call.upstream = c->call.loss_scale = 1e30; }, EFL_BAD_ARGUMENT,
       "call.upstream: expected a factor"},
      {[](Call* c) { c->call.loss_scale = 0; }, EFL_BAD_ARGUMENT, "call.loss_scale"},
      {[](Call* c) { c->labels[5] = 9; }, EFL_BAD_LABEL,
       "call.levels[0].labels[5]: expected a class, background or an ignored label, received 9"},
  };
  const efl_settings settings = settings_of(EFL_EQUALIZED_FOCAL_LOSS);
  efl_criterion* criterion = criterion_of(settings);
  for (const Case& each : cases) {
    Call given(3);
    each.spoil(&given);
    test::context = each.words;
    CHECK(efl_criterion_compute(criterion, &given.call, &given.result) == each.status);
    CHECK(says(each.words));
    CHECK(given.untouched());
  }
  test::context = "";
  Call given(3);
  CHECK(efl_criterion_compute(criterion, nullptr, &given.result) == EFL_BAD_ARGUMENT);
  CHECK(efl_criterion_compute(nullptr, &given.call, &given.result) == EFL_BAD_ARGUMENT);
  CHECK(efl_criterion_compute(criterion, &given.call, nullptr) == EFL_BAD_ARGUMENT);
  int64_t steps = -1;
  CHECK(efl_criterion_read_state(criterion, nullptr, nullptr, nullptr, &steps) == EFL_OK);
  CHECK(steps == 0);
  efl_criterion_destroy(criterion);
}

void levels_of_one_call_agree_in_what_they_have() {
  efl_criterion* criterion = criterion_of(settings_of(EFL_EQUALIZED_FOCAL_LOSS));
  Call first(3), second(3);
  efl_level levels[] = {first.level, second.level};
  first.call.levels = levels;
  first.call.level_count = 2;
  levels[1].gradient = nullptr;
  CHECK(efl_criterion_compute(criterion, &first.call, &first.result) == EFL_BAD_ARGUMENT);
  CHECK(says("call.levels[1].gradient"));
  levels[1].gradient = second.gradient.data();
  CHECK(efl_criterion_compute(criterion, &first.call, &first.result) == EFL_OK);
  CHECK(first.result.positives == 60);
  second.labels[3] = 50;
  CHECK(efl_criterion_compute(criterion, &first.call, &first.result) == EFL_BAD_LABEL);
  CHECK(first.result.bad_level == 1 && first.result.bad_index == 3);
  // An empty level has nothing, and the statistics are collected all the same.
  second.labels[3] = 0;
  levels[0] = efl_level{};
  CHECK(efl_criterion_compute(criterion, &first.call, &first.result) == EFL_OK);
  int64_t steps = 0;
  CHECK(efl_criterion_read_state(criterion, nullptr, nullptr, nullptr, &steps) == EFL_OK);
  CHECK(steps == 2);
  efl_criterion_destroy(criterion);
}

void rows_and_elements_may_be_left_out() {
  efl_criterion* criterion = criterion_of(settings_of(EFL_EQUALIZED_FOCAL_LOSS));
  Call given(3);
  const auto rows = static_cast<std::size_t>(given.level.positions);
  std::vector<float> weights(rows, 2.0f);
  std::vector<uint8_t> mask(given.logits.size(), 1);
  const uint8_t class_mask[] = {1, 0, 1};
  CHECK(efl_criterion_compute(criterion, &given.call, &given.result) == EFL_OK);
  const efl_result plain = given.result;
  // Half of the loss of rows that weigh twice as much.
  CHECK(efl_criterion_reset_state(criterion) == EFL_OK);
  given.level.row_weight = weights.data();
  given.call.normalizer = EFL_NORMALIZER_WEIGHTS;
  CHECK(efl_criterion_compute(criterion, &given.call, &given.result) == EFL_OK);
  CHECK(std::fabs(given.result.loss * static_cast<double>(plain.positives) / plain.loss - 1) <
        1e-6);
  mask[0] = 0;
  given.logits[0] = NAN;
  given.level.mask = mask.data();
  given.call.class_mask = class_mask;
  CHECK(efl_criterion_compute(criterion, &given.call, &given.result) == EFL_OK);
  CHECK(given.gradient[0] == 0 && given.gradient[1] == 0 && given.gradient[2] != 0);
  CHECK(given.result.non_finite == 0 && given.result.positives < plain.positives);
  weights[2] = -1;
  CHECK(efl_criterion_compute(criterion, &given.call, &given.result) == EFL_BAD_WEIGHT);
  CHECK(given.result.bad_index == 2 && given.result.bad_value == -1);
  CHECK(says("call.levels[0].row_weight[2]: expected a finite number >= 0, received -1"));
  CHECK(efl_criterion_collect(criterion, &given.call, &given.result) == EFL_BAD_ARGUMENT);
  CHECK(says("call.levels[0].row_weight: expected null"));
  given.level.row_weight = nullptr;
  CHECK(efl_criterion_collect(criterion, &given.call, &given.result) == EFL_BAD_ARGUMENT);
  CHECK(says("call.levels[0].mask: expected null"));
  efl_criterion_destroy(criterion);
}

// Each level alone has no more rows than can be counted.
void rows_of_all_levels_are_counted() {
  efl_criterion* criterion = criterion_of(settings_of(EFL_EQUALIZED_FOCAL_LOSS, 1));
  Call given(1);
  given.level.images = (int64_t{1} << 59) / given.level.positions;
  given.level.labels = nullptr;
  efl_level levels[] = {given.level, given.level, given.level};
  given.call.levels = levels;
  given.call.level_count = 3;
  CHECK(efl_criterion_compute(criterion, &given.call, &given.result) == EFL_BAD_ARGUMENT);
  CHECK(says("call.levels: expected rows that can be counted"));
  efl_criterion_destroy(criterion);
}

void a_mean_has_no_normalizer() {
  for (const efl_reduction reduction : {EFL_REDUCTION_MEAN, EFL_REDUCTION_NONE}) {
    efl_settings settings = settings_of(EFL_FOCAL_LOSS);
    settings.reduction = reduction;
    efl_criterion* criterion = criterion_of(settings);
    Call given(3);
    given.call.normalizer = 2;
    CHECK(efl_criterion_compute(criterion, &given.call, &given.result) == EFL_BAD_ARGUMENT);
    CHECK(says("call.normalizer: expected 1 but with EFL_REDUCTION_SUM"));
    CHECK(given.untouched());
    efl_criterion_destroy(criterion);
  }
}

// Nothing is what an empty level has, also in place of targets, wherever it stands.
void an_empty_level_needs_no_targets() {
  efl_criterion* criterion = criterion_of(settings_of(EFL_EQUALIZED_FOCAL_LOSS));
  Call given(3), alone(3);
  const std::vector<float> targets(given.logits.size(), 0.5f);
  given.level.labels = alone.level.labels = nullptr;
  given.level.targets = alone.level.targets = targets.data();
  alone.call.collect = given.call.collect = 0;
  CHECK(efl_criterion_compute(criterion, &alone.call, &alone.result) == EFL_OK);
  for (const int place : {0, 1}) {
    efl_level levels[2] = {};
    levels[place] = given.level;
    given.call.levels = levels;
    given.call.level_count = 2;
    CHECK(efl_criterion_compute(criterion, &given.call, &given.result) == EFL_OK);
    CHECK(given.result.loss == alone.result.loss);
    CHECK(given.gradient == alone.gradient);
  }
  efl_criterion_destroy(criterion);
}

void every_family_computes(bool dense) {
  static const double frequencies[] = {0.5, 0.001, 0.1};
  static const double counts[] = {1000, 1, 30};
  for (int32_t family = 0; family < 13; ++family) {
    efl_settings settings = settings_of(static_cast<efl_family>(family));
    settings.class_frequencies = frequencies;
    settings.class_counts = counts;
    settings.objectness = 1;
    efl_criterion* criterion = criterion_of(settings);
    const int32_t columns = efl_criterion_columns(criterion);
    const bool has_objectness =
        family == EFL_EQUALIZATION_LOSS_V2 || family == EFL_EFFECTIVE_CLASS_MARGIN_LOSS;
    CHECK(columns == (has_objectness ? 4 : 3));
    Call given(columns);
    const std::vector<float> values(given.logits.size(), 0.5f);
    const bool quality = family == EFL_QUALITY_FOCAL_LOSS ||
                         family == EFL_EQUALIZED_QUALITY_FOCAL_LOSS ||
                         (family >= EFL_VARIFOCAL_LOSS && family <= EFL_MATCHABILITY_AWARE_LOSS);
    if (dense) {
      given.level.labels = nullptr;
      given.level.targets = values.data();
    } else if (quality) {
      CHECK(efl_criterion_compute(criterion, &given.call, &given.result) == EFL_BAD_ARGUMENT);
      given.level.quality = values.data();
    }
    CHECK(efl_criterion_compute(criterion, &given.call, &given.result) == EFL_OK);
    CHECK(std::isfinite(given.result.loss) && given.result.loss > 0);
    CHECK(!given.untouched());
    efl_criterion_destroy(criterion);
  }
}

double loss_of(const efl_settings& settings) {
  efl_criterion* criterion = criterion_of(settings);
  Call given(3);
  CHECK(efl_criterion_compute(criterion, &given.call, &given.result) == EFL_OK);
  efl_criterion_destroy(criterion);
  return given.result.loss;
}

bool is_close(double a, double b) { return std::fabs(a / b - 1) < 1e-6; }

void weights_may_differ_between_classes() {
  static const double doubled[] = {2, 2, 2}, alphas[] = {0.4, 0.4, 0.4}, nothing[] = {0, 0, 0};
  efl_settings plain = settings_of(EFL_FOCAL_LOSS);
  efl_settings weighted = plain;
  weighted.class_weight = doubled;
  CHECK(is_close(loss_of(weighted), 2 * loss_of(plain)));
  weighted.loss_weight = 0.5;
  CHECK(is_close(loss_of(weighted), loss_of(plain)));

  plain.alpha = 0.4;
  efl_settings by_class = settings_of(EFL_FOCAL_LOSS);
  by_class.class_alpha = alphas;
  CHECK(is_close(loss_of(by_class), loss_of(plain)));

  // Every fourth row is background: without these the loss is the smaller.
  const efl_settings suppressing = settings_of(EFL_ADAPTIVE_CLASS_SUPPRESSION_LOSS);
  efl_settings sparing = suppressing;
  sparing.background_weight = nothing;
  CHECK(loss_of(sparing) < loss_of(suppressing));
  sparing.background_weight = doubled;
  CHECK(loss_of(sparing) > loss_of(suppressing));
}

// Cross-entropy is linear in its targets.
void labels_may_be_smoothed() {
  efl_settings settings = settings_of(EFL_FOCAL_LOSS);
  settings.gamma = 0;
  settings.alpha = -1;
  const auto added = [&](double smoothing) {
    efl_settings smoothed = settings;
    smoothed.label_smoothing = smoothing;
    return loss_of(smoothed) - loss_of(settings);
  };
  CHECK(added(0) == 0);
  CHECK(added(0.1) != 0);
  CHECK(std::fabs(added(0.4) / added(0.1) - 4) < 1e-4);
}

void the_state_goes_out_and_in() {
  efl_criterion* criterion = criterion_of(settings_of(EFL_EQUALIZED_FOCAL_LOSS));
  Call given(3);
  CHECK(efl_criterion_compute(criterion, &given.call, &given.result) == EFL_OK);
  std::vector<double> positive(3), negative(3), ratio(3), gamma(3), weight(3);
  int64_t steps = 0;
  CHECK(efl_criterion_read_state(criterion, positive.data(), negative.data(), ratio.data(),
                                 &steps) == EFL_OK);
  CHECK(steps == 1 && positive[0] > 0 && negative[2] > 0);
  CHECK(efl_criterion_read_factors(criterion, gamma.data(), weight.data()) == EFL_OK);
  for (int j = 0; j < 3; ++j) {
    CHECK(ratio[j] == std::fmin(1, positive[j] / (negative[j] + 1e-10)));
    CHECK(std::fabs(gamma[j] - (2 + 8 * (1 - ratio[j]))) < 1e-12);
    CHECK(std::fabs(weight[j] - gamma[j] / 2) < 1e-12);
  }

  // Gradients given from outside are the same statistics.
  efl_criterion* other = criterion_of(settings_of(EFL_EQUALIZED_FOCAL_LOSS));
  given.level.logits = given.gradient.data();
  CHECK(efl_criterion_collect(other, &given.call, &given.result) == EFL_OK);
  std::vector<double> collected(3);
  CHECK(efl_criterion_read_state(other, collected.data(), nullptr, nullptr, nullptr) == EFL_OK);
  for (int j = 0; j < 3; ++j) CHECK(std::fabs(collected[j] / positive[j] - 1) < 1e-6);

  CHECK(efl_criterion_reset_state(other) == EFL_OK);
  CHECK(efl_criterion_merge_state(other, positive.data(), negative.data(), 1) == EFL_OK);
  CHECK(efl_criterion_merge_state(other, positive.data(), negative.data(), 1) == EFL_OK);
  CHECK(efl_criterion_read_state(other, collected.data(), nullptr, nullptr, &steps) == EFL_OK);
  CHECK(collected[1] == 2 * positive[1] && steps == 2);
  ratio[1] = 1.5;
  CHECK(efl_criterion_write_state(other, positive.data(), negative.data(), ratio.data(), 1) ==
        EFL_BAD_ARGUMENT);
  CHECK(says("ratio[1]: expected a number in [0, 1], received 1.5"));
  constexpr int64_t kMost = (int64_t{1} << 53) - 1;
  ratio[1] = 0.5;
  for (const int64_t wrong : {int64_t{-1}, kMost + 1}) {
    CHECK(efl_criterion_write_state(other, positive.data(), negative.data(), ratio.data(), wrong) ==
          EFL_BAD_ARGUMENT);
    CHECK(efl_criterion_merge_state(other, positive.data(), negative.data(), wrong) ==
          EFL_BAD_ARGUMENT);
  }
  CHECK(says("steps: expected an integer from 0 to 2^53 - 1, received 9007199254740992"));
  CHECK(efl_criterion_write_state(other, positive.data(), negative.data(), ratio.data(), kMost) ==
        EFL_OK);
  CHECK(efl_criterion_merge_state(other, positive.data(), negative.data(), kMost) == EFL_OK);
  CHECK(efl_criterion_collect(other, &given.call, &given.result) == EFL_OK);
  CHECK(efl_criterion_read_state(other, nullptr, nullptr, nullptr, &steps) == EFL_OK);
  CHECK(steps == kMost);
  positive[0] = kNaN;
  CHECK(efl_criterion_merge_state(other, positive.data(), negative.data(), 1) == EFL_BAD_ARGUMENT);
  positive[0] = std::numeric_limits<double>::max();
  CHECK(efl_criterion_merge_state(other, positive.data(), negative.data(), 1) == EFL_OK);
  CHECK(efl_criterion_merge_state(other, positive.data(), negative.data(), 1) == EFL_BAD_ARGUMENT);
  CHECK(efl_criterion_merge_state(other, nullptr, negative.data(), 1) == EFL_BAD_ARGUMENT);
  efl_criterion_destroy(other);
  efl_criterion_destroy(criterion);
}

void deferred_calls_count_as_one_step() {
  efl_settings settings = settings_of(EFL_EQUALIZED_FOCAL_LOSS);
  settings.half_life = 1;
  settings.start_after = 1;
  efl_criterion* criterion = criterion_of(settings);
  Call given(3);
  given.call.collect = EFL_COLLECT_DEFER;
  std::vector<double> negative(3), ratio(3);
  int64_t steps = -1;
  const auto read = [&] {
    CHECK(efl_criterion_read_state(criterion, nullptr, negative.data(), ratio.data(), &steps) ==
          EFL_OK);
  };
  CHECK(efl_criterion_commit(criterion) == EFL_OK);
  CHECK(efl_criterion_compute(criterion, &given.call, &given.result) == EFL_OK);
  given.level.logits = given.gradient.data();
  CHECK(efl_criterion_collect(criterion, &given.call, &given.result) == EFL_OK);
  read();
  CHECK(steps == 0 && negative == std::vector<double>(3, 0.0));
  CHECK(efl_criterion_commit(criterion) == EFL_OK);
  read();
  CHECK(steps == 1 && negative[0] > 0 && ratio == std::vector<double>(3, 1.0));
  const double first = negative[0];
  // Another step of the same gradients, on sums of which half is left.
  for (int part = 0; part < 2; ++part) {
    CHECK(efl_criterion_collect(criterion, &given.call, &given.result) == EFL_OK);
  }
  CHECK(efl_criterion_commit(criterion) == EFL_OK);
  read();
  CHECK(steps == 2 && std::fabs(negative[0] / (1.5 * first) - 1) < 1e-6 && ratio[0] < 1);
  // What is pending goes where the state begins anew.
  CHECK(efl_criterion_collect(criterion, &given.call, &given.result) == EFL_OK);
  CHECK(efl_criterion_reset_state(criterion) == EFL_OK);
  CHECK(efl_criterion_commit(criterion) == EFL_OK);
  read();
  CHECK(steps == 0);
  efl_criterion_destroy(criterion);
}

void the_loss_at_the_base_parameters_is_the_plain_one() {
  efl_criterion* criterion = criterion_of(settings_of(EFL_EQUALIZED_FOCAL_LOSS));
  efl_criterion* plain = criterion_of(settings_of(EFL_FOCAL_LOSS));
  Call given(3);
  CHECK(efl_criterion_compute(criterion, &given.call, &given.result) == EFL_OK);
  given.call.equalize = 0;
  CHECK(efl_criterion_compute(criterion, &given.call, &given.result) == EFL_BAD_ARGUMENT);
  CHECK(says("call.equalize: expected not 0 with a gradient, received 0"));
  given.level.gradient = nullptr;
  CHECK(efl_criterion_compute(criterion, &given.call, &given.result) == EFL_OK);
  const double base = given.result.loss;
  given.call.equalize = 1;
  CHECK(efl_criterion_compute(criterion, &given.call, &given.result) == EFL_OK);
  CHECK(given.result.loss != base);
  CHECK(efl_criterion_compute(plain, &given.call, &given.result) == EFL_OK);
  CHECK(given.result.loss == base);
  given.call.collect = 3;
  CHECK(efl_criterion_compute(plain, &given.call, &given.result) == EFL_BAD_ARGUMENT);
  CHECK(says("call.collect: expected an efl_collect, received 3"));
  efl_criterion_destroy(plain);
  efl_criterion_destroy(criterion);
}

void settings_of_the_statistics_are_checked() {
  efl_settings settings = settings_of(EFL_EQUALIZATION_LOSS_V2);
  efl_criterion* criterion = nullptr;
  for (const double wrong : {-1.0, kNaN, std::numeric_limits<double>::infinity()}) {
    settings.half_life = wrong;
    CHECK(efl_criterion_create(&settings, &criterion) == EFL_BAD_ARGUMENT && !criterion);
    CHECK(says("settings.half_life: expected a finite number > 0"));
  }
  settings.half_life = 0;
  settings.start_after = -1;
  CHECK(efl_criterion_create(&settings, &criterion) == EFL_BAD_ARGUMENT && !criterion);
  CHECK(says("settings.start_after: expected an integer from 0 to 2147483647, received -1"));
}

void a_loss_without_statistics_has_no_state() {
  efl_criterion* criterion = criterion_of(settings_of(EFL_FOCAL_LOSS));
  Call given(3);
  double values[3] = {};
  CHECK(efl_criterion_collect(criterion, &given.call, &given.result) == EFL_BAD_ARGUMENT);
  CHECK(efl_criterion_read_state(criterion, values, values, values, nullptr) == EFL_BAD_ARGUMENT);
  CHECK(efl_criterion_write_state(criterion, values, values, values, 0) == EFL_BAD_ARGUMENT);
  CHECK(efl_criterion_merge_state(criterion, values, values, 0) == EFL_BAD_ARGUMENT);
  CHECK(efl_criterion_reset_state(criterion) == EFL_BAD_ARGUMENT);
  CHECK(efl_criterion_commit(criterion) == EFL_BAD_ARGUMENT);
  CHECK(efl_criterion_read_factors(criterion, values, values) == EFL_BAD_ARGUMENT);
  efl_criterion_destroy(criterion);
}

void kernels_and_threads_are_as_asked_for() {
  CHECK(efl_kernels(-1) == nullptr && efl_kernels(99) == nullptr);
  CHECK(std::strlen(efl_version()) > 0);
  for (int32_t i = 0; efl_kernels(i); ++i) {
    efl_settings settings = settings_of(EFL_FOCAL_LOSS);
    settings.kernels = efl_kernels(i);
    settings.threads = i + 1;
    efl_criterion* criterion = criterion_of(settings);
    CHECK(std::strcmp(efl_criterion_kernels(criterion), efl_kernels(i)) == 0);
    CHECK(efl_criterion_threads(criterion) == i + 1);
    efl_criterion_destroy(criterion);
  }
  efl_criterion* criterion = criterion_of(settings_of(EFL_FOCAL_LOSS));
  CHECK(std::strcmp(efl_criterion_kernels(criterion), efl_kernels(0)) == 0);
  CHECK(efl_criterion_threads(criterion) >= 1);
  efl_criterion_destroy(criterion);
  efl_criterion_destroy(nullptr);
}

void threads_share_a_criterion() {
  efl_settings settings = settings_of(EFL_EQUALIZED_FOCAL_LOSS);
  settings.threads = 2;
  efl_criterion* criterion = criterion_of(settings);
  constexpr int kThreads = 4, kCalls = 20;
  std::vector<std::thread> threads;
  std::vector<int> failed(kThreads, 0);
  std::vector<std::unique_ptr<Call>> calls;
  for (int t = 0; t < kThreads; ++t) {
    calls.push_back(std::make_unique<Call>(3, 100, static_cast<uint32_t>(t)));
  }
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      Call& given = *calls[static_cast<std::size_t>(t)];
      std::vector<double> ratio(3);
      for (int i = 0; i < kCalls; ++i) {
        failed[t] += efl_criterion_compute(criterion, &given.call, &given.result) != EFL_OK;
        failed[t] +=
            efl_criterion_read_state(criterion, nullptr, nullptr, ratio.data(), nullptr) != EFL_OK;
      }
      // What was wrong is told to the thread that did it.
      given.call.loss_scale = 0;
      failed[t] += efl_criterion_compute(criterion, &given.call, &given.result) == EFL_OK;
      failed[t] += !says("call.loss_scale");
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int each : failed) CHECK(each == 0);
  int64_t steps = 0;
  CHECK(efl_criterion_read_state(criterion, nullptr, nullptr, nullptr, &steps) == EFL_OK);
  CHECK(steps == kThreads * kCalls);
  efl_criterion_destroy(criterion);
}

}  // namespace

int main() {
  another_interface_is_an_error();
  settings_are_checked();
  calls_are_checked_before_anything_is_read_or_written();
  levels_of_one_call_agree_in_what_they_have();
  rows_and_elements_may_be_left_out();
  rows_of_all_levels_are_counted();
  a_mean_has_no_normalizer();
  an_empty_level_needs_no_targets();
  every_family_computes(false);
  every_family_computes(true);
  weights_may_differ_between_classes();
  labels_may_be_smoothed();
  the_state_goes_out_and_in();
  deferred_calls_count_as_one_step();
  the_loss_at_the_base_parameters_is_the_plain_one();
  settings_of_the_statistics_are_checked();
  a_loss_without_statistics_has_no_state();
  kernels_and_threads_are_as_asked_for();
  threads_share_a_criterion();
  std::printf("C interface: %d checks, %d failed\n", test::checks, test::failures);
  return test::failures == 0 ? 0 : 1;
}
