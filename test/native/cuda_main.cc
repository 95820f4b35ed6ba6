// The CUDA kernels, compiled for the host by way of cuda_on_host.h, against float64.

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "../../native/core/half.h"
#include "../../native/core/statistics.h"
#include "../../native/cuda/fused_call.h"
#include "../../native/cuda/launch.cuh"
#include "../../native/cuda/settle.h"
#include "check.h"
#include "formats.h"
#include "problem_builder.h"

#if defined(EFL_PERTURB)
// The special-function unit is off by up to 2^-22: some other way for every number.
float efl::cuda::perturb(float exact) {
  const uint32_t mixed = efl::bits_of(exact) * 2654435761u;
  const float share = static_cast<float>(mixed >> 8) * 0x1p-24f * 2 - 1;
  return exact * (1 + share * 0x1p-22f);
}
#endif

// Without a runtime everything is done at once.
void cuda_on_host::enqueue(cudaStream_t, std::function<void()> work) { work(); }
cudaError_t cudaGetLastError() { return cudaSuccess; }

namespace {

using test::close;
using test::Problem;
using test::Solution;

// What a call does beside logits and labels.
struct Extras {
  bool quality = false, targets = false, foreground = false, elementwise = false;
  bool weights = false, mask = false, classes = false;
  bool threshold = false, smoothing = false;
  efl_loss loss = EFL_LOSS_FOCAL;  // any other one: with what it needs
};

// A problem in another type and place of memory, as it is computed.
class Call {
 public:
  Call(Problem* given, efl_dtype dtype, int64_t shift, bool in_place)
      : given_(*given), dtype_(dtype), shift_(shift) {
    const std::size_t size = given_.logits.size();
    bytes_ = dtype == EFL_FLOAT32 ? 4 : 2;
    logits_.assign(size * bytes_ + 64, 0x7f);
    gradient_.assign(size * bytes_ + 64, 0x7f);
    for (std::size_t i = 0; i < size; ++i) {
      efl::store(dtype, at(&logits_), static_cast<int64_t>(i), given_.logits[i]);
      given_.logits[i] = efl::load(dtype, at(&logits_), static_cast<int64_t>(i));
    }
    level = given_.level;
    level.logits = at(&logits_);
    level.gradient = in_place ? at(&logits_) : at(&gradient_);
  }

  float gradient(std::size_t i) const {
    return efl::load(dtype_, level.gradient, static_cast<int64_t>(i));
  }

  // Whether nothing was written beside the arrays.
  bool left_the_rest_alone() {
    const std::size_t end = given_.logits.size() * bytes_;
    for (auto* bytes : {&logits_, &gradient_}) {
      auto* const first = static_cast<unsigned char*>(at(bytes));
      for (unsigned char* byte = bytes->data(); byte < first; ++byte) {
        if (*byte != 0x7f) return false;
      }
      for (unsigned char* byte = first + end; byte < bytes->data() + bytes->size(); ++byte) {
        if (*byte != 0x7f) return false;
      }
    }
    return true;
  }

  efl_level level;

 private:
  // Vectors need multiples of 16 bytes; `shift_` elements more make an array that has none.
  void* at(std::vector<unsigned char>* bytes) const {
    auto address = reinterpret_cast<uintptr_t>(bytes->data());
    address = (address + 15) / 16 * 16 + static_cast<uintptr_t>(shift_) * bytes_;
    return reinterpret_cast<void*>(address);
  }

  Problem& given_;
  efl_dtype dtype_;
  int64_t shift_;
  std::size_t bytes_;
  std::vector<unsigned char> logits_, gradient_;
};

struct Result {
  efl::cuda::CallTotals totals{};
  std::vector<double> positive_sums, negative_sums;
};

// Parameters of either kernel.
template <class Params>
Params params_of(const Problem& given, const efl_level& level, const efl_format& format,
                 const int32_t* dense_columns) {
  Params params{};
  params.problem = given.problem;
  params.problem.format = format;
  params.level = level;
  params.dense_columns = dense_columns;
  params.rows = static_cast<int64_t>(given.labels.size());
  return params;
}

bool is_aligned(const efl_level& level) {
  const auto aligned = [](const void* array) {
    return reinterpret_cast<uintptr_t>(array) % 16 == 0;
  };
  return aligned(level.logits) && aligned(level.gradient);
}

template <class Params>
Result launched(Params params, std::size_t partial_floats, int64_t blocks) {
  std::vector<float> partial(partial_floats, NAN);
  std::vector<efl::cuda::BlockTotals> block_totals(blocks);
  params.partial = partial.data();
  params.totals = block_totals.data();
  efl::cuda::launch(params, nullptr);
  const int32_t columns = efl::columns_of(params.problem.convention);
  Result result;
  result.positive_sums.assign(columns, 0.0);
  result.negative_sums.assign(columns, 0.0);
  efl::cuda::FinishParams finish{};
  finish.levels[0] = {efl::cuda::partial_of(params), params.level, 0, 0};
  finish.level_count = 1;
  finish.columns = columns;
  finish.first = true;
  finish.statistics = true;
  finish.negative_sums = result.negative_sums.data();
  finish.positive_sums = result.positive_sums.data();
  finish.totals = &result.totals;
  efl::cuda::launch_finish(finish, nullptr);
  return result;
}

Result compute(const Problem& given, const Call& call, efl_dtype dtype,
               const int32_t* dense_columns, int64_t blocks = efl::cuda::kFewestBlocks) {
  const efl_format format = {dtype, EFL_LAYOUT_NHWC, EFL_ANCHOR_MAJOR, 1};
  auto params = params_of<efl::cuda::RowsParams>(given, call.level, format, dense_columns);
  params.plan = efl::cuda::plan_rows(params.rows, efl::columns_of(given.problem.convention),
                                     dtype == EFL_FLOAT32 ? 4 : 2, is_aligned(call.level), blocks);
  return launched(params, params.plan.partial_floats, params.plan.blocks);
}

Result compute_planes(const Problem& given, const test::Arranged& arranged,
                      const int32_t* dense_columns) {
  const int32_t columns = efl::columns_of(given.problem.convention);
  auto params =
      params_of<efl::cuda::PlanesParams>(given, arranged.level, arranged.format, dense_columns);
  params.plan =
      efl::cuda::plan_planes(arranged.format, arranged.level, columns, is_aligned(arranged.level));
  return launched(params, params.plan.units * 2 * columns, efl::cuda::blocks_of(params.plan));
}

// Float32 arithmetic with a rounded exponent of the power, and the rounding of the type.
double tolerance_of(efl_dtype dtype) {
  return dtype == EFL_FLOAT32 ? 2e-5 : dtype == EFL_FLOAT16 ? 6e-4 : 4e-3;
}
// With 16-bit results sigma(-u) is a difference, which gamma and the logit multiply.
double sum_tolerance_of(efl_dtype dtype) { return dtype == EFL_FLOAT32 ? 1e-5 : 5e-5; }
// Of what is below, the type has no digits left.
double smallest_of(efl_dtype dtype) { return dtype == EFL_FLOAT16 ? 6e-8 : 1e-36; }

// How many times the error of a score is larger in what a margin has left of it.
double digits_lost(const efl_problem& problem, double logit) {
  const double margin = problem.constants.margin;
  if (problem.loss != EFL_LOSS_ASYMMETRIC || margin == 0) return 1;
  const double score = 1 / (1 + std::exp(-logit));
  return std::isnan(logit) ? 1 : (score + margin) / std::fabs(score - margin);
}

// `place` is where each element of the rows is in the level's arrays; none: there.
void compare(const Problem& given, const Solution& expected, const Result& result,
             const efl_level& level, efl_dtype dtype, const std::vector<int64_t>& place = {}) {
  const efl_problem& problem = given.problem;
  const efl::Scales scales = efl::scales_of(problem, {});
  CHECK(close(result.totals.loss * scales.loss, expected.loss, 1e-5));
  CHECK(result.totals.positives == expected.positives);
  CHECK(result.totals.ignored == expected.ignored);
  CHECK(result.totals.non_finite == expected.non_finite);
  CHECK(result.totals.status == EFL_OK);
  bool gradient = true, elements = true, sums = true;
  for (std::size_t i = 0; i < expected.gradient.size(); ++i) {
    const int64_t at = place.empty() ? static_cast<int64_t>(i) : place[i];
    const double wanted = expected.gradient[i], actual = efl::load(dtype, level.gradient, at);
    const double lost = digits_lost(problem, given.logits[i]);
    gradient &= close(actual, wanted, lost * tolerance_of(dtype)) ||
                std::fabs(actual - wanted) <= smallest_of(dtype);
    if (level.elements) elements &= close(level.elements[at], expected.elements[i], lost * 2e-5);
  }
  for (std::size_t c = 0; c < expected.positive_sums.size(); ++c) {
    const double tolerance = sum_tolerance_of(dtype);
    sums &=
        close(result.positive_sums[c] * scales.statistics, expected.positive_sums[c], tolerance);
    sums &=
        close(result.negative_sums[c] * scales.statistics, expected.negative_sums[c], tolerance);
  }
  CHECK(gradient);
  CHECK(elements);
  CHECK(sums);
}

// Gives a problem what it has beside logits and labels, from its own random numbers.
struct Dressed {
  Dressed(Problem* given, const Extras& extras) {
    const std::size_t rows = given->labels.size(), size = given->logits.size();
    const int32_t columns = efl::columns_of(given->problem.convention);
    auto share = [&] { return static_cast<float>(given->random() % 65) / 64.0f; };
    if (extras.quality) {
      for (std::size_t r = 0; r < rows; ++r) quality.push_back(share());
      given->level.quality = quality.data();
      given->problem.loss = EFL_LOSS_QUALITY_FOCAL;
      for (float& gamma : given->gamma) gamma = 1 + gamma / 4;
      given->negative_weight = given->positive_weight;
      given->problem.negative_weight = given->negative_weight.data();
    }
    given->problem.positive_threshold = extras.threshold ? 0.25f : 0;
    given->problem.label_smoothing = extras.smoothing && !extras.quality ? 0.1 : 0;
    if (extras.targets) {
      for (std::size_t i = 0; i < size; ++i) targets.push_back(given->random() % 3 ? 0 : share());
      given->level.targets = targets.data();
    }
    given->select(extras.weights, extras.mask, extras.classes);
    if (extras.targets) {
      for (std::size_t r = 0; r < rows; ++r) dense.push_back(given->found(static_cast<int64_t>(r)));
    }
    if (extras.foreground) {
      for (int32_t c = 0; c < columns; ++c) foreground.push_back(c % 3 ? 0.5f : 0.0f);
      given->problem.foreground_weight = foreground.data();
      given->problem.foreground_threshold = 0.5f;
      given->problem.loss = EFL_LOSS_CROSS_ENTROPY;
    }
    if (extras.loss != EFL_LOSS_FOCAL) {
      given->problem.loss = extras.loss;
      given->problem.constants = {0.5, given->random() % 4 ? 0.125f : 0.0f,
                                  static_cast<int32_t>(given->random() % 2), 0, 1};
      // The score that a margin leaves has few digits, and its powers fewer.
      const bool shifts = extras.loss == EFL_LOSS_CLASS_MARGIN;
      for (float& gamma : given->gamma) gamma = shifts ? -gamma / 4 : 1 + gamma / 10;
      given->measure();
    }
    if (extras.elementwise) {
      for (std::size_t i = 0; i < size; ++i) grad_output.push_back(share() * 4 - 2);
      given->level.grad_output = grad_output.data();
    } else {
      given->level.elements = nullptr;
    }
  }
  std::vector<float> quality, targets, foreground, grad_output;
  std::vector<int32_t> dense;
};

struct Case {
  int64_t rows;
  int32_t classes;
  efl_dtype dtype;
  int64_t shift;
  bool in_place, extreme;
  Extras extras;
  uint32_t seed;
  int64_t blocks = efl::cuda::kFewestBlocks;
};

// The arrays a case is computed with, and what came of it.
struct Computed {
  explicit Computed(const Case& one)
      : given(one.rows, one.classes, one.seed, one.extreme),
        dressed(&given, one.extras),
        call(&given, one.dtype, one.shift, one.in_place),
        expected(test::solve(given)),
        result(compute(given, call, one.dtype,
                       dressed.dense.empty() ? nullptr : dressed.dense.data(), one.blocks)) {}
  Problem given;
  Dressed dressed;
  Call call;
  Solution expected;
  Result result;
};

bool identical(const Computed& a, const Computed& b) {
  bool same = test::identical(a.result.totals.loss, b.result.totals.loss) &&
              a.result.positive_sums == b.result.positive_sums &&
              a.result.negative_sums == b.result.negative_sums;
  for (std::size_t i = 0; i < a.given.logits.size(); ++i) {
    same &= test::identical(a.call.gradient(i), b.call.gradient(i));
  }
  return same;
}

void run(const Case& one, uint64_t order) {
  cuda_on_host::options().shuffle_seed = 0;
  cuda_on_host::options().late_copies = false;
  Computed computed(one);
  const int before = test::failures;
  compare(computed.given, computed.expected, computed.result, computed.call.level, one.dtype);
  CHECK(computed.call.left_the_rest_alone());
  // Another order of threads and blocks, and copies that arrive at the last moment.
  cuda_on_host::options().shuffle_seed = order;
  cuda_on_host::options().late_copies = true;
  CHECK(identical(computed, Computed(one)));
  if (test::failures == before) return;
  std::printf(
      "  %ld x %d, type %d, shift %ld, in place %d, extreme %d, loss %d, extras %d%d%d%d, seed %u, "
      "blocks %ld\n",
      static_cast<long>(one.rows), one.classes, one.dtype, static_cast<long>(one.shift),
      one.in_place, one.extreme, one.extras.loss, one.extras.quality, one.extras.targets,
      one.extras.foreground, one.extras.elementwise, one.seed, static_cast<long>(one.blocks));
}

// What a level has for each element, in its arrangement.
std::vector<float> arranged_values(const std::vector<float>& rows,
                                   const std::vector<int64_t>& place) {
  std::vector<float> values(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) values[place[i]] = rows[i];
  return values;
}

void run_arranged(const Case& one, const efl_format& format, int64_t images, int64_t positions) {
  cuda_on_host::options().shuffle_seed = one.seed;
  Problem given(images * positions * format.anchors, one.classes, one.seed, one.extreme);
  const Dressed dressed(&given, one.extras);
  test::Arranged arranged(given, format, images, positions);
  const Solution expected = test::solve(given);
  const std::vector<float> targets = arranged_values(dressed.targets, arranged.place);
  const std::vector<float> grad_output = arranged_values(dressed.grad_output, arranged.place);
  if (!one.extras.elementwise) arranged.level.elements = nullptr;
  if (given.level.targets) arranged.level.targets = targets.data();
  if (given.level.grad_output) arranged.level.grad_output = grad_output.data();
  const std::vector<uint8_t> mask = arranged.arranged_mask(given.masks);
  if (given.level.mask) arranged.level.mask = mask.data();
  if (one.in_place) arranged.level.gradient = const_cast<void*>(arranged.level.logits);
  const Result result =
      compute_planes(given, arranged, dressed.dense.empty() ? nullptr : dressed.dense.data());
  const int before = test::failures;
  compare(given, expected, result, arranged.level, format.dtype, arranged.place);
  if (test::failures == before) return;
  std::printf("  %ld x %ld x %d, %d classes, type %d, layout %d, order %d, in place %d, seed %u\n",
              static_cast<long>(images), static_cast<long>(positions), format.anchors, one.classes,
              format.dtype, format.layout, format.channel_order, one.in_place, one.seed);
}

void select_some(std::mt19937& random, Extras* extras) {
  extras->weights = random() % 4 == 0;
  extras->mask = random() % 4 == 0;
  extras->classes = random() % 6 == 0;
}

void random_levels_agree_with_float64(int count, uint32_t seed) {
  std::mt19937 random(seed);
  const int32_t classes[] = {1, 2, 5, 7, 16, 33, 80};
  for (int i = 0; i < count; ++i) {
    Case one{};
    const std::vector<efl_format> formats = test::every_format();
    const efl_format format = formats[random() % formats.size()];
    one.classes = classes[random() % 7];
    one.in_place = random() % 2;
    one.extreme = random() % 2;
    one.seed = 1 + random();
    one.extras.quality = random() % 4 == 0;
    one.extras.targets = !one.extras.quality && random() % 4 == 0;
    one.extras.foreground = random() % 4 == 0;
    one.extras.elementwise = random() % 4 == 0;
    select_some(random, &one.extras);
    one.extras.threshold = random() % 2;
    one.extras.smoothing = random() % 4 == 0;
    const int64_t positions = random() % 3 ? random() % 90 : 8 * (random() % 40);
    run_arranged(one, format, random() % 3, positions);
  }
}

// Levels of one call, each a problem of its own with the parameters of the first.
struct Pyramid {
  Pyramid(const efl_format& wanted, int32_t classes, bool extreme, std::mt19937& random)
      : format(wanted) {
    const std::size_t count = 1 + random() % 11;  // more than one launch takes
    for (std::size_t i = 0; i < count; ++i) {
      const int64_t positions = random() % 2 ? random() % 60 : 8 * (random() % 30);
      problems.push_back(
          std::make_unique<Problem>(2 * positions * format.anchors, classes, random(), extreme));
      Problem& given = *problems.back();
      given.gamma = problems.front()->gamma;
      if (format.layout == EFL_LAYOUT_NHWC && format.anchors == 1) {
        rows.push_back(std::make_unique<Call>(&given, format.dtype, random() % 2, false));
        levels.push_back(rows.back()->level);
      } else {
        arranged.push_back(std::make_unique<test::Arranged>(given, format, 2, positions));
        levels.push_back(arranged.back()->level);
      }
      levels.back().elements = nullptr;
    }
  }

  // All levels in one call, as a criterion makes it.
  Result compute(bool gradients_given) const {
    efl::cuda::FusedCall call{};
    call.problem = problems.front()->problem;
    call.problem.format = format;
    call.problem.gradients_given = gradients_given;
    call.statistics = true;
    for (std::size_t i = 0; i < levels.size(); ++i) {
      const efl_level used = efl::cuda::used_level(call.problem, levels[i]);
      add_level(&call, used, static_cast<int32_t>(i));
    }
    efl::cuda::Parts needed;
    (void)efl::cuda::Workspace(call, &needed);
    std::vector<unsigned char> memory(needed.taken() + 256, 0xff);
    auto address = (reinterpret_cast<uintptr_t>(memory.data()) + 255) / 256 * 256;
    efl::cuda::Parts parts(reinterpret_cast<void*>(address));
    const efl::cuda::Workspace workspace(call, &parts);
    const int32_t columns = efl::columns_of(call.problem.convention);
    Result result;
    efl::cuda::Sums sums;
    sums.columns = columns;
    std::vector<double> of_columns(sums.count(), NAN);
    sums.of_columns = of_columns.data();
    sums.totals = &result.totals;
    efl::cuda::enqueue(call, workspace, sums, nullptr);
    result.positive_sums.assign(sums.positive(), sums.negative());
    result.negative_sums.assign(sums.negative(), sums.flags());
    return result;
  }

  const efl_format format;
  std::vector<std::unique_ptr<Problem>> problems;
  std::vector<std::unique_ptr<Call>> rows;
  std::vector<std::unique_ptr<test::Arranged>> arranged;
  std::vector<efl_level> levels;
};

bool sums_agree(const std::vector<double>& actual, const std::vector<double>& expected,
                double tolerance, double scale = 1) {
  bool agree = true;
  for (std::size_t c = 0; c < expected.size(); ++c) {
    agree &= close(actual[c] * scale, expected[c], tolerance);
  }
  return agree;
}

// Adds the sums over gradients that are given in place of the logits.
void add_collected(const Problem& given, Solution* total) {
  const int32_t columns = efl::columns_of(given.problem.convention);
  total->positive_sums.resize(columns);
  total->negative_sums.resize(columns);
  for (std::size_t i = 0; i < given.logits.size(); ++i) {
    const auto c = static_cast<int32_t>(i % columns);
    const int32_t found = given.found(static_cast<int64_t>(i / columns));
    if (found == efl::kIgnored) continue;
    const double magnitude = std::fabs(static_cast<double>(given.logits[i]));
    total->non_finite += !std::isfinite(magnitude);
    if (!std::isfinite(magnitude)) continue;
    (found == c ? total->positive_sums : total->negative_sums)[c] += magnitude;
  }
}

void collected_pyramids_agree_with_float64(int count, uint32_t seed) {
  std::mt19937 random(seed);
  const std::vector<efl_format> formats = test::every_format();
  for (int i = 0; i < count; ++i) {
    cuda_on_host::options().shuffle_seed = random();
    const Pyramid pyramid(formats[random() % formats.size()],
                          static_cast<int32_t>(1 + random() % 40), random() % 2, random);
    const Result result = pyramid.compute(true);
    Solution total;
    for (const auto& given : pyramid.problems) add_collected(*given, &total);
    CHECK(sums_agree(result.positive_sums, total.positive_sums, 1e-6));
    CHECK(sums_agree(result.negative_sums, total.negative_sums, 1e-6));
    CHECK(result.totals.non_finite == total.non_finite);
    CHECK(result.totals.loss == 0);
  }
}

void computed_pyramids_agree_with_float64(int count, uint32_t seed) {
  std::mt19937 random(seed);
  const std::vector<efl_format> formats = test::every_format();
  for (int i = 0; i < count; ++i) {
    cuda_on_host::options().shuffle_seed = random();
    const Pyramid pyramid(formats[random() % formats.size()],
                          static_cast<int32_t>(1 + random() % 40), false, random);
    const Result result = pyramid.compute(false);
    const efl::Scales scales = efl::scales_of(pyramid.problems.front()->problem, {});
    double loss = 0;
    std::vector<double> positive_sums(result.positive_sums.size()), negative_sums(positive_sums);
    int64_t positives = 0, ignored = 0;
    for (const auto& given : pyramid.problems) {
      const Solution part = test::solve(*given);
      loss += part.loss;
      positives += part.positives;
      ignored += part.ignored;
      for (std::size_t c = 0; c < positive_sums.size(); ++c) {
        positive_sums[c] += part.positive_sums[c];
        negative_sums[c] += part.negative_sums[c];
      }
    }
    CHECK(close(result.totals.loss * scales.loss, loss, 1e-5));
    CHECK(result.totals.positives == positives && result.totals.ignored == ignored);
    const double tolerance = sum_tolerance_of(pyramid.format.dtype);
    CHECK(sums_agree(result.positive_sums, positive_sums, tolerance, scales.statistics));
    CHECK(sums_agree(result.negative_sums, negative_sums, tolerance, scales.statistics));
  }
}

// Of two levels, which are the same; what is out of its range is so in the second.
efl::cuda::SurveyTotals survey(const Problem& given, const efl_level& first,
                               const efl_level& second, const efl_format& format,
                               std::vector<int32_t>* dense_columns) {
  const auto rows = static_cast<int64_t>(given.labels.size());
  efl::cuda::SurveyTotals totals{};
  efl::cuda::launch_clear_survey(&totals, nullptr);
  dense_columns->resize(rows);
  efl_problem problem = given.problem;
  problem.format = format;
  problem.reduction = EFL_REDUCTION_MEAN;  // for which masked elements are counted
  std::vector<double> weights(efl::cuda::kMostSurveyBlocks, NAN);
  for (int32_t level = 0; level < 2; ++level) {
    efl::cuda::launch_survey({problem, level == 0 ? first : second, level, rows,
                              dense_columns->data(), &totals, weights.data()},
                             nullptr);
  }
  return totals;
}

void surveys_count_rows_and_find_what_is_bad(int count, uint32_t seed) {
  std::mt19937 random(seed);
  for (int i = 0; i < count; ++i) {
    const auto classes = static_cast<int32_t>(1 + random() % 70);
    const int64_t positions = 1 + random() % 200;
    Problem given(positions * 3, classes, random(), false);
    Extras extras;
    extras.targets = random() % 2;
    extras.quality = !extras.targets;
    select_some(random, &extras);
    extras.threshold = random() % 2;
    const Dressed dressed(&given, extras);
    const efl_format format = {EFL_FLOAT32, EFL_LAYOUT_NCHW, EFL_ANCHOR_MAJOR, 3};
    const test::Arranged arranged(given, format, 1, positions);
    efl_level first = arranged.level, second = arranged.level;
    std::vector<float> targets = arranged_values(dressed.targets, arranged.place);
    std::vector<int32_t> labels = given.labels, dense;
    std::vector<float> quality = dressed.quality;
    if (extras.targets) first.targets = second.targets = targets.data();
    const std::vector<uint8_t> mask = arranged.arranged_mask(given.masks);
    if (extras.mask) first.mask = second.mask = mask.data();
    const Solution expected = test::solve(given);
    efl::cuda::SurveyTotals totals = survey(given, first, second, format, &dense);
    CHECK(totals.rows == 2 * given.labels.size());
    CHECK(totals.positives == 2 * static_cast<uint64_t>(expected.positives));
    CHECK(totals.ignored == 2 * static_cast<uint64_t>(expected.ignored));
    CHECK(totals.masked == 2 * static_cast<uint64_t>(expected.masked));
    CHECK(close(totals.weights, 2 * expected.weights, 1e-12));
    CHECK(totals.bad.weight == efl::cuda::kNothingBad);
    CHECK(totals.bad.label == efl::cuda::kNothingBad);
    CHECK(totals.bad.quality == efl::cuda::kNothingBad);
    CHECK(totals.bad.target == efl::cuda::kNothingBad);
    if (extras.targets) {
      bool same = true;
      for (std::size_t r = 0; r < dense.size(); ++r) {
        same &= dense[r] == dressed.dense[r] || (dense[r] >= 0 && dressed.dense[r] == efl::kDense);
      }
      CHECK(same);
    }
    const auto row = static_cast<int64_t>(random() % labels.size());
    std::vector<float> row_weight(labels.size(), 1.0f);
    second.row_weight = row_weight.data();
    second.mask = nullptr;
    given.problem.class_mask = nullptr;
    row_weight[row] = random() % 2 ? NAN : -0.5f;
    CHECK(survey(given, first, second, format, &dense).bad.weight == efl::cuda::bad_place(1, row));
    row_weight[row] = 1;
    if (extras.targets) {
      std::vector<float> bad_targets = targets;
      bad_targets[row] = random() % 2 ? NAN : 1.5f;
      second.targets = bad_targets.data();
      totals = survey(given, first, second, format, &dense);
      CHECK(totals.bad.target == efl::cuda::bad_place(1, row));
    } else {
      labels[row] = 1;
      quality[row] = random() % 2 ? NAN : -0.25f;
      second.labels = labels.data();
      second.quality = quality.data();
      totals = survey(given, first, second, format, &dense);
      CHECK(totals.bad.quality == efl::cuda::bad_place(1, row));
      labels[row] = classes + 1;
      totals = survey(given, first, second, format, &dense);
      CHECK(totals.bad.label == efl::cuda::bad_place(1, row));
    }
  }
}

// A criterion that owns its arrays.
struct Spec : efl::SpecView {
  Spec(efl::Rule rule_of_it, int32_t classes) : SpecView() {
    rule = {rule_of_it, 2, 8, 12, 0.8, 4, 1, 0};
    convention.classes = classes;
    for (int32_t j = 0; j < classes; ++j) {
      positive_weights.push_back(0.25 * (1 + j % 4));
      negative_weights.push_back(0.75 * (1 + j % 3));
    }
    positive_weight = positive_weights.data();
    negative_weight = negative_weights.data();
  }
  Spec(const Spec&) = delete;

  std::vector<double> positive_weights, negative_weights;
};

// The arrays of a criterion's state, and a call's sums, as they would be on the device.
struct DeviceState {
  explicit DeviceState(const Spec& given, int32_t classes)
      : spec(given),
        base_positive(given.positive_weights),
        base_negative(given.negative_weights),
        negative(classes),
        positive(classes),
        ratio(classes, efl::initial_ratio(given.rule.rule)),
        gamma(classes, -1.0f),
        positive_weight(classes, -1.0f),
        negative_weight(classes, -1.0f) {}

  void enter(const std::vector<double>& negative_sums, const std::vector<double>& positive_sums,
             const efl_problem& problem, const efl::cuda::CallTotals& totals,
             const efl::cuda::DeviceScalars& scalars = {}) {
    efl::cuda::SettleParams params{};
    params.rule = spec.rule;
    params.classes = static_cast<int32_t>(ratio.size());
    params.negative_sums = negative_sums.data();
    params.positive_sums = positive_sums.data();
    params.totals = &totals;
    params.problem = problem;
    params.scalars = scalars;
    params.state = {
        negative.data(),     positive.data(),        ratio.data(),           &steps,
        gamma.data(),        positive_weight.data(), negative_weight.data(), base_positive.data(),
        base_negative.data()};
    params.report = &report;
    efl::cuda::launch_settle(params, nullptr);
  }

  const Spec& spec;
  std::vector<double> base_positive, base_negative, negative, positive, ratio;
  std::vector<float> gamma, positive_weight, negative_weight;
  int64_t steps = 0;
  efl_device_report report{};
};

bool close_to(const std::vector<double>& a, const std::vector<double>& b) {
  bool same = a.size() == b.size();
  for (std::size_t i = 0; same && i < a.size(); ++i) same = close(a[i], b[i], 1e-14);
  return same;
}

bool close_to(const std::vector<float>& a, const std::vector<float>& b) {
  bool same = a.size() >= b.size();
  for (std::size_t i = 0; same && i < b.size(); ++i) same = close(a[i], b[i], 1e-7);
  return same;
}

void the_state_on_the_device_is_that_on_the_host() {
  constexpr int32_t kClasses = 301;
  std::mt19937 random(3);
  for (const efl::Rule rule :
       {efl::Rule::kFixed, efl::Rule::kEqualizedFocal, efl::Rule::kEqualizationV2}) {
    const Spec spec(rule, kClasses);
    Problem given(1, kClasses, 5, false);
    const double scale = efl::scales_of(given.problem, {}).statistics;
    DeviceState device(spec, kClasses);
    efl::GradientStatistics host(spec.rule, kClasses);
    efl::ColumnParameters columns(spec);
    for (int step = 1; step <= 4; ++step) {
      std::vector<double> negative, positive, scaled_negative, scaled_positive;
      for (int32_t j = 0; j < kClasses; ++j) {
        negative.push_back(random() % 1000 * 1e-3);
        positive.push_back(j % 3 ? random() % 1000 * 1e-3 : 0);
        scaled_negative.push_back(negative.back() * scale);
        scaled_positive.push_back(positive.back() * scale);
      }
      host.merge(scaled_positive.data(), scaled_negative.data(), 1);
      efl::update_parameters(spec, host.ratio(), 0, kClasses, &columns);
      device.enter(negative, positive, given.problem, {0, 1, 1, 0, 1, EFL_OK, 0, 0, 0});
      CHECK(device.steps == step);
      CHECK(close_to(device.negative, host.negative()));
      CHECK(close_to(device.positive, host.positive()));
      CHECK(close_to(device.ratio, host.ratio()));
      CHECK(close_to(device.gamma, columns.gamma));
      CHECK(close_to(device.positive_weight, columns.positive_weight));
      CHECK(close_to(device.negative_weight, columns.negative_weight));
    }
  }
}

void nothing_enters_the_state_from_a_call_that_failed() {
  const Spec spec(efl::Rule::kEqualizedFocal, 5);
  const std::vector<double> sums(5, 1.0);
  Problem given(1, 5, 5, false);
  DeviceState device(spec, 5);
  const efl::cuda::CallTotals good{3, 1, 1, 0, 1, EFL_OK, 0, 0, 0},
      bad{3, 1, 1, 0, 1, EFL_BAD_LABEL, 2, 7, 9}, empty{0, 0, 100, 0, 0, EFL_OK, 0, 0, 0};
  const float wrong[] = {0.0f, -1.0f, NAN, INFINITY};
  device.enter(sums, sums, given.problem, bad);
  const efl_report& report = device.report.report;
  CHECK(std::isnan(device.report.loss) && std::isnan(report.loss));
  CHECK(report.status == EFL_BAD_LABEL);
  CHECK(report.bad_level == 2 && report.bad_index == 7);
  CHECK(report.bad_value == 9);
  device.enter(sums, sums, given.problem, empty);
  CHECK(report.status == EFL_OK && report.ignored == 100);
  for (const float& normalizer : wrong) {
    device.enter(sums, sums, given.problem, good, {&normalizer, nullptr, nullptr});
    CHECK(report.status == EFL_BAD_NORMALIZER);
  }
  device.enter(sums, sums, given.problem, good, {nullptr, wrong + 2, nullptr});
  CHECK(device.steps == 0);
  CHECK(device.negative == std::vector<double>(5, 0.0));
  CHECK(device.gamma == std::vector<float>(5, -1.0f));
  device.enter(sums, sums, given.problem, good);
  CHECK(device.steps == 1);
  CHECK(device.report.loss == static_cast<float>(report.loss) && report.loss != 0);
}

void steps_end_where_a_double_still_counts_them() {
  const Spec spec(efl::Rule::kEqualizedFocal, 5);
  const std::vector<double> sums(5, 1.0);
  Problem given(1, 5, 5, false);
  DeviceState device(spec, 5);
  device.steps = efl::kMostSteps - 1;
  for (int step = 0; step < 2; ++step) {
    device.enter(sums, sums, given.problem, {3, 1, 1, 0, 1, EFL_OK, 0, 0, 0});
    CHECK(device.steps == efl::kMostSteps);
  }
}

// What sums in float32 would not hold.
void statistics_are_finite_whatever_the_upstream_gradients() {
  for (const int32_t classes : {1, 5, 80}) {
    Problem given(97, classes, 3, false);
    const std::vector<float> upstream(given.logits.size(), 3e38f);
    given.labels.assign(97, 0);
    given.logits.assign(given.logits.size(), 3.0f);
    given.gamma.assign(classes, 0.0f);
    given.negative_weight.assign(classes, 1.0f);
    given.level.grad_output = upstream.data();
    Call call(&given, EFL_FLOAT32, 0, false);
    const double expected = 97 * 3e38 / (1 + std::exp(-3.0));
    const Result rows = compute(given, call, EFL_FLOAT32, nullptr);
    CHECK(std::fabs(rows.negative_sums[0] / expected - 1) < 1e-6);
    test::Arranged planes(given, {EFL_FLOAT32, EFL_LAYOUT_NCHW, EFL_ANCHOR_MAJOR, 1}, 1, 97);
    const Result found = compute_planes(given, planes, nullptr);
    CHECK(std::fabs(found.negative_sums[0] / expected - 1) < 1e-6);
  }
}

void a_call_says_whether_it_has_a_gradient() {
  for (const float upstream : {0.0f, 1.0f}) {
    for (const int32_t classes : {1, 5, 80, 1203}) {
      Problem given(97, classes, 3, false);
      const std::vector<float> each(given.logits.size(), upstream);
      given.level.grad_output = each.data();
      Call call(&given, EFL_FLOAT32, 0, false);
      CHECK((compute(given, call, EFL_FLOAT32, nullptr).totals.collected != 0) == (upstream != 0));
      test::Arranged planes(given, {EFL_FLOAT32, EFL_LAYOUT_NCHW, EFL_ANCHOR_MAJOR, 1}, 1, 97);
      CHECK((compute_planes(given, planes, nullptr).totals.collected != 0) == (upstream != 0));
    }
  }
}

void the_first_bad_label_is_reported() {
  for (const int32_t classes : {1, 5, 80, 1203}) {
    Problem given(97, classes, 3, false);
    given.labels[41] = given.labels[60] = classes + 1;
    given.labels[77] = INT32_MIN;
    given.level.elements = nullptr;
    Call call(&given, EFL_FLOAT32, 0, false);
    const Result result = compute(given, call, EFL_FLOAT32, nullptr);
    CHECK(result.totals.status == EFL_BAD_LABEL);
    CHECK(result.totals.bad_level == 0 && result.totals.bad_index == 41);
    CHECK(result.totals.bad_value == classes + 1);
  }
}

// A level so long that every block has several steps, and its sums many addends.
void a_long_level_agrees_with_float64() {
  Case one{};
  one.rows = 40000;
  one.classes = 16;
  one.seed = 17;
  Computed computed(one);
  compare(computed.given, computed.expected, computed.result, computed.call.level, one.dtype);
}

void random_problems_agree_with_float64(int count, uint32_t seed) {
  std::mt19937 random(seed);
  const int32_t classes[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 31, 80, 81, 257, 1203, 1700};
  const efl_dtype dtypes[] = {EFL_FLOAT32, EFL_FLOAT16, EFL_BFLOAT16};
  for (int i = 0; i < count; ++i) {
    Case one{};
    one.classes = classes[random() % 16];
    one.rows = random() % (one.classes > 100 ? 40 : 400);
    one.dtype = dtypes[random() % 3];
    one.shift = random() % 4 ? 0 : 1 + random() % 3;
    one.in_place = random() % 2;
    one.blocks = random() % 2 ? 1 : random() % 20;  // one has many steps
    one.extreme = random() % 2;
    one.seed = random();
    one.extras.foreground = random() % 6 == 0;
    if (!one.extras.foreground && random() % 3 == 0) {
      one.extras.loss = static_cast<efl_loss>(EFL_LOSS_VARIFOCAL + random() % 6);
    }
    switch (one.extras.loss != EFL_LOSS_FOCAL ? random() % 2 : random() % 8) {
      case 0:
        one.extras.quality = true;
        break;
      case 1:
        one.extras.targets = true;
        break;
      case 2:
        one.extras.foreground = true;
        break;
      default:
        break;
    }
    one.extras.elementwise = random() % 4 == 0;
    select_some(random, &one.extras);
    one.extras.threshold = random() % 2;
    one.extras.smoothing = random() % 8 == 0;
    run(one, 1 + random());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 200;
  const auto seed = static_cast<uint32_t>(argc > 2 ? std::atoi(argv[2]) : 1);
  random_problems_agree_with_float64(count, seed);
  random_levels_agree_with_float64(count / 6, seed);
  collected_pyramids_agree_with_float64(count / 10, seed);
  computed_pyramids_agree_with_float64(count / 10, seed);
  surveys_count_rows_and_find_what_is_bad(count / 10, seed);
  the_state_on_the_device_is_that_on_the_host();
  nothing_enters_the_state_from_a_call_that_failed();
  steps_end_where_a_double_still_counts_them();
  statistics_are_finite_whatever_the_upstream_gradients();
  a_call_says_whether_it_has_a_gradient();
  the_first_bad_label_is_reported();
  a_long_level_agrees_with_float64();
  std::printf("%d problems, %d checks, %d failed\n", count, test::checks, test::failures);
  return test::failures == 0 ? 0 : 1;
}
