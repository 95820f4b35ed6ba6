// Tests of core and CPU backend without Node.js, so that they run under every sanitizer.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "../../native/core/host_criterion.h"
#include "../../native/core/statistics.h"
#include "../../native/cpu/available_processors.h"
#include "../../native/cpu/cpu_backend.h"
#include "../../native/cpu/dense.h"
#include "../../native/cpu/flush_subnormals.h"
#include "../../native/cpu/thread_pool.h"
#include "../../native/cpu/tiling.h"
#include "check.h"
#include "compute.h"
#include "formats.h"
#include "problem_builder.h"
#include "scarce_memory.h"

namespace {

using test::Arranged;

using test::close;
using test::identical;
using test::Problem;
using test::Solution;

// The backend under test; the tests of kernels run once for each.
const efl_backend* current = nullptr;

const efl_backend& backend() { return *current; }

void agrees_with_float64(Problem* given) {
  const Solution expected = test::solve(*given);
  efl_report result{};
  CHECK(test::compute(&backend(), &given->problem, &result) == EFL_OK);
  CHECK(close(result.loss, expected.loss, 1e-6));
  CHECK(result.positives == expected.positives);
  CHECK(result.ignored == expected.ignored);
  CHECK(result.non_finite == expected.non_finite);
  bool gradient = true, elements = true, sums = true;
  for (std::size_t i = 0; i < expected.gradient.size(); ++i) {
    gradient &= close(given->gradient[i], expected.gradient[i], 3e-6);
    elements &= close(given->elements[i], expected.elements[i], 3e-6);
  }
  for (std::size_t c = 0; c < expected.positive_sums.size(); ++c) {
    sums &= close(given->positive_sums[c], expected.positive_sums[c], 3e-6);
    sums &= close(given->negative_sums[c], expected.negative_sums[c], 3e-6);
  }
  CHECK(gradient);
  CHECK(elements);
  CHECK(sums);
}

void every_shape_agrees_with_float64() {
  for (const int32_t classes : {1, 3, 4, 7, 15, 16, 17, 31, 33, 80, 1203}) {
    for (const int64_t rows : {0, 1, 2, 57, 301}) {
      for (const bool extreme : {false, true}) {
        Problem problem(rows, classes, static_cast<uint32_t>(classes * 1000 + rows), extreme);
        agrees_with_float64(&problem);
      }
    }
  }
}

// As most logits are once negatives have been learnt, on both sides of the bound of kernels' low
// way.
void make_low(Problem* given) {
  constexpr float kBound = -1.875f;
  std::uniform_real_distribution<float> low(-40.0f, kBound);
  for (float& logit : given->logits) logit = low(given->random);
  for (std::size_t i = 0; i < given->logits.size(); i += 7) given->logits[i] = kBound;
  for (std::size_t i = 3; i < given->logits.size(); i += 5003) {
    given->logits[i] = std::nextafter(kBound, 0.0f);
  }
  for (std::size_t i = 5; i < given->logits.size(); i += 7001) given->logits[i] = -128.0f;
  for (std::size_t i = 11; i < given->logits.size(); i += 307) given->logits[i] = -1.0f;
}

void low_logits_agree_with_float64() {
  for (const int32_t classes : {17, 80, 1203}) {
    for (const int64_t rows : {1, 4, 57}) {
      Problem given(rows, classes, static_cast<uint32_t>(classes + rows), false);
      make_low(&given);
      agrees_with_float64(&given);
    }
  }
}

// After `change` to some logits, or to the gamma of the last class, the gradient of every other
// logit and class is what it was.
template <class Change>
void gradients_stay(const efl_format& format, const Change& change) {
  constexpr int32_t kClasses = 211;
  Problem given(2 * 70 * format.anchors, kClasses, 37, false);
  make_low(&given);
  efl_report result{};
  Arranged before(given, format, 2, 70);
  before.level.elements = nullptr;
  CHECK(test::compute(&backend(), &before.problem, &result) == EFL_OK);
  const std::vector<float> logits = given.logits, gamma = given.gamma;

  change(&given);
  Arranged after(given, format, 2, 70);
  after.level.elements = nullptr;
  CHECK(test::compute(&backend(), &after.problem, &result) == EFL_OK);
  bool same = true;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const std::size_t c = i % kClasses;
    if (!identical(given.logits[i], logits[i]) || !identical(given.gamma[c], gamma[c])) continue;
    const auto gradient = [&](const Arranged& arranged) {
      return efl::load(format.dtype, arranged.level.gradient, arranged.place[i]);
    };
    same &= identical(gradient(before), gradient(after));
  }
  CHECK(same);
}

void a_gradient_does_not_depend_on_the_logits_and_gammas_beside_it() {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  for (const efl_format& format : test::every_format()) {
    for (const float other : {0.5f, 200.0f, -200.0f, kNaN}) {
      gradients_stay(format, [&](Problem* given) {
        for (std::size_t i = 0; i < given->logits.size(); i += 37) given->logits[i] = other;
      });
    }
    gradients_stay(format, [](Problem* given) {
      given->gamma.back() = 1e4f;
      given->measure();
    });
  }
}

// Gradients alone: a sum of such losses is of any size.
void weights_of_any_size_agree_with_float64() {
  for (const float weight : {3e38f, 1e30f, 1e-28f, 1e-35f, 1e-36f}) {
    for (const float gamma : {0.75f, 1.5f, 2.0f, 2.5f, 6.0f}) {
      Problem given(10, 40, 3, false);
      given.labels.assign(given.labels.size(), 0);
      for (std::size_t i = 0; i < given.logits.size(); ++i) {
        given.logits[i] = i % 17 == 0 ? -100.0f : 0.1f * static_cast<float>(i % 41) - 2.0f;
      }
      given.gamma.assign(40, gamma);
      given.negative_weight.assign(40, weight);
      given.problem.normalizer = 1000;  // of the gradient, which would be infinite else
      given.measure();
      const Solution expected = test::solve(given);
      efl_report result{};
      CHECK(test::compute(&backend(), &given.problem, &result) == EFL_OK);
      bool agrees = true;
      for (std::size_t i = 0; i < expected.gradient.size(); ++i) {
        const double bound = 3e-6 * std::fabs(expected.gradient[i]) + 1e-37;
        agrees &= std::fabs(given.gradient[i] - expected.gradient[i]) <= bound;
      }
      CHECK(agrees);
    }
  }
}

void nothing_is_written_beside_the_rows() {
  constexpr float kGuard = 12345.0f;
  constexpr std::size_t kGuards = 64;
  for (const int32_t classes : {17, 40, 61, 80}) {
    for (const int64_t rows : {1, 7, 70}) {
      Problem given(rows, classes, 41, false);
      std::vector<float> guarded(given.logits.size() + 2 * kGuards, kGuard);
      given.level.gradient = guarded.data() + kGuards;
      given.level.elements = nullptr;
      efl_report result{};
      CHECK(test::compute(&backend(), &given.problem, &result) == EFL_OK);
      bool whole = true;
      for (std::size_t i = 0; i < kGuards; ++i) {
        whole &= guarded[i] == kGuard && guarded[guarded.size() - 1 - i] == kGuard;
      }
      CHECK(whole);
    }
  }
}

void every_kind_of_output_is_the_same(int32_t classes) {
  Problem all(300, classes, 5, true);
  efl_report whole{};
  test::compute(&backend(), &all.problem, &whole);

  Problem forward(300, classes, 5, true);
  forward.level.gradient = nullptr;
  forward.level.elements = nullptr;
  forward.problem.positive_sums = forward.problem.negative_sums = nullptr;
  efl_report result{};
  test::compute(&backend(), &forward.problem, &result);
  CHECK(identical(result, whole));

  Problem in_place(300, classes, 5, true);
  in_place.level.elements = nullptr;
  in_place.level.gradient = in_place.logits.data();
  test::compute(&backend(), &in_place.problem, &result);
  CHECK(identical(result, whole));
  CHECK(identical(in_place.logits, all.gradient));
  CHECK(in_place.negative_sums == all.negative_sums);
}

void every_kind_of_output_is_the_same_for_long_and_short_rows() {
  every_kind_of_output_is_the_same(33);
  every_kind_of_output_is_the_same(3);
}

// Beyond what the fast loop computes without bounds.
void an_enormous_gamma_gives_no_nan() {
  for (const float gamma : {1e8f, 1e12f, 1e30f}) {
    Problem given(9, 40, 77, false);
    given.gamma.assign(40, gamma);
    given.measure();
    given.problem.gamma = given.gamma.data();
    efl_report result{};
    CHECK(test::compute(&backend(), &given.problem, &result) == EFL_OK);
    CHECK(std::isfinite(result.loss));
    bool finite = true;
    for (const float value : given.gradient) finite &= !std::isnan(value);
    CHECK(finite);
  }
}

// Float32 has what it needs where a gradient does not cancel; `scale` is then its size.
void smoothed_labels_agree_with_float64() {
  for (const efl_loss loss : {EFL_LOSS_FOCAL, EFL_LOSS_CROSS_ENTROPY}) {
    for (const int32_t classes : {1, 3, 40}) {
      for (const double smoothing : {0.001, 0.1, 0.9}) {
        Problem given(70, classes, 19, false);
        given.problem.loss = loss;
        given.problem.label_smoothing = smoothing;
        given.positive_weight.assign(given.positive_weight.size(), 1.0f);
        given.negative_weight.assign(given.negative_weight.size(), 1.0f);
        const Solution expected = test::solve(given);
        efl_report result{};
        CHECK(test::compute(&backend(), &given.problem, &result) == EFL_OK);
        CHECK(result.positives == expected.positives);
        CHECK(close(result.loss, expected.loss, 1e-6));
        const double factor = 1.5 * 0.5 / 3.0 * 8.0;  // that of describe()
        bool elements = true, gradient = true;
        for (std::size_t i = 0; i < expected.gradient.size(); ++i) {
          const auto c = static_cast<int32_t>(i % static_cast<std::size_t>(classes));
          const int32_t label = given.labels[i / static_cast<std::size_t>(classes)];
          const double y = efl::smoothed(given.problem, label == c + 1, c);
          const double p = 1 / (1 + std::exp(-static_cast<double>(given.logits[i])));
          const double distance = y * (1 - p) + (1 - y) * p;
          const double gamma =
              loss == EFL_LOSS_FOCAL ? given.gamma[static_cast<std::size_t>(c)] : 0;
          const double scale = factor * std::pow(distance, gamma + 1);
          const double error = std::fabs(given.gradient[i] - expected.gradient[i]);
          gradient &= error <= 5e-6 * (scale + std::fabs(expected.gradient[i])) + 1e-36;
          elements &= close(given.elements[i], expected.elements[i], 5e-6);
        }
        CHECK(elements);
        CHECK(gradient);
      }
    }
  }
}

void smoothed_labels_give_the_same_bits_on_any_number_of_threads() {
  const auto solved = [](int32_t threads, efl_report* result) {
    auto given = std::make_unique<Problem>(6000, 33, 29, false);
    given->problem.label_smoothing = 0.1;
    given->problem.threads = threads;
    CHECK(test::compute(&backend(), &given->problem, result) == EFL_OK);
    return given;
  };
  efl_report alone{};
  const auto one = solved(1, &alone);
  for (const int32_t threads : {2, 5}) {
    efl_report together{};
    const auto many = solved(threads, &together);
    CHECK(identical(together, alone));
    CHECK(identical(many->gradient, one->gradient));
    CHECK(many->negative_sums == one->negative_sums);
    CHECK(many->positive_sums == one->positive_sums);
  }
}

void smoothing_of_0_changes_no_bit() {
  Problem plain(70, 40, 23, true), smoothed(70, 40, 23, true);
  smoothed.problem.label_smoothing = 0;
  smoothed.problem.positive_threshold = 0.5f;  // of dense targets, which labels are not
  efl_report expected{}, result{};
  CHECK(test::compute(&backend(), &plain.problem, &expected) == EFL_OK);
  CHECK(test::compute(&backend(), &smoothed.problem, &result) == EFL_OK);
  CHECK(identical(result, expected));
  CHECK(identical(smoothed.gradient, plain.gradient));
}

template <class Values>
bool has_subnormal(const Values& values) {
  return std::any_of(values.begin(), values.end(),
                     [](auto value) { return std::fpclassify(value) == FP_SUBNORMAL; });
}

// Logits from -40 to 40 on all layouts and types; with gammas up to 100 nearly all negatives have a
// power below the normal range.
void no_result_is_subnormal() {
  for (const efl_format& format : test::every_format()) {
    for (const int32_t classes : {3, 40}) {
      for (const int32_t threads : {1, 2}) {
        const int64_t positions = 2000 / classes;
        Problem given(2 * positions * format.anchors, classes, 17, false);
        std::uniform_real_distribution<float> logit(-40.0f, 40.0f), focusing(0.0f, 100.0f);
        for (float& x : given.logits) x = logit(given.random);
        for (float& gamma : given.gamma) gamma = focusing(given.random);
        given.measure();
        Arranged arranged(given, format, 2, positions);
        arranged.problem.threads = threads;
        efl_report result{};
        CHECK(test::compute(&backend(), &arranged.problem, &result) == EFL_OK);
        CHECK(std::fpclassify(result.loss) != FP_SUBNORMAL);
        CHECK(!has_subnormal(arranged.gradient));
        CHECK(!has_subnormal(arranged.elements));
        CHECK(!has_subnormal(arranged.positive_sums));
        CHECK(!has_subnormal(arranged.negative_sums));
        CHECK(std::count(arranged.elements.begin(), arranged.elements.end(), 0.0f) >
              static_cast<int64_t>(arranged.elements.size()) / 4);
      }
    }
  }
}

// With qualities and soft targets, which are computed in float64.
void no_soft_element_is_subnormal() {
  for (const efl_loss loss : {EFL_LOSS_FOCAL, EFL_LOSS_QUALITY_FOCAL, EFL_LOSS_CROSS_ENTROPY}) {
    Problem given(90, 40, 23, false);
    std::vector<float> targets(given.logits.size());
    std::uniform_real_distribution<float> logit(-40.0f, 40.0f), focusing(1.0f, 100.0f), unit(0, 1);
    for (float& target : targets) target = given.random() % 2 ? unit(given.random) : 1e-39f;
    for (float& x : given.logits) x = logit(given.random);
    for (float& gamma : given.gamma) gamma = focusing(given.random);
    given.measure();
    given.problem.loss = loss;
    given.level.labels = nullptr;
    given.level.targets = targets.data();
    efl_report result{};
    CHECK(test::compute(&backend(), &given.problem, &result) == EFL_OK);
    CHECK(!has_subnormal(given.gradient));
    CHECK(!has_subnormal(given.elements));
    CHECK(!has_subnormal(given.positive_sums));
    CHECK(!has_subnormal(given.negative_sums));
  }
}

// The smallest normal number is a result as any other.
void results_from_2_to_the_minus_126_on_are_kept() {
  Problem given(1, 64, 1, false);
  given.labels.assign(1, 0);
  given.gamma.assign(64, 1.0f);
  given.negative_weight.assign(64, 1.0f);
  given.measure();
  // sigma(x)^gamma and softplus(x) are both about exp(x): the loss is exp(2 x).
  for (std::size_t i = 0; i < 64; ++i) given.logits[i] = -43.0f - 0.02f * static_cast<float>(i);
  given.problem.loss_weight = given.problem.normalizer = 1;
  efl_report result{};
  CHECK(test::compute(&backend(), &given.problem, &result) == EFL_OK);
  bool right = true;
  for (std::size_t i = 0; i < 64; ++i) {
    const double expected = std::exp(2.0 * static_cast<double>(given.logits[i]));
    const double actual = static_cast<double>(given.elements[i]);
    if (expected > 1.1 * 0x1p-126) right &= std::fabs(actual / expected - 1) < 1e-5;
    if (expected < 0.9 * 0x1p-126) right &= actual == 0;
  }
  CHECK(right);
}

// 2^-149 where the thread keeps subnormal numbers, 0 where it does not.
float smallest_by_arithmetic() {
  volatile float smallest_normal = std::numeric_limits<float>::min();
  return smallest_normal * std::numeric_limits<float>::epsilon();
}

void the_arithmetic_of_the_caller_stays_what_it_was() {
  Problem given(2000, 80, 5, false);
  given.problem.threads = 2;
  efl_report result{};
  CHECK(test::compute(&backend(), &given.problem, &result) == EFL_OK);
  CHECK(smallest_by_arithmetic() == std::numeric_limits<float>::denorm_min());
  given.labels[7] = 81;
  CHECK(test::compute(&backend(), &given.problem, &result) == EFL_BAD_LABEL);
  CHECK(smallest_by_arithmetic() == std::numeric_limits<float>::denorm_min());
}

std::vector<float> smallest_of_the_pool() {
  std::vector<float> seen(200, 1.0f);
  efl::cpu::parallel_for(4, 200, [&seen](int64_t i) {
    std::this_thread::sleep_for(std::chrono::microseconds(50));  // so that the helpers take part
    seen[i] = smallest_by_arithmetic();
  });
  return seen;
}

void every_thread_of_the_pool_has_the_arithmetic_of_the_caller() {
  const std::vector<float> kept(200, std::numeric_limits<float>::denorm_min());
  {
    const efl::cpu::FlushSubnormals flush;
    CHECK(smallest_of_the_pool() == std::vector<float>(200, 0.0f));
  }
  CHECK(smallest_of_the_pool() == kept);
}

// What sums of rows in float32 would not hold.
void statistics_are_finite_whatever_the_upstream_gradients() {
  for (const efl_format& format : test::every_format()) {
    if (format.dtype != EFL_FLOAT32) continue;
    for (const int32_t classes : {3, 40}) {
      Problem given(2 * 32 * format.anchors, classes, 3, false);
      const std::vector<float> upstream(given.logits.size(), 3e38f);
      given.labels.assign(given.labels.size(), 0);
      given.logits.assign(given.logits.size(), 3.0f);
      given.gamma.assign(classes, 0.0f);
      given.negative_weight.assign(classes, 1.0f);
      given.measure();
      given.problem.loss_scale = 1;
      Arranged arranged(given, format, 2, 32);
      arranged.level.grad_output = upstream.data();
      efl_report result{};
      CHECK(test::compute(&backend(), &arranged.problem, &result) == EFL_OK);
      const double each = 3e38 / (1 + std::exp(-3.0)) * 1.5 * 0.5 / 3;
      const double expected = each * static_cast<double>(given.labels.size());
      CHECK(std::fabs(arranged.negative_sums[1] / expected - 1) < 1e-6);
    }
  }
}

void statistics_are_finite_whatever_the_weights() {
  for (const int32_t classes : {3, 40}) {
    Problem given(64, classes, 3, false);
    given.labels.assign(given.labels.size(), 0);
    given.logits.assign(given.logits.size(), 3.0f);
    given.gamma.assign(classes, 0.0f);
    given.negative_weight.assign(classes, 1e38f);
    given.measure();
    given.level.elements = nullptr;
    efl_report result{};
    CHECK(test::compute(&backend(), &given.problem, &result) == EFL_OK);
    const double sum = 64e38 / (1 + std::exp(-3.0)) * 1.5 * 0.5 / 3;
    const double loss = 64e38 * std::log1p(std::exp(3.0)) * classes * 1.5 / 3;
    CHECK(std::fabs(given.negative_sums[1] / sum - 1) < 1e-6);
    CHECK(std::fabs(result.loss / loss - 1) < 1e-6);
  }
}

// As long as every element is: a register holds several of them.
void the_loss_of_enormous_logits_is_finite() {
  for (const efl_format& format : test::every_format()) {
    if (format.dtype != EFL_FLOAT32) continue;
    for (const int32_t classes : {1, 40}) {
      Problem given(2 * 32 * format.anchors, classes, 3, false);
      given.labels.assign(given.labels.size(), 0);
      given.logits.assign(given.logits.size(), 3e37f);
      given.gamma.assign(classes, 2.0f);
      given.negative_weight.assign(classes, 10.0f);
      given.measure();
      Arranged arranged(given, format, 2, 32);
      arranged.level.elements = nullptr;
      efl_report result{};
      CHECK(test::compute(&backend(), &arranged.problem, &result) == EFL_OK);
      const double expected = 3e38 * static_cast<double>(given.logits.size()) * 1.5 / 3;
      CHECK(std::fabs(result.loss / expected - 1) < 1e-6);
    }
  }
}

void results_do_not_depend_on_the_number_of_threads(const efl_format& format, int64_t positions,
                                                    int32_t classes) {
  Problem given(2 * positions * format.anchors, classes, 11, false);
  Arranged one(given, format, 2, positions);
  efl_report expected{};
  test::compute(&backend(), &one.problem, &expected);
  for (const int32_t threads : {2, 3, 8}) {
    Arranged many(given, format, 2, positions);
    many.problem.threads = threads;
    efl_report result{};
    test::compute(&backend(), &many.problem, &result);
    CHECK(identical(result, expected));
    CHECK(identical(many.gradient, one.gradient));
    CHECK(many.gradient16 == one.gradient16);
    CHECK(many.positive_sums == one.positive_sums);
    CHECK(many.negative_sums == one.negative_sums);
  }
}

void results_do_not_depend_on_the_number_of_threads() {
  const efl_format rows = {EFL_FLOAT32, EFL_LAYOUT_NHWC, EFL_ANCHOR_MAJOR, 1};
  results_do_not_depend_on_the_number_of_threads(rows, 1000, 211);
  results_do_not_depend_on_the_number_of_threads(rows, 20000, 3);
  results_do_not_depend_on_the_number_of_threads(rows, 10, 20000);
  for (const efl_format& format : test::every_format()) {
    results_do_not_depend_on_the_number_of_threads(format, 300, 259);
  }
}

void collected_sums_do_not_depend_on_the_number_of_threads() {
  for (const efl_format& format : test::every_format()) {
    Problem given(2 * 300 * format.anchors, 259, 11, false);
    Arranged gradients(given, format, 2, 300);
    std::vector<double> first;
    for (const int32_t threads : {1, 2, 3, 8}) {
      std::vector<double> sums(2 * 259);
      efl_problem problem = gradients.problem;
      problem.gradients_given = 1;
      problem.normalizer = problem.loss_weight = problem.upstream = 1;
      problem.positive_sums = sums.data();
      problem.negative_sums = sums.data() + 259;
      problem.threads = threads;
      efl_report report{};
      CHECK(test::compute(&backend(), &problem, &report) == EFL_OK);
      if (threads == 1) first = sums;
      CHECK(sums == first);
    }
  }
}

void collected_gradients_give_the_statistics_of_the_fused_pass() {
  Problem given(400, 91, 21, false);
  given.problem.loss_scale = 1.0;
  efl_report result{};
  test::compute(&backend(), &given.problem, &result);
  std::vector<double> positive(91), negative(91);
  efl_problem problem = given.problem;
  problem.gradients_given = 1;
  problem.normalizer = problem.loss_weight = problem.upstream = 1;
  given.level.logits = given.gradient.data();
  problem.positive_sums = positive.data();
  problem.negative_sums = negative.data();
  problem.threads = 2;
  CHECK(test::compute(&backend(), &problem, &result) == EFL_OK);
  bool same = true;
  for (int32_t c = 0; c < 91; ++c) {
    same &= close(positive[c], given.positive_sums[c], 1e-6);
    same &= close(negative[c], given.negative_sums[c], 1e-6);
  }
  CHECK(same);
}

// Elements are the same in every arrangement, to the last bit; sums are added in another order.
void every_arrangement_agrees_with_rows() {
  for (const efl_format& format : test::every_format()) {
    for (const int32_t classes : {1, 5, 21, 130}) {
      for (const int64_t positions : {1, 6, 49, 1100 / classes}) {
        for (const bool extreme : {false, true}) {
          const int64_t rows = 2 * positions * format.anchors;
          Problem given(rows, classes, static_cast<uint32_t>(positions + classes), extreme);
          Arranged arranged(given, format, 2, positions);  // rounds the logits of `given`
          efl_report expected{}, result{};
          CHECK(test::compute(&backend(), &given.problem, &expected) == EFL_OK);
          CHECK(test::compute(&backend(), &arranged.problem, &result) == EFL_OK);
          CHECK(close(result.loss, expected.loss, 1e-6));
          CHECK(result.positives == expected.positives);
          CHECK(result.ignored == expected.ignored);
          CHECK(result.non_finite == expected.non_finite);
          CHECK(arranged.holds_gradient(given.gradient));
          CHECK(arranged.holds_elements(given.elements));
          bool sums = true;
          for (int32_t c = 0; c < classes; ++c) {
            sums &= close(arranged.positive_sums[c], given.positive_sums[c], 1e-6);
            sums &= close(arranged.negative_sums[c], given.negative_sums[c], 1e-6);
          }
          CHECK(sums);
        }
      }
    }
  }
}

// A row or an element that is left out has a gradient of exactly 0.
void agrees_where_some_is_left_out(Problem* given, const efl_format& format, int64_t positions) {
  Arranged arranged(*given, format, 2, positions);
  const std::vector<uint8_t> mask = arranged.arranged_mask(given->masks);
  if (given->level.mask) arranged.level.mask = mask.data();
  const Solution expected = test::solve(*given);
  efl_report result{};
  CHECK(test::compute(&backend(), &arranged.problem, &result) == EFL_OK);
  CHECK(close(result.loss, expected.loss, 1e-5));
  CHECK(result.positives == expected.positives);
  CHECK(result.ignored == expected.ignored);
  CHECK(result.non_finite == expected.non_finite);
  const double digits = format.dtype == EFL_FLOAT32 ? 2e-5 : 4e-3;
  const double least = format.dtype == EFL_FLOAT16 ? 6e-8 : 1e-36;
  bool gradient = true, elements = true, sums = true;
  for (std::size_t i = 0; i < expected.gradient.size(); ++i) {
    const int64_t at = arranged.place[i];
    const double found = efl::load(format.dtype, arranged.level.gradient, at);
    const double wanted = expected.gradient[i];
    gradient &= close(found, wanted, digits) || std::fabs(found - wanted) <= least;
    if (wanted == 0 && expected.elements[i] == 0) gradient &= found == 0;
    elements &= close(arranged.elements[at], expected.elements[i], 2e-5);
  }
  for (std::size_t c = 0; c < expected.positive_sums.size(); ++c) {
    sums &= close(arranged.positive_sums[c], expected.positive_sums[c], 1e-5);
    sums &= close(arranged.negative_sums[c], expected.negative_sums[c], 1e-5);
  }
  CHECK(gradient);
  CHECK(elements);
  CHECK(sums);
}

void weights_and_masks_agree_with_float64_in_every_arrangement() {
  for (const efl_format& format : test::every_format()) {
    for (const int32_t classes : {1, 5, 21, 130}) {
      for (const uint32_t parts : {1u, 2u, 3u, 4u, 7u}) {
        const int64_t positions = 300 / classes;
        Problem given(2 * positions * format.anchors, classes, parts + classes, false);
        given.select(parts & 1, parts & 2, parts & 4);
        agrees_where_some_is_left_out(&given, format, positions);
      }
    }
  }
}

void weights_and_masks_agree_with_float64_where_rows_with_a_class_have_their_own() {
  const std::vector<float> foreground(130, 0.5f);
  for (const efl_format& format : test::every_format()) {
    for (const int32_t classes : {5, 130}) {
      const int64_t positions = 200 / classes;
      Problem given(2 * positions * format.anchors, classes, 11, false);
      given.problem.loss = EFL_LOSS_CROSS_ENTROPY;
      given.problem.foreground_weight = foreground.data();
      given.problem.foreground_threshold = 0.5f;
      given.select(true, true, classes == 5);
      agrees_where_some_is_left_out(&given, format, positions);
    }
  }
}

void the_sum_of_weights_does_not_depend_on_the_number_of_threads() {
  Problem given(200000, 3, 5, false);
  given.select(true, false, false);
  for (float& weight : given.row_weight) weight *= 1.1f;
  efl_survey one{}, four{};
  efl_report report{};
  CHECK(backend().survey(backend().self, &given.problem, &one, &report) == EFL_OK);
  given.problem.threads = 4;
  CHECK(backend().survey(backend().self, &given.problem, &four, &report) == EFL_OK);
  backend().release(backend().self, &one);
  backend().release(backend().self, &four);
  CHECK(one.weights > 0 && one.weights == four.weights);
  CHECK(one.positives == four.positives && one.largest_weight == four.largest_weight);
}

void a_bad_weight_is_named_and_nothing_is_written() {
  for (const float bad :
       {-1.0f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Problem given(40, 9, 3, false);
    given.select(true, false, false);
    given.row_weight[17] = bad;
    given.gradient.assign(given.gradient.size(), 7.0f);
    efl_report result{};
    CHECK(test::compute(&backend(), &given.problem, &result) == EFL_BAD_WEIGHT);
    CHECK(result.bad_level == 0 && result.bad_index == 17);
    CHECK(given.gradient == std::vector<float>(given.gradient.size(), 7.0f));
  }
}

void the_plain_outputs_of_every_arrangement_are_the_same() {
  for (const efl_format& format : test::every_format()) {
    const int64_t positions = 150;
    Problem given(2 * positions * format.anchors, 21, 9, false);
    given.problem.normalizer = 1;
    Arranged whole(given, format, 2, positions);
    Arranged lean(given, format, 2, positions);
    lean.level.elements = nullptr;
    efl_report expected{}, result{};
    CHECK(test::compute(&backend(), &whole.problem, &expected) == EFL_OK);
    CHECK(test::compute(&backend(), &lean.problem, &result) == EFL_OK);
    CHECK(close(result.loss, expected.loss, 1e-6));
    CHECK(lean.gradient == whole.gradient);
    bool sums = true;
    for (std::size_t c = 0; c < 21; ++c) {
      sums &= close(lean.positive_sums[c], whole.positive_sums[c], 1e-6);
      sums &= close(lean.negative_sums[c], whole.negative_sums[c], 1e-6);
    }
    CHECK(sums);
  }
}

void cross_entropy_agrees_with_float64() {
  for (const int32_t classes : {3, 40, 200}) {
    for (const bool extreme : {false, true}) {
      Problem given(60, classes, 31, extreme);
      given.problem.loss = EFL_LOSS_CROSS_ENTROPY;
      agrees_with_float64(&given);
    }
  }
}

void several_levels_are_one_problem() {
  Problem whole(300, 37, 8, true);
  Problem parts(300, 37, 8, true);
  std::vector<efl_level> levels;
  for (int64_t first : {0, 7, 120}) {
    const int64_t last = first == 0 ? 7 : first == 7 ? 120 : 300;
    efl_level level = parts.level;
    level.positions = last - first;
    level.logits = parts.logits.data() + first * 37;
    level.gradient = parts.gradient.data() + first * 37;
    level.elements = parts.elements.data() + first * 37;
    level.labels = parts.labels.data() + first;
    levels.push_back(level);
  }
  parts.problem.levels = levels.data();
  parts.problem.level_count = 3;
  efl_report expected{}, result{};
  CHECK(test::compute(&backend(), &whole.problem, &expected) == EFL_OK);
  CHECK(test::compute(&backend(), &parts.problem, &result) == EFL_OK);
  CHECK(close(result.loss, expected.loss, 1e-6));
  CHECK(result.positives == expected.positives);
  CHECK(identical(parts.gradient, whole.gradient));
  parts.labels[150] = 99;
  CHECK(test::compute(&backend(), &parts.problem, &result) == EFL_BAD_LABEL);
  CHECK(result.bad_level == 2);
  CHECK(result.bad_index == 30);
}

void one_hot_targets_give_what_labels_give() {
  for (const int32_t classes : {3, 40, 200}) {
    Problem labelled(90, classes, 15, true);
    for (int32_t& label : labelled.labels) label = label < 0 ? 0 : label;
    Problem dense(90, classes, 15, true);
    std::vector<float> targets(90 * static_cast<std::size_t>(classes), 0.0f);
    for (int64_t r = 0; r < 90; ++r) {
      if (labelled.labels[r] > 0) targets[r * classes + labelled.labels[r] - 1] = 1.0f;
    }
    dense.level.labels = nullptr;
    dense.level.targets = targets.data();
    efl_report expected{}, result{};
    CHECK(test::compute(&backend(), &labelled.problem, &expected) == EFL_OK);
    CHECK(test::compute(&backend(), &dense.problem, &result) == EFL_OK);
    CHECK(identical(result, expected));
    CHECK(identical(dense.gradient, labelled.gradient));
    CHECK(dense.positive_sums == labelled.positive_sums);
    CHECK(dense.negative_sums == labelled.negative_sums);
    targets[5 * static_cast<std::size_t>(classes) + 1] = 1.5f;
    CHECK(test::compute(&backend(), &dense.problem, &result) == EFL_BAD_TARGET);
    CHECK(result.bad_index == 5 * static_cast<int64_t>(classes) + 1);
    CHECK(result.bad_value == 1.5);
  }
}

void a_bad_label_is_named_and_nothing_is_written() {
  Problem given(50, 9, 3, false);
  given.labels[31] = 10;
  given.labels[40] = std::numeric_limits<int32_t>::min();
  efl_report result{};
  CHECK(test::compute(&backend(), &given.problem, &result) == EFL_BAD_LABEL);
  CHECK(result.bad_index == 31);
  CHECK(result.bad_value == 10);
  CHECK(given.gradient == std::vector<float>(50 * 9, 0.0f));
  CHECK(given.negative_sums == std::vector<double>(9, 0.0));
}

// Labels are counted a run at a time, and one by one only in a run with others than the common
// ones.
void labels_are_counted_in_every_run() {
  const std::vector<int32_t> ignored = {-1, -7};
  for (const int64_t rows : {1023, 1024, 1025, 5000}) {
    Problem given(rows, 2, 4, false);
    given.problem.convention.ignored = ignored.data();
    given.problem.convention.ignored_count = 2;
    given.labels[rows - 1] = -7;
    const Solution expected = test::solve(given);
    efl_report result{};
    CHECK(test::compute(&backend(), &given.problem, &result) == EFL_OK);
    CHECK(result.positives == expected.positives);
    CHECK(result.ignored == expected.ignored);
    given.labels[rows - 1] = 3;
    CHECK(test::compute(&backend(), &given.problem, &result) == EFL_BAD_LABEL);
    CHECK(result.bad_index == rows - 1);
  }
}

// A label may be both background and ignored: background it is, as for a single label.
void the_first_bad_label_of_many_is_named_on_any_number_of_threads() {
  for (const int32_t threads : {1, 2, 8}) {
    Problem given(300000, 1, 4, false);
    given.problem.threads = threads;
    given.labels[290000] = 7;
    given.labels[120000] = 9;
    given.labels[120001] = 8;
    efl_report result{};
    CHECK(test::compute(&backend(), &given.problem, &result) == EFL_BAD_LABEL);
    CHECK(result.bad_index == 120000);
    CHECK(result.bad_value == 9);
    CHECK(given.gradient == std::vector<float>(300000, 0.0f));
  }
}

void a_label_named_twice_counts_once() {
  const int32_t background = 0;
  Problem given(2000, 3, 4, false);
  given.problem.convention.ignored = &background;
  given.problem.convention.ignored_count = 1;
  for (int32_t& label : given.labels) label = label < 0 ? 0 : label;
  efl_report result{};
  CHECK(test::compute(&backend(), &given.problem, &result) == EFL_OK);
  CHECK(result.ignored == 0);
}

void labels_at_the_ends_of_int32_do_not_overflow() {
  const efl_label_convention convention = {5, 1, 0, 1, 0, nullptr, 0};
  CHECK(efl::label_column(convention, std::numeric_limits<int32_t>::min()) == efl::kInvalid);
  CHECK(efl::label_column(convention, std::numeric_limits<int32_t>::max()) == efl::kInvalid);
}

// Through a kernel: with gamma 0 and weight 2 the loss of a negative is 2 softplus(x), which is
// known; what is checked is that each number is read as what it is and its gradient rounded right.
void every_half_is_converted_both_ways() {
  for (const efl_dtype dtype : {EFL_FLOAT16, EFL_BFLOAT16}) {
    const int64_t rows = 1024;
    Problem given(rows, 64, 2, false);
    given.labels.assign(rows, 0);
    given.gamma.assign(64, 0.0f);
    given.measure();
    given.problem.gamma = given.gamma.data();
    for (std::size_t i = 0; i < given.logits.size(); ++i) {
      const auto half = static_cast<uint16_t>(i);
      given.logits[i] =
          dtype == EFL_FLOAT16 ? efl::float_of_float16(half) : efl::float_of_bfloat16(half);
    }
    Arranged arranged(given, {dtype, EFL_LAYOUT_NHWC, EFL_ANCHOR_MAJOR, 1}, 1, rows);
    bool exact = true;
    for (std::size_t i = 0; i < given.logits.size(); ++i) {
      const auto half = static_cast<uint16_t>(i);
      exact &= arranged.logits16[i] == half || std::isnan(given.logits[i]);
    }
    CHECK(exact);
    efl_report expected{}, result{};
    CHECK(test::compute(&backend(), &given.problem, &expected) == EFL_OK);
    CHECK(test::compute(&backend(), &arranged.problem, &result) == EFL_OK);
    CHECK(result.non_finite == expected.non_finite);
    CHECK(arranged.holds_gradient(given.gradient));
    CHECK(arranged.holds_elements(given.elements));
  }
}

void dense_targets_agree_with_labels_where_they_are_hard() {
  for (const float logit : test::extreme_logits()) {
    for (const float target : {0.0f, 1.0f}) {
      for (const double gamma : {0.0, 0.5, 2.0, 10.0}) {
        const double u = target == 1.0f ? -logit : logit;
        const auto hard = efl::focal_terms<efl::ScalarMath>(u, gamma, 0.25);
        const auto soft =
            efl::soft_focal_terms<efl::ScalarMath>(logit, target, 1 - target, gamma, 0.25);
        CHECK(close(soft.loss(), hard.loss(), 1e-12));
        CHECK(close(soft.gradient, (target == 1.0f ? -1 : 1) * hard.gradient, 1e-12));
      }
    }
  }
}

void dense_results_do_not_depend_on_the_number_of_threads() {
  constexpr int64_t kCount = 300000;
  Problem given(kCount, 1, 8, false);
  std::vector<float> targets(kCount), first;
  for (float& target : targets) target = static_cast<float>(given.random() % 5) / 4;
  double loss = 0;
  for (const int32_t threads : {1, 2, 3, 8}) {
    std::vector<float> gradient(kCount);
    efl::cpu::DenseProblem problem{};
    problem.elements_count = kCount;
    problem.logits = given.logits.data();
    problem.targets = targets.data();
    problem.gradient = gradient.data();
    problem.gamma = 2;
    problem.alpha = 0.25;
    problem.upstream = 1;
    problem.threads = threads;
    efl_report result{};
    CHECK(efl::cpu::compute_dense(problem, &result) == EFL_OK);
    if (threads == 1) {
      first = gradient;
      loss = result.loss;
    }
    CHECK(result.loss == loss);
    CHECK(gradient == first);
    std::vector<float> bad = targets;
    bad[290000] = 2;
    bad[170000] = -1;
    problem.targets = bad.data();
    CHECK(efl::cpu::compute_dense(problem, &result) == EFL_BAD_TARGET);
    CHECK(result.bad_index == 170000);
  }
}

void soft_targets_have_the_gradient_of_their_loss() {
  for (double target = 0.05; target < 1; target += 0.1) {
    for (double logit = -8; logit <= 8; logit += 0.37) {
      for (const double gamma : {0.0, 0.5, 1.0, 2.0, 5.0}) {
        const double h = 1e-5;
        const auto at = [&](double x) {
          return efl::soft_focal_terms<efl::ScalarMath>(x, target, 1 - target, gamma, 0.7).loss();
        };
        const double slope = (at(logit + h) - at(logit - h)) / (2 * h);
        const auto terms =
            efl::soft_focal_terms<efl::ScalarMath>(logit, target, 1 - target, gamma, 0.7);
        CHECK(std::fabs(terms.gradient - slope) <= 1e-8 + 1e-7 * std::fabs(slope));
      }
    }
  }
}

// One level, or a large one, two smaller and an empty one.
std::vector<efl_level> levels_of(int64_t positions, bool several) {
  std::vector<efl_level> levels;
  for (const int64_t shrink : {1, 4, 16}) {
    efl_level level{};
    level.images = 2;
    level.positions = (positions / 2 + shrink - 1) / shrink;
    levels.push_back(level);
    if (!several) return levels;
  }
  levels.emplace_back();
  return levels;
}

template <class Visit>
void for_every_cut(std::initializer_list<int64_t> sizes, const Visit& visit) {
  for (const int64_t size : sizes) {
    for (const int32_t columns : {1, 3, 21, 31, 39, 80, 127, 255, 383, 1203, 10000, 100000}) {
      for (const efl_layout layout : {EFL_LAYOUT_NHWC, EFL_LAYOUT_NCHW}) {
        for (const int32_t anchors : {1, 9}) {
          for (const bool several : {false, true}) {
            const efl_format format = {EFL_FLOAT32, layout, EFL_ANCHOR_MAJOR, anchors};
            visit(format, levels_of(size / columns / anchors + 2, several), columns);
          }
        }
      }
    }
  }
}

using efl::cpu::Tile;
using efl::cpu::Tiles;

void tiles_cover_every_element_once() {
  for_every_cut({0, 1000, 100000, 1300000}, [](const efl_format& format,
                                               const std::vector<efl_level>& levels,
                                               int32_t columns) {
    const Tiles tiles(format, levels.data(), static_cast<int32_t>(levels.size()), columns);
    // A run is a step on from the one before, and its blocks go from column 0 to the last.
    std::vector<std::vector<int32_t>> covered;
    for (const efl_level& level : levels) {
      covered.emplace_back(efl::rows_of(format, level), 0);
    }
    int32_t next = 0;
    bool whole = true;
    for (int64_t i = 0; i < tiles.count(); ++i) {
      const Tile& tile = tiles[i];
      whole &= tile.first_column == next && tile.last_column > next && tile.last_column <= columns;
      next = tile.last_column % columns;
      whole &= next == 0 || tiles.run_of(i) == tiles.run_of(i + 1);
      for (int64_t r = tile.first_row; next == 0 && r < tile.last_row; r += tile.row_step) {
        ++covered[tile.level][r];
      }
    }
    for (const std::vector<int32_t>& rows : covered) {
      whole &= rows == std::vector<int32_t>(rows.size(), 1);
    }
    CHECK(whole && next == 0);
  });
}

void calls_of_a_million_logits_have_128_tiles() {
  for_every_cut(
      {1000000, 2500000, 30000000},
      [](const efl_format& format, const std::vector<efl_level>& levels, int32_t columns) {
        const Tiles tiles(format, levels.data(), static_cast<int32_t>(levels.size()), columns);
        CHECK(tiles.count() >= 128);
        CHECK(tiles.count() <= 1024);
      });
}

void sums_of_tiles_take_bounded_memory() {
  for_every_cut({1000000, 30000000}, [](const efl_format& format,
                                        const std::vector<efl_level>& levels, int32_t columns) {
    const Tiles tiles(format, levels.data(), static_cast<int32_t>(levels.size()), columns);
    const int64_t more = static_cast<int64_t>(levels.size()) * format.anchors;
    const int64_t bytes = (tiles.runs() - more) * 2 * columns * 8;
    CHECK(bytes <= 2 * efl::cpu::kPartialSumBytes || tiles.runs() <= 2 * efl::cpu::kMinRuns + more);
  });
}

const efl::cpu::Kernels& kernels_under_test() {
#if defined(__x86_64__) && !defined(EFL_PORTABLE)
  for (const auto* kernels : {&efl::cpu::kAvx512Kernels, &efl::cpu::kAvx2Kernels}) {
    if (std::strcmp(kernels->name, current->detail) == 0) return *kernels;
  }
#endif
  const bool scalar = std::strcmp(current->detail, efl::cpu::kScalarKernels.name) == 0;
  return scalar ? efl::cpu::kScalarKernels : efl::cpu::kBaselineKernels;
}

// All rows in blocks of so many columns.
double compute_in_blocks(const Arranged& arranged, int32_t width) {
  const efl_problem& problem = arranged.problem;
  const int32_t columns = efl::columns_of(problem.convention);
  efl::cpu::FocalTask task{};
  task.problem = &problem;
  task.gradient_factor = task.element_factor = 1;
  task.hard_loss = efl::hard_loss_of(problem);
  task.soft_below = 1;
  task.largest_gamma = 10;
  task.largest_weight = 1;
  const int32_t step = problem.format.layout == EFL_LAYOUT_NCHW ? problem.format.anchors : 1;
  std::vector<double> positive(columns + efl::cpu::kColumnPadding), negative(positive);
  double loss = 0;
  for (int32_t c = 0; c < columns; c += width) {
    for (int32_t a = 0; a < step; ++a) {
      const Tile tile = {0,    a, efl::rows_of(problem.format, arranged.level),
                         step, c, std::min(columns, c + width)};
      efl::cpu::TileSums sums = {0, 0, positive.data(), negative.data()};
      kernels_under_test().focal(task, tile, &sums);
      loss += sums.loss;
    }
  }
  std::copy_n(positive.begin(), columns, problem.positive_sums);
  std::copy_n(negative.begin(), columns, problem.negative_sums);
  return loss;
}

void gradients_and_statistics_do_not_depend_on_the_blocks_of_columns() {
  for (const efl_format& format : test::every_format()) {
    const bool planes = format.layout == EFL_LAYOUT_NCHW;
    for (const bool elementwise : {false, true}) {
      Problem given(2 * 70 * format.anchors, 211, 31, false);
      Arranged whole(given, format, 2, 70);
      if (!elementwise) whole.level.elements = nullptr;
      const double loss = compute_in_blocks(whole, 211);
      for (const int32_t width :
           planes ? std::vector<int32_t>{20, 60, 180} : std::vector<int32_t>{16, 80, 128, 208}) {
        Arranged cut(given, format, 2, 70);
        if (!elementwise) cut.level.elements = nullptr;
        CHECK(close(compute_in_blocks(cut, width), loss, 1e-6));
        CHECK(identical(cut.gradient, whole.gradient));
        CHECK(cut.gradient16 == whole.gradient16);
        CHECK(identical(cut.elements, whole.elements));
        CHECK(cut.positive_sums == whole.positive_sums);
        CHECK(cut.negative_sums == whole.negative_sums);
      }
    }
  }
}

void every_task_runs_also_where_memory_for_helpers_runs_out() {
  std::vector<int> runs(200, 0);
  const auto work = [&runs](int64_t i) { ++runs[i]; };
  for (int left = 0; left < 8; ++left) {
    const test::ScarceMemory memory(left);
    efl::cpu::parallel_for(60, 200, work);
  }
  efl::cpu::parallel_for(60, 200, work);  // with those that started and those that did not
  CHECK(runs == std::vector<int>(200, 9));
}

void the_pool_wakes_no_more_helpers_than_are_wanted() {
  const auto work = [](int64_t) { std::this_thread::sleep_for(std::chrono::microseconds(50)); };
  efl::cpu::parallel_for(24, 200, work);  // starts them
  for (const int32_t threads : {1, 2, 3, 7, 12}) {
    const int64_t before = efl::cpu::wake_ups();
    std::mutex mutex;
    std::set<std::thread::id> workers;
    efl::cpu::parallel_for(threads, 200, [&](int64_t i) {
      work(i);
      const std::lock_guard<std::mutex> lock(mutex);
      workers.insert(std::this_thread::get_id());
    });
    CHECK(static_cast<int32_t>(workers.size()) <= threads);
    CHECK(efl::cpu::wake_ups() - before <= threads - 1);
  }
}

void the_pool_runs_every_task_once_also_for_many_callers() {
  std::vector<std::thread> callers;
  std::vector<std::vector<int>> runs(4, std::vector<int>(500, 0));
  for (std::vector<int>& mine : runs) {
    callers.emplace_back([&mine] {
      for (int repeat = 0; repeat < 50; ++repeat) {
        efl::cpu::parallel_for(3, 500, [&mine](int64_t i) { ++mine[i]; });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const std::vector<int>& mine : runs) CHECK(mine == std::vector<int>(500, 50));
}

efl::GradientStatistics statistics_of(efl::Rule rule, int32_t classes) {
  efl::ClassRule of_class{};
  of_class.rule = rule;
  of_class.decay = 1;
  return efl::GradientStatistics(of_class, classes);
}

void statistics_add_up_and_give_the_ratio() {
  efl::GradientStatistics statistics = statistics_of(efl::Rule::kEqualizedFocal, 2);
  CHECK(statistics.ratio() == std::vector<double>(2, 1.0));
  const double positive[] = {1.0, 0.0};
  const double negative[] = {4.0, 0.0};
  statistics.merge(positive, negative, 1);
  statistics.merge(positive, negative, 2);
  CHECK(statistics.ratio()[0] == 2.0 / (8.0 + 1e-10));
  CHECK(statistics.ratio()[1] == 0.0);
  CHECK(statistics.steps() == 3);
}

void statistics_stay_finite_and_countable() {
  efl::GradientStatistics statistics = statistics_of(efl::Rule::kEqualizationV2, 1);
  const double most = std::numeric_limits<double>::max();
  const double positive = most / 2, negative = 0, ratio = 1;
  statistics.restore(&negative, &negative, &ratio, efl::kMostSteps - 1);
  statistics.merge(&positive, &negative, 1);
  CHECK(statistics.steps() == efl::kMostSteps);
  CHECK(statistics.ratio()[0] == most);
  statistics.merge(&negative, &negative, efl::kMostSteps);
  CHECK(statistics.steps() == efl::kMostSteps);
}

void sums_of_statistics_stay_finite() {
  efl::GradientStatistics statistics = statistics_of(efl::Rule::kEqualizedFocal, 1);
  const double large = std::numeric_limits<double>::max();
  for (int i = 0; i < 3; ++i) statistics.merge(&large, &large, 1);
  CHECK(statistics.positive()[0] == large);
  CHECK(statistics.negative()[0] == large);
  CHECK(statistics.ratio()[0] == 1.0);
}

void subnormal_targets_and_qualities_are_0() {
  for (const float tiny : {1e-40f, -1e-40f}) {
    Problem given(4, 3, 3, false);
    std::vector<float> targets(12, 0.0f);
    targets[4] = 1;
    targets[7] = tiny;
    given.level.labels = nullptr;
    given.level.targets = targets.data();
    efl_report report{};
    CHECK(test::compute(&backend(), &given.problem, &report) == EFL_OK);
    CHECK(report.positives == 1);
    given.level.targets = nullptr;
    given.level.labels = given.labels.data();
    const std::vector<float> quality(4, tiny);
    given.level.quality = quality.data();
    given.problem.loss = EFL_LOSS_QUALITY_FOCAL;
    CHECK(test::compute(&backend(), &given.problem, &report) == EFL_OK);
  }
}

efl_call call_of(const Problem& given) {
  efl_call call = efl::default_call();
  call.levels = &given.level;
  call.level_count = 1;
  call.normalizer = given.problem.normalizer;
  call.upstream = given.problem.upstream;
  call.loss_scale = given.problem.loss_scale;
  return call;
}

efl::Spec spec_of(int32_t family, int32_t classes) {
  efl_settings settings = efl::default_settings(family);
  settings.classes = classes;
  return efl::Spec(settings);
}

void a_criterion_does_not_depend_on_the_number_of_threads() {
  constexpr int32_t kClasses = 40000;
  for (const int32_t family : {EFL_EQUALIZED_FOCAL_LOSS, EFL_EQUALIZATION_LOSS_V2}) {
    Problem given(30, kClasses, 3, false);
    efl_call call = call_of(given);
    efl_report report{};
    // Most classes stay without positives: what they have of them are subnormal numbers.
    const std::vector<double> few(kClasses, 1e-310);
    const std::vector<double> ratio(kClasses, 1.0);
    efl::HostCriterion one(spec_of(family, kClasses), &backend());
    one.restore(few.data(), few.data(), ratio.data(), 0);
    for (int step = 0; step < 2; ++step) CHECK(one.compute(call, false, 1, &report) == EFL_OK);
    for (const int32_t threads : {2, 3, 8}) {
      efl::HostCriterion many(spec_of(family, kClasses), &backend());
      many.restore(few.data(), few.data(), ratio.data(), 0);
      call.collect = 1;
      for (int step = 0; step < 2; ++step) {
        CHECK(many.compute(call, false, threads, &report) == EFL_OK);
      }
      CHECK(many.statistics().positive() == one.statistics().positive());
      CHECK(many.statistics().positive().back() == 1e-310);
      CHECK(many.statistics().negative() == one.statistics().negative());
      CHECK(many.statistics().ratio() == one.statistics().ratio());
      CHECK(many.statistics().steps() == 2);
      // The third call has the parameters in its gradient.
      call.collect = 0;
      const std::vector<float> before = given.gradient;
      CHECK(many.compute(call, false, threads, &report) == EFL_OK);
      const std::vector<float> gradient = given.gradient;
      CHECK(one.compute(call, false, threads, &report) == EFL_OK);
      CHECK(identical(given.gradient, gradient));
      CHECK(!identical(gradient, before));
    }
  }
}

// Plays several processes that all have the same: what it gets, so many times.
struct Peers {
  double processes;
  int calls = 0;
  // Where one of the others fails: in its survey, or only after it.
  enum class Failure { kNone, kSurvey, kComputation } failure = Failure::kNone;

  bool said_to_fail = false;  // by the process that is tested, in the last sum

  efl_reducer reducer() { return {this, sum}; }
  static efl_status sum(void* self, double* values, int64_t count, void*) {
    Peers& peers = *static_cast<Peers*>(self);
    for (int64_t i = 0; i < count; ++i) values[i] *= peers.processes;
    // The last of the counts, and of the flags, says who failed.
    peers.said_to_fail = values[count - 1] > 0;
    const bool of_survey = count == efl::kReducedCounts;
    if (peers.failure == (of_survey ? Failure::kSurvey : Failure::kComputation)) {
      values[count - 1] += 1;
    }
    ++peers.calls;
    return EFL_OK;
  }
};

void processes_that_add_up_learn_as_one_does() {
  constexpr int32_t kClasses = 64;
  constexpr std::size_t kRows = 320;
  Problem half(kRows, kClasses, 9, false);
  // The same rows twice.
  Problem both(2 * kRows, kClasses, 9, false);
  for (std::size_t i = 0; i < both.logits.size(); ++i) {
    both.logits[i] = half.logits[i % half.logits.size()];
  }
  for (std::size_t r = 0; r < both.labels.size(); ++r) {
    both.labels[r] = half.labels[r % kRows];
  }
  Peers peers{2};
  const efl_reducer reducer = peers.reducer();
  efl::HostCriterion alone(spec_of(EFL_EQUALIZED_FOCAL_LOSS, kClasses), &backend());
  efl::HostCriterion together(spec_of(EFL_EQUALIZED_FOCAL_LOSS, kClasses), &backend());
  efl_call of_both = call_of(both), of_half = call_of(half);
  of_both.normalizer = of_half.normalizer = EFL_NORMALIZER_POSITIVES;
  efl_report report{};
  for (int step = 0; step < 3; ++step) {
    CHECK(alone.compute(of_both, false, 1, &report) == EFL_OK);
    const double positives = report.positives;
    CHECK(together.compute(of_half, false, 1, &report, &reducer) == EFL_OK);
    CHECK(2 * report.positives == positives);  // those of this process
    const std::vector<float> first(both.gradient.begin(),
                                   both.gradient.begin() + static_cast<int>(half.gradient.size()));
    CHECK(identical(first, half.gradient));
    // Some rows are added in float32 first, and not the same ones.
    for (std::size_t j = 0; j < kClasses; ++j) {
      CHECK(close(together.statistics().ratio()[j], alone.statistics().ratio()[j], 1e-7));
      CHECK(close(together.statistics().negative()[j], alone.statistics().negative()[j], 1e-7));
    }
  }
  CHECK(peers.calls == 6);
}

void a_process_that_fails_keeps_all_others_from_learning() {
  Problem given(50, 7, 9, false);
  efl::HostCriterion criterion(spec_of(EFL_EQUALIZED_FOCAL_LOSS, 7), &backend());
  const efl_call call = call_of(given);
  efl_report report{};
  Peers peers{2};
  const efl_reducer reducer = peers.reducer();
  for (const auto failure : {Peers::Failure::kSurvey, Peers::Failure::kComputation}) {
    peers.failure = failure;
    CHECK(criterion.compute(call, false, 1, &report, &reducer) == EFL_PEER_FAILED);
    CHECK(report.status == EFL_PEER_FAILED);
    CHECK(criterion.statistics().steps() == 0);
  }
  CHECK(peers.calls == 4);
  // Without statistics the counts alone tell.
  efl_call uncollected = call;
  uncollected.collect = 0;
  peers.failure = Peers::Failure::kSurvey;
  CHECK(criterion.compute(uncollected, false, 1, &report, &reducer) == EFL_PEER_FAILED);
  CHECK(peers.calls == 5);
  // One that fails itself takes part as often as the others.
  peers.failure = Peers::Failure::kNone;
  given.labels[3] = 99;
  CHECK(criterion.compute(call, false, 1, &report, &reducer) == EFL_BAD_LABEL);
  CHECK(report.bad_index == 3 && report.bad_value == 99);
  CHECK(criterion.statistics().steps() == 0);
  CHECK(peers.calls == 7 && peers.said_to_fail);
  CHECK(criterion.compute(uncollected, false, 1, &report, &reducer) == EFL_BAD_LABEL);
  CHECK(peers.calls == 8 && peers.said_to_fail);
  given.labels[3] = 0;
  CHECK(criterion.compute(call, false, 1, &report, &reducer) == EFL_OK);
  CHECK(criterion.statistics().steps() == 1);
}

// Its own rows are all ignored; those of the others have gradients.
void a_process_without_rows_learns_with_the_others() {
  constexpr int32_t kClasses = 7;
  Problem given(50, kClasses, 9, false);
  std::fill(given.labels.begin(), given.labels.end(), -1);
  efl::HostCriterion criterion(spec_of(EFL_EQUALIZED_FOCAL_LOSS, kClasses), &backend());
  const auto sum = [](void*, double* values, int64_t count, void*) {
    if (count == efl::kReducedCounts) return EFL_OK;
    for (int64_t i = 0; i < count - efl::kReducedFlags; ++i) values[i] += 1;
    values[count - efl::kReducedFlags + efl::kSeenFlag] += 1;
    return EFL_OK;
  };
  const efl_reducer reducer = {nullptr, sum};
  efl_report report{};
  CHECK(criterion.compute(call_of(given), false, 1, &report, &reducer) == EFL_OK);
  CHECK(report.ignored == 50);
  CHECK(criterion.statistics().steps() == 1);
  CHECK(criterion.statistics().negative() == std::vector<double>(kClasses, 1.0));
}

// Of a deferred call the counts are those of all processes; its sums wait for the commit.
void processes_that_defer_add_up_their_sums_once() {
  constexpr int32_t kClasses = 7;
  Problem given(50, kClasses, 9, false);
  Peers peers{2};
  const efl_reducer reducer = peers.reducer();
  efl::HostCriterion together(spec_of(EFL_EQUALIZED_FOCAL_LOSS, kClasses), &backend());
  efl::HostCriterion alone(spec_of(EFL_EQUALIZED_FOCAL_LOSS, kClasses), &backend());
  efl_call call = call_of(given);
  call.collect = EFL_COLLECT_DEFER;
  efl_report report{};
  for (int part = 0; part < 3; ++part) {
    CHECK(together.compute(call, false, 1, &report, &reducer) == EFL_OK);
    CHECK(peers.calls == part + 1);
    CHECK(alone.compute(call, false, 1, &report) == EFL_OK);
    CHECK(alone.compute(call, false, 1, &report) == EFL_OK);
  }
  CHECK(together.statistics().steps() == 0 && together.pending_calls() == 3);
  // One that fails keeps the sums of all others waiting.
  peers.failure = Peers::Failure::kComputation;
  CHECK(together.commit(1, &reducer) == EFL_PEER_FAILED);
  CHECK(together.statistics().steps() == 0 && together.pending_calls() == 3);
  peers.failure = Peers::Failure::kNone;
  CHECK(together.commit(1, &reducer) == EFL_OK);
  CHECK(alone.commit(1) == EFL_OK);
  CHECK(peers.calls == 5);
  CHECK(together.statistics().steps() == 1 && together.pending_calls() == 0);
  for (std::size_t j = 0; j < kClasses; ++j) {
    const double expected = alone.statistics().negative()[j];
    CHECK(close(together.statistics().negative()[j], expected, 1e-14));
    CHECK(close(together.statistics().ratio()[j], alone.statistics().ratio()[j], 1e-14));
  }
  // Nothing is pending in any of them, and all take part all the same.
  CHECK(together.commit(1, &reducer) == EFL_OK);
  CHECK(peers.calls == 6 && together.statistics().steps() == 1);
}

void a_commit_does_not_depend_on_the_number_of_threads() {
  constexpr int32_t kClasses = 40000;
  Problem given(30, kClasses, 3, false);
  efl_call call = call_of(given);
  call.collect = EFL_COLLECT_DEFER;
  efl_settings settings = efl::default_settings(EFL_EQUALIZED_FOCAL_LOSS);
  settings.classes = kClasses;
  settings.half_life = 1.5;
  const auto learnt = [&](int32_t threads) {
    efl::HostCriterion criterion(efl::Spec(settings), &backend());
    efl_report report{};
    for (int step = 0; step < 3; ++step) {
      for (int part = 0; part < 2; ++part) {
        CHECK(criterion.compute(call, false, threads, &report) == EFL_OK);
      }
      CHECK(criterion.commit(threads) == EFL_OK);
    }
    return criterion.statistics();
  };
  const efl::GradientStatistics one = learnt(1);
  for (const int32_t threads : {2, 8}) {
    const efl::GradientStatistics many = learnt(threads);
    CHECK(many.positive() == one.positive() && many.negative() == one.negative());
    CHECK(many.ratio() == one.ratio() && many.steps() == 3);
  }
}

void the_exponential_of_the_rules_agrees_with_the_library() {
  double worst = 0;
  for (double a = -708; a < 708; a += 0.37) {
    const double expected = std::exp(-a);
    worst = std::max(worst, std::fabs(efl::RuleMath::exp_of_minus(a) - expected) / expected);
  }
  CHECK(worst < 5e-16);
  CHECK(efl::RuleMath::exp_of_minus(0) == 1);
  CHECK(efl::RuleMath::exp_of_minus(1e308) < 1e-307);
  CHECK(efl::RuleMath::exp_of_minus(-1e308) > 1e307);
}

// A root directory with files of its own.
class FakeRoot {
 public:
  FakeRoot() {
    char name[] = "/tmp/efl-root-XXXXXX";
    CHECK(mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~FakeRoot() { std::filesystem::remove_all(path_); }

  FakeRoot& file(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(path_ + name).parent_path());
    std::ofstream(path_ + name) << text;
    return *this;
  }
  int32_t processors() const { return efl::cpu::processors_of_quota(path_); }
  int32_t available() const { return efl::cpu::available_processors(path_); }

 private:
  std::string path_;
};

void quotas_of_version_2_are_rounded_up() {
  FakeRoot root;
  CHECK(root.processors() == 0);
  root.file("/proc/self/cgroup", "0::/\n");
  CHECK(root.processors() == 0);
  for (const auto& [text, expected] : std::map<std::string, int32_t>{{"150000 100000\n", 2},
                                                                     {"100000 100000\n", 1},
                                                                     {"5000 100000\n", 1},
                                                                     {"1600000 50000\n", 32},
                                                                     {"max 100000\n", 0},
                                                                     {"", 0},
                                                                     {"100000", 0},
                                                                     {"-1 100000", 0},
                                                                     {"100000 0", 0},
                                                                     {"none of 3", 0},
                                                                     {"1e300 1", 0}}) {
    CHECK(root.file("/sys/fs/cgroup/cpu.max", text).processors() == expected);
  }
}

void the_least_quota_of_nested_groups_counts() {
  FakeRoot root;
  root.file("/proc/self/cgroup", "0::/outer/inner\n")
      .file("/sys/fs/cgroup/outer/inner/cpu.max", "max 100000\n");
  CHECK(root.processors() == 0);
  CHECK(root.file("/sys/fs/cgroup/outer/cpu.max", "320000 100000\n").processors() == 4);
  CHECK(root.file("/sys/fs/cgroup/outer/inner/cpu.max", "90000 50000\n").processors() == 2);
  CHECK(root.file("/sys/fs/cgroup/outer/inner/cpu.max", "900000 50000\n").processors() == 4);
  // Of a group that this one is not in.
  CHECK(root.file("/sys/fs/cgroup/other/cpu.max", "50000 50000\n").processors() == 4);
}

void quotas_of_version_1_are_rounded_up() {
  FakeRoot root;
  root.file(
      "/proc/self/cgroup",
      "12:memory:/docker/1\n4:cpuset:/docker/1\n3:cpu,cpuacct:/docker/1\n0::/\nnonsense\n:\n::\n");
  CHECK(root.processors() == 0);
  // In a container the mounted hierarchy begins at its group.
  root.file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "250000\n");
  CHECK(root.processors() == 0);
  root.file("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  CHECK(root.processors() == 3);
  root.file("/sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us", "-1\n")
      .file("/sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_period_us", "100000\n");
  CHECK(root.processors() == 3);
  root.file("/sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us", "150000\n");
  CHECK(root.processors() == 2);
}

void there_is_a_processor_and_no_more_than_the_quota() {
  FakeRoot root;
  root.file("/proc/self/cgroup", "0::/\n").file("/sys/fs/cgroup/cpu.max", "1000 100000\n");
  CHECK(root.available() == 1);
  const int32_t most = static_cast<int32_t>(std::thread::hardware_concurrency());
  CHECK(efl::cpu::available_processors("/none") >= 1);
  CHECK(efl::cpu::available_processors() <= std::max(1, most));
}

struct Test {
  const char* name;
  void (*run)();
  bool per_kernel;  // once for each instruction set of this machine
};

const Test kTests[] = {
    {"every shape agrees with float64", every_shape_agrees_with_float64, true},
    {"low logits agree with float64", low_logits_agree_with_float64, true},
    {"a gradient does not depend on the logits and gammas beside it",
     a_gradient_does_not_depend_on_the_logits_and_gammas_beside_it, true},
    {"weights of any size agree with float64", weights_of_any_size_agree_with_float64, true},
    {"nothing is written beside the rows", nothing_is_written_beside_the_rows, true},
    {"every kind of output is the same for long and short rows",
     every_kind_of_output_is_the_same_for_long_and_short_rows, true},
    {"an enormous gamma gives no NaN", an_enormous_gamma_gives_no_nan, true},
    {"smoothed labels agree with float64", smoothed_labels_agree_with_float64, true},
    {"smoothed labels give the same bits on any number of threads",
     smoothed_labels_give_the_same_bits_on_any_number_of_threads, true},
    {"smoothing of 0 changes no bit", smoothing_of_0_changes_no_bit, true},
    {"no result is subnormal", no_result_is_subnormal, true},
    {"no soft element is subnormal", no_soft_element_is_subnormal, true},
    {"results from 2^-126 on are kept", results_from_2_to_the_minus_126_on_are_kept, true},
    {"the arithmetic of the caller stays what it was",
     the_arithmetic_of_the_caller_stays_what_it_was, true},
    {"every thread of the pool has the arithmetic of the caller",
     every_thread_of_the_pool_has_the_arithmetic_of_the_caller, false},
    {"statistics are finite whatever the upstream gradients",
     statistics_are_finite_whatever_the_upstream_gradients, true},
    {"statistics are finite whatever the weights", statistics_are_finite_whatever_the_weights,
     true},
    {"the loss of enormous logits is finite", the_loss_of_enormous_logits_is_finite, true},
    {"labels are counted in every run", labels_are_counted_in_every_run, true},
    {"the first bad label of many is named on any number of threads",
     the_first_bad_label_of_many_is_named_on_any_number_of_threads, false},
    {"a label named twice counts once", a_label_named_twice_counts_once, true},
    {"results do not depend on the number of threads",
     results_do_not_depend_on_the_number_of_threads, true},
    {"collected sums do not depend on the number of threads",
     collected_sums_do_not_depend_on_the_number_of_threads, true},
    {"collected gradients give the statistics of the fused pass",
     collected_gradients_give_the_statistics_of_the_fused_pass, true},
    {"every arrangement agrees with rows", every_arrangement_agrees_with_rows, true},
    {"weights and masks agree with float64 in every arrangement",
     weights_and_masks_agree_with_float64_in_every_arrangement, true},
    {"weights and masks agree with float64 where rows with a class have their own",
     weights_and_masks_agree_with_float64_where_rows_with_a_class_have_their_own, true},
    {"the sum of weights does not depend on the number of threads",
     the_sum_of_weights_does_not_depend_on_the_number_of_threads, false},
    {"a bad weight is named and nothing is written", a_bad_weight_is_named_and_nothing_is_written,
     false},
    {"the plain outputs of every arrangement are the same",
     the_plain_outputs_of_every_arrangement_are_the_same, true},
    {"cross-entropy agrees with float64", cross_entropy_agrees_with_float64, true},
    {"several levels are one problem", several_levels_are_one_problem, true},
    {"one-hot targets give what labels give", one_hot_targets_give_what_labels_give, true},
    {"every half-precision number is converted both ways", every_half_is_converted_both_ways, true},
    {"a bad label is named and nothing is written", a_bad_label_is_named_and_nothing_is_written,
     true},
    {"labels at the ends of int32 do not overflow", labels_at_the_ends_of_int32_do_not_overflow,
     false},
    {"dense targets agree with labels where they are hard",
     dense_targets_agree_with_labels_where_they_are_hard, false},
    {"dense results do not depend on the number of threads",
     dense_results_do_not_depend_on_the_number_of_threads, false},
    {"soft targets have the gradient of their loss", soft_targets_have_the_gradient_of_their_loss,
     false},
    {"tiles cover every element once", tiles_cover_every_element_once, false},
    {"calls of a million logits have 128 tiles", calls_of_a_million_logits_have_128_tiles, false},
    {"sums of tiles take bounded memory", sums_of_tiles_take_bounded_memory, false},
    {"gradients and statistics do not depend on the blocks of columns",
     gradients_and_statistics_do_not_depend_on_the_blocks_of_columns, true},
    {"every task runs also where memory for helpers runs out",
     every_task_runs_also_where_memory_for_helpers_runs_out, false},
    {"the pool wakes no more helpers than are wanted",
     the_pool_wakes_no_more_helpers_than_are_wanted, false},
    {"the pool runs every task once also for many callers",
     the_pool_runs_every_task_once_also_for_many_callers, false},
    {"quotas of version 2 are rounded up", quotas_of_version_2_are_rounded_up, false},
    {"the least quota of nested groups counts", the_least_quota_of_nested_groups_counts, false},
    {"quotas of version 1 are rounded up", quotas_of_version_1_are_rounded_up, false},
    {"there is a processor and no more than the quota",
     there_is_a_processor_and_no_more_than_the_quota, false},
    {"statistics add up and give the ratio", statistics_add_up_and_give_the_ratio, false},
    {"statistics stay finite and countable", statistics_stay_finite_and_countable, false},
    {"a criterion does not depend on the number of threads",
     a_criterion_does_not_depend_on_the_number_of_threads, false},
    {"subnormal targets and qualities are 0", subnormal_targets_and_qualities_are_0, true},
    {"processes that add up learn as one does", processes_that_add_up_learn_as_one_does, false},
    {"a process that fails keeps all others from learning",
     a_process_that_fails_keeps_all_others_from_learning, false},
    {"a process without rows learns with the others", a_process_without_rows_learns_with_the_others,
     false},
    {"processes that defer add up their sums once", processes_that_defer_add_up_their_sums_once,
     false},
    {"a commit does not depend on the number of threads",
     a_commit_does_not_depend_on_the_number_of_threads, false},
    {"the exponential of the rules agrees with the library",
     the_exponential_of_the_rules_agrees_with_the_library, false},
    {"sums of statistics stay finite", sums_of_statistics_stay_finite, false},
};

}  // namespace

int main() {
  int passed = 0, failed = 0;
  for (const Test& test : kTests) {
    for (const efl_backend* candidate : efl::cpu::backends()) {
      current = candidate;
      test::context = candidate->detail;
      const int before = test::failures;
      test.run();
      (test::failures == before ? passed : failed) += 1;
      if (!test.per_kernel) break;
    }
  }
  for (const efl_backend* tested : efl::cpu::backends()) std::printf("tested %s\n", tested->detail);
  std::printf("%d checks\n%d passed, %d failed\n", test::checks, passed, failed);
  return failed == 0 ? 0 : 1;
}
