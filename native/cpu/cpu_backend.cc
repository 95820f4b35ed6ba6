#include "cpu_backend.h"

#include <algorithm>
#include <limits>
#include <new>
#include <vector>

#include "../core/labels.h"
#include "../core/loss_math.h"
#include "../core/reduction.h"
#include "compute_tiles.h"
#include "cpu_features.h"
#include "flush_subnormals.h"
#include "kernels.h"
#include "survey.h"
#include "thread_pool.h"

namespace efl::cpu {
namespace {

// Where the range does not say so, the first gamma usually does: all are looked at where the
// classes are still balanced.
bool all_gammas_are(float wanted, const efl_problem& problem) {
  const efl_parameter_range& range = problem.range;
  if (range.least_gamma > wanted || range.largest_gamma < wanted) return false;
  return range.least_gamma == range.largest_gamma ||
         std::all_of(problem.gamma, problem.gamma + columns_of(problem.convention),
                     [wanted](float gamma) { return gamma == wanted; });
}

// Without a modulator the focal losses are cross-entropy.
HardLoss simplest_hard_loss(const efl_problem& problem) {
  const HardLoss hard = hard_loss_of(problem);
  const bool focal = hard == HardLoss::kFocal || hard == HardLoss::kDetachedFocal;
  return focal && problem.range.largest_gamma == 0 ? HardLoss::kCrossEntropy : hard;
}

// What the survey found of targets, weights and masks is kept for the kernels; labels alone they
// read themselves.
efl_status survey(void*, const efl_problem* problem, efl_survey* survey, efl_report* report) {
  try {
    Survey looking(*problem, report);
    const efl_status status = looking.run(survey);
    if (status == EFL_OK && looking.is_dense()) survey->found = new DenseColumns(looking.take());
    return status;
  } catch (const std::bad_alloc&) {
    return EFL_OUT_OF_MEMORY;
  }
}

void release(void*, efl_survey* survey) { delete static_cast<DenseColumns*>(survey->found); }

// What kernels of a loss are told; those of given gradients have the problem.
FocalTask task_of(const efl_problem& problem, const Scales& scales, const efl_survey& survey) {
  FocalTask task{};
  if (problem.gradients_given) return task;
  const auto* const dense = static_cast<const DenseColumns*>(survey.found);
  task.problem = &problem;
  task.gradient_factor = static_cast<float>(scales.gradient);
  task.element_factor = static_cast<float>(scales.element);
  task.hard_loss = simplest_hard_loss(problem);
  task.square = all_gammas_are(task.hard_loss == HardLoss::kAsymmetric ? 4 : 2, problem);
  task.soft_below = has_positives_apart(problem.loss) ? std::numeric_limits<float>::infinity() : 1;
  task.largest_gamma = problem.range.largest_gamma;
  task.largest_weight = static_cast<float>(
      std::min(static_cast<double>(problem.range.largest_weight) * survey.largest_weight,
               static_cast<double>(std::numeric_limits<float>::max())));
  task.dense_columns = dense ? dense->of_levels() : nullptr;
  task.by_row = problem.foreground_weight ||
                std::any_of(problem.levels, problem.levels + problem.level_count,
                            [](const efl_level& level) { return level.row_weight || level.mask; });
  const Smoothing smoothing = smoothing_of(problem);
  task.smooth = problem.label_smoothing > 0;
  task.kept = static_cast<float>(smoothing.kept);
  task.spread = static_cast<float>(smoothing.spread);
  task.rest = static_cast<float>(smoothing.rest);
  return task;
}

// A problem with a mask of its classes, as kernels read it: the mask by the register and with the
// objectness column, and weights that are 0 in what it leaves out.
class MaskedColumns {
 public:
  explicit MaskedColumns(const efl_problem& given) : problem_(given) {
    if (!given.class_mask) return;
    const int32_t classes = given.convention.classes;
    mask_.assign(given.class_mask, given.class_mask + classes);
    mask_.resize(static_cast<std::size_t>(classes + kColumnPadding), 1);
    weights_.reserve(3 * mask_.size());
    problem_.positive_weight = masked(given.positive_weight);
    problem_.negative_weight = masked(given.negative_weight);
    if (given.foreground_weight) problem_.foreground_weight = masked(given.foreground_weight);
  }

  const efl_problem& problem() const { return problem_; }
  const uint8_t* mask() const { return mask_.empty() ? nullptr : mask_.data(); }

 private:
  const float* masked(const float* weights) {
    const std::size_t first = weights_.size();
    for (int32_t c = 0; c < columns_of(problem_.convention); ++c) {
      weights_.push_back(mask_[static_cast<std::size_t>(c)] ? weights[c] : 0.0f);
    }
    return weights_.data() + first;
  }

  efl_problem problem_;
  std::vector<uint8_t> mask_;
  std::vector<float> weights_;
};

void compute_problem(const Kernels& kernels, const efl_problem& given, const efl_survey& survey,
                     efl_report* report) {
  const MaskedColumns masked(given);
  const efl_problem& problem = masked.problem();
  const int32_t columns = columns_of(problem.convention);
  const Scales scales = scales_of(
      problem, {survey.rows, survey.positives, survey.ignored, survey.weights, survey.masked});
  FocalTask task = task_of(problem, scales, survey);
  task.column_mask = masked.mask();
  const Tiles tiles(problem.format, problem.levels, problem.level_count, columns);
  const bool statistics = problem.negative_sums != nullptr;
  PartialSums partial(tiles, columns, statistics);
  compute_tiles(problem.threads, tiles, &partial, [&](const Tile& tile, TileSums* sums) {
    problem.gradients_given ? kernels.collect(problem, tile, sums)
                            : kernels.focal(task, tile, sums);
  });
  partial.finish_loss(scales.loss, report);
  if (statistics) {
    partial.finish_statistics(problem.threads, scales.statistics, problem.positive_sums,
                              problem.negative_sums);
  }
}

// No exception leaves it, and the caller's arithmetic stays what it is.
efl_status compute(void* self, const efl_problem* problem, const efl_survey* survey,
                   efl_report* report) {
  const FlushSubnormals flush;
  try {
    compute_problem(*static_cast<const Kernels*>(self), *problem, *survey, report);
    return EFL_OK;
  } catch (const std::bad_alloc&) {
    return EFL_OUT_OF_MEMORY;
  }
}

template <const Kernels& kernels>
const efl_backend* backend_with() {
  static const efl_backend backend = {
      const_cast<Kernels*>(&kernels), "cpu", kernels.name, survey, compute, release, parallel_for,
  };
  return &backend;
}

}  // namespace

std::vector<const efl_backend*> backends() {
  std::vector<const efl_backend*> usable;
#if defined(__x86_64__) && !defined(EFL_PORTABLE)
  const CpuFeatures features = cpu_features();
  if (features.avx512) usable.push_back(backend_with<kAvx512Kernels>());
  if (features.avx2) usable.push_back(backend_with<kAvx2Kernels>());
#endif
  usable.push_back(backend_with<kBaselineKernels>());
  usable.push_back(backend_with<kScalarKernels>());
  return usable;
}

}  // namespace efl::cpu
