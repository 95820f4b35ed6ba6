#include "cpu_backend.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "../core/labels.h"
#include "../core/loss_math.h"
#include "../core/reduction.h"
#include "../core/scalar_math.h"
#include "kernels.h"
#include "thread_pool.h"
#include "tiling.h"

namespace efl::cpu {
namespace {

// Waking a helper costs some 25 us: below so many elements one thread is done sooner.
constexpr int64_t kElementsWorthAThread = 64 * 1024;

struct Survey {
  efl_status status = EFL_OK;
  int64_t positives = 0;
  int64_t ignored = 0;
};

// The rows of a run that have a class, are background or carry the first ignored label, counted
// without a branch so that the compiler can use vectors: at 80 classes a look at one label after
// the other would take a tenth of the kernel's time.
struct CommonLabels {
  int32_t positives = 0;
  int32_t background = 0;
  int32_t ignored = 0;

  CommonLabels(const efl_label_convention& convention, const int32_t* labels, int32_t count) {
    const auto classes = static_cast<uint32_t>(convention.classes);
    const auto first = static_cast<uint32_t>(convention.first_class);
    const int32_t has_ignored = convention.ignored_count > 0;
    const int32_t ignored_label = has_ignored ? convention.ignored[0] : 0;
    for (int32_t i = 0; i < count; ++i) {
      const int32_t is_class = static_cast<uint32_t>(labels[i]) - first < classes;
      positives += is_class;
      background += (labels[i] == convention.background) & convention.has_background & !is_class;
      ignored += (labels[i] == ignored_label) & has_ignored & !is_class;
    }
  }

  // A label may be named twice, as background and as ignored; then it is for label_column to say.
  bool cover(const efl_label_convention& convention, int32_t count) const {
    const bool distinct = !convention.has_background || convention.ignored_count == 0 ||
                          convention.background != convention.ignored[0];
    return distinct && positives + background + ignored == count;
  }
};

// Adds the labels of a run, one by one; false at a bad one.
bool survey_run(const efl_label_convention& convention, const int32_t* labels, int64_t first,
                int64_t last, Survey* survey, efl_result* result) {
  for (int64_t r = first; r < last; ++r) {
    const int32_t column = label_column(convention, labels[r]);
    survey->positives += column >= 0;
    survey->ignored += column == kIgnored;
    if (column == kInvalid) {
      result->bad_index = r;
      result->bad_value = labels[r];
      survey->status = EFL_BAD_LABEL;
      return false;
    }
  }
  return true;
}

// Reads every label before anything is written: a bad one must find all as it was.
Survey survey_labels(const efl_label_convention& convention, const int32_t* labels, int64_t rows,
                     efl_result* result) {
  constexpr int64_t kRun = 1024;
  Survey survey;
  for (int64_t first = 0; first < rows; first += kRun) {
    const int64_t last = std::min(rows, first + kRun);
    const auto count = static_cast<int32_t>(last - first);
    const CommonLabels common(convention, labels + first, count);
    if (common.cover(convention, count)) {
      survey.positives += common.positives;
      survey.ignored += common.ignored;
    } else if (!survey_run(convention, labels, first, last, &survey, result)) {
      return survey;
    }
  }
  result->positives = survey.positives;
  result->ignored = survey.ignored;
  return survey;
}

// The partial sums of all tiles, and their sum in tile order.
class PartialSums {
 public:
  PartialSums(int64_t tiles, int32_t classes, bool per_class)
      : classes_(classes),
        padded_((classes + kClassPadding - 1) / kClassPadding * kClassPadding),
        tiles_(tiles) {
    // Not zeroed here: each tile's thread does so, which also places the memory near it.
    if (per_class) sums_.reset(new double[static_cast<std::size_t>(tiles) * 2 * padded_]);
  }

  TileSums* open(int64_t tile) {
    TileSums& sums = tiles_[tile];
    if (sums_) {
      sums.positive = sums_.get() + tile * 2 * padded_;
      sums.negative = sums.positive + padded_;
      std::memset(sums.positive, 0, static_cast<std::size_t>(2 * padded_) * sizeof(double));
    }
    return &sums;
  }

  void finish_loss(double factor, efl_result* result) const {
    for (const TileSums& tile : tiles_) {
      result->loss += tile.loss;
      result->non_finite += tile.non_finite;
    }
    result->loss *= factor;
  }

  void finish_statistics(double factor, double* positive, double* negative) const {
    for (int32_t c = 0; c < classes_; ++c) positive[c] = negative[c] = 0;
    for (const TileSums& tile : tiles_) {
      for (int32_t c = 0; c < classes_; ++c) {
        positive[c] += tile.positive[c];
        negative[c] += tile.negative[c];
      }
    }
    for (int32_t c = 0; c < classes_; ++c) {
      positive[c] *= factor;
      negative[c] *= factor;
    }
  }

 private:
  const int32_t classes_;
  const int64_t padded_;
  std::vector<TileSums> tiles_;
  std::unique_ptr<double[]> sums_;
};

int32_t useful_threads(int32_t threads, int64_t elements) {
  return elements < kElementsWorthAThread ? 1 : threads;
}

template <class Tile>
void for_each_tile(int32_t threads, int64_t rows, int64_t row_length, const Tiling& tiling,
                   PartialSums* partial, const Tile& tile) {
  parallel_for(useful_threads(threads, rows * row_length), tiling.tiles, [&](int64_t index) {
    tile(tiling.first_row(index), tiling.last_row(index, rows), partial->open(index));
  });
}

float largest_gamma(const efl_focal_problem& problem) {
  return *std::max_element(problem.gamma, problem.gamma + problem.convention.classes);
}

bool gamma_is_two(const efl_focal_problem& problem) {
  return std::all_of(problem.gamma, problem.gamma + problem.convention.classes,
                     [](float gamma) { return gamma == 2.0f; });
}

template <const Kernels& kernels>
efl_status focal(const efl_focal_problem& problem, efl_result* result) {
  const Survey survey = survey_labels(problem.convention, problem.labels, problem.rows, result);
  if (survey.status != EFL_OK) return survey.status;

  const Scales scales = scales_of(problem, survey.positives, survey.ignored);
  const FocalTask task = {&problem, static_cast<float>(scales.gradient),
                          static_cast<float>(scales.element), gamma_is_two(problem),
                          largest_gamma(problem)};
  const int32_t classes = problem.convention.classes;
  const Tiling tiling = tile_rows(problem.rows, classes);
  const bool statistics = problem.negative_sums != nullptr;
  PartialSums partial(tiling.tiles, classes, statistics);
  for_each_tile(
      problem.threads, problem.rows, classes, tiling, &partial,
      [&](int64_t first, int64_t last, TileSums* sums) { kernels.focal(task, first, last, sums); });
  partial.finish_loss(scales.loss, result);
  if (statistics) {
    partial.finish_statistics(scales.statistics, problem.positive_sums, problem.negative_sums);
  }
  return EFL_OK;
}

template <const Kernels& kernels>
efl_status collect(const efl_collect_problem& problem, efl_result* result) {
  const Survey survey = survey_labels(problem.convention, problem.labels, problem.rows, result);
  if (survey.status != EFL_OK) return survey.status;

  const int32_t classes = problem.convention.classes;
  const Tiling tiling = tile_rows(problem.rows, classes);
  PartialSums partial(tiling.tiles, classes, true);
  for_each_tile(problem.threads, problem.rows, classes, tiling, &partial,
                [&](int64_t first, int64_t last, TileSums* sums) {
                  kernels.collect(problem, first, last, sums);
                });
  partial.finish_loss(0.0, result);
  partial.finish_statistics(std::fabs(problem.scale), problem.positive_sums, problem.negative_sums);
  return EFL_OK;
}

bool targets_are_valid(const efl_dense_problem& problem, efl_result* result) {
  for (int64_t i = 0; i < problem.elements_count; ++i) {
    const float target = problem.targets[i];
    if (!(target >= 0.0f && target <= 1.0f)) {
      result->bad_index = i;
      result->bad_value = target;
      return false;
    }
  }
  return true;
}

// Elements first to last - 1. In float64: soft targets are for convenience, not for the hot path.
void dense_tile(const efl_dense_problem& problem, double gradient_factor, int64_t first,
                int64_t last, TileSums* sums) {
  double loss = 0;
  int64_t non_finite = 0;
  for (int64_t i = first; i < last; ++i) {
    const double logit = problem.logits[i];
    const double target = problem.targets[i];
    const double weight =
        problem.alpha < 0 ? 1.0 : problem.alpha * target + (1.0 - problem.alpha) * (1.0 - target);
    const LossTerms<ScalarMath> terms =
        soft_focal_terms<ScalarMath>(logit, target, problem.gamma, weight);
    loss += terms.loss();
    non_finite += !std::isfinite(logit);
    if (problem.elements) problem.elements[i] = static_cast<float>(terms.loss());
    if (problem.gradient) {
      const double upstream = problem.grad_output ? problem.grad_output[i] : 1.0;
      problem.gradient[i] = static_cast<float>(terms.gradient * gradient_factor * upstream);
    }
  }
  sums->loss = loss;
  sums->non_finite = non_finite;
}

efl_status dense(const efl_dense_problem& problem, efl_result* result) {
  if (!targets_are_valid(problem, result)) return EFL_BAD_TARGET;

  const bool averaged = problem.reduction == EFL_REDUCTION_MEAN && problem.elements_count > 0;
  const double divisor = averaged ? static_cast<double>(problem.elements_count) : 1.0;
  const Tiling tiling = tile_rows(problem.elements_count, 1);
  PartialSums partial(tiling.tiles, 1, false);
  for_each_tile(problem.threads, problem.elements_count, 1, tiling, &partial,
                [&](int64_t first, int64_t last, TileSums* sums) {
                  dense_tile(problem, problem.upstream / divisor, first, last, sums);
                });
  partial.finish_loss(1.0 / divisor, result);
  return EFL_OK;
}

// The boundary of the C interface: no exception leaves it.
template <class Problem, efl_status (*compute)(const Problem&, efl_result*)>
efl_status guarded(const Problem* problem, efl_result* result) {
  *result = efl_result{};
  try {
    return compute(*problem, result);
  } catch (const std::bad_alloc&) {
    return EFL_OUT_OF_MEMORY;
  }
}

template <const Kernels& kernels>
const efl_backend* backend_with() {
  static const efl_backend backend = {
      EFL_BACKEND_ABI,
      "cpu",
      kernels.name,
      guarded<efl_focal_problem, focal<kernels>>,
      guarded<efl_collect_problem, collect<kernels>>,
      guarded<efl_dense_problem, dense>,
  };
  return &backend;
}

}  // namespace

std::vector<const efl_backend*> backends() {
  std::vector<const efl_backend*> usable;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    usable.push_back(backend_with<kAvx512Kernels>());
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    usable.push_back(backend_with<kAvx2Kernels>());
  }
#endif
  usable.push_back(backend_with<kBaselineKernels>());
  usable.push_back(backend_with<kScalarKernels>());
  return usable;
}

}  // namespace efl::cpu
