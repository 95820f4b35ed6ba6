#include "cpu_backend.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <vector>

#include "../core/labels.h"
#include "../core/layout.h"
#include "../core/loss_math.h"
#include "../core/reduction.h"
#include "../core/scalar_math.h"
#include "cpu_features.h"
#include "flush_subnormals.h"
#include "kernels.h"
#include "partial_sums.h"
#include "survey.h"
#include "thread_pool.h"
#include "tiling.h"

namespace efl::cpu {
namespace {

// Each tile on one of the threads. `cost`: of an element, where it is more than that of others.
template <class Compute>
void compute_tiles(int32_t threads, const Tiles& tiles, PartialSums* partial,
                   const Compute& compute, int64_t cost = 1) {
  const int32_t useful = useful_threads(threads, cost * tiles.elements());
  parallel_for(useful, tiles.count(), [&](int64_t index) {
    const Tile& tile = tiles[index];
    compute(tile, partial->open(index, tiles.run_of(index), tile));
  });
}

// Where the range does not say so, the first gamma usually does: all are looked at where the
// classes are still balanced.
bool all_gammas_are_2(const efl_focal_problem& problem) {
  const efl_parameter_range& range = problem.range;
  if (range.least_gamma > 2 || range.largest_gamma < 2) return false;
  return range.least_gamma == range.largest_gamma ||
         std::all_of(problem.gamma, problem.gamma + columns_of(problem.convention),
                     [](float gamma) { return gamma == 2; });
}

// Without a modulator the focal losses are cross-entropy.
efl_loss hard_loss_of(const efl_focal_problem& problem) {
  const bool focal = problem.loss == EFL_LOSS_FOCAL || problem.loss == EFL_LOSS_QUALITY_FOCAL;
  return focal && problem.range.largest_gamma == 0 ? EFL_LOSS_CROSS_ENTROPY : problem.loss;
}

template <const Kernels& kernels>
efl_status focal(const efl_focal_problem& problem, efl_result* result) {
  const int32_t columns = columns_of(problem.convention);
  Survey survey(problem, problem.threads);
  const efl_status status = survey.run(result);
  if (status != EFL_OK) return status;

  const Scales scales = scales_of(problem, survey.counts());
  const efl_parameter_range& range = problem.range;
  const FocalTask task = {&problem,
                          static_cast<float>(scales.gradient),
                          static_cast<float>(scales.element),
                          hard_loss_of(problem),
                          all_gammas_are_2(problem),
                          range.largest_gamma,
                          range.largest_weight,
                          survey.dense_columns()};
  const Tiles tiles(problem.format, problem.levels, problem.level_count, columns);
  const bool statistics = problem.negative_sums != nullptr;
  PartialSums partial(tiles, columns, statistics);
  compute_tiles(problem.threads, tiles, &partial,
                [&](const Tile& tile, TileSums* sums) { kernels.focal(task, tile, sums); });
  partial.finish_loss(scales.loss, result);
  if (statistics) {
    partial.finish_statistics(problem.threads, scales.statistics, problem.positive_sums,
                              problem.negative_sums);
  }
  return EFL_OK;
}

template <const Kernels& kernels>
efl_status collect(const efl_collect_problem& problem, efl_result* result) {
  const int32_t columns = columns_of(problem.convention);
  efl_focal_problem labelled{};
  labelled.convention = problem.convention;
  labelled.format = problem.format;
  labelled.levels = problem.levels;
  labelled.level_count = problem.level_count;
  const efl_status status = Survey(labelled, problem.threads).run(result);
  if (status != EFL_OK) return status;

  const Tiles tiles(problem.format, problem.levels, problem.level_count, columns);
  PartialSums partial(tiles, columns, true);
  compute_tiles(problem.threads, tiles, &partial,
                [&](const Tile& tile, TileSums* sums) { kernels.collect(problem, tile, sums); });
  partial.finish_loss(0.0, result);
  partial.finish_statistics(problem.threads, std::fabs(problem.scale), problem.positive_sums,
                            problem.negative_sums);
  return EFL_OK;
}

bool is_target(float target) { return target >= 0.0f && target <= 1.0f; }

bool targets_are_valid(const efl_dense_problem& problem, const Tiles& tiles, efl_result* result) {
  std::vector<int64_t> bad(static_cast<std::size_t>(tiles.count()));
  const int32_t threads = useful_threads(problem.threads, tiles.elements());
  parallel_for(threads, tiles.count(), [&](int64_t index) {
    const float* const first = problem.targets + tiles[index].first_row;
    const float* const last = problem.targets + tiles[index].last_row;
    const float* const found = std::find_if_not(first, last, is_target);
    bad[static_cast<std::size_t>(index)] = found == last ? -1 : found - problem.targets;
  });
  const auto first = std::find_if(bad.begin(), bad.end(), [](int64_t at) { return at >= 0; });
  if (first == bad.end()) return true;
  result->bad_index = *first;
  result->bad_value = problem.targets[*first];
  return false;
}

constexpr int64_t kDenseCost = 16;  // of an element in float64, beside one of the kernels

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
  efl_level elements{};
  elements.images = 1;
  elements.positions = problem.elements_count;
  const Tiles tiles({EFL_FLOAT32, EFL_LAYOUT_NHWC, EFL_ANCHOR_MAJOR, 1}, &elements, 1, 1);
  if (!targets_are_valid(problem, tiles, result)) return EFL_BAD_TARGET;

  const bool averaged = problem.reduction == EFL_REDUCTION_MEAN && problem.elements_count > 0;
  const double divisor = averaged ? static_cast<double>(problem.elements_count) : 1.0;
  PartialSums partial(tiles, 1, false);
  const auto compute = [&](const Tile& tile, TileSums* sums) {
    dense_tile(problem, problem.upstream / divisor, tile.first_row, tile.last_row, sums);
  };
  compute_tiles(problem.threads, tiles, &partial, compute, kDenseCost);
  partial.finish_loss(1.0 / divisor, result);
  return EFL_OK;
}

// The boundary of the C interface: no exception leaves it, and the caller's arithmetic stays what
// it is.
template <class Problem, efl_status (*compute)(const Problem&, efl_result*)>
efl_status guarded(const Problem* problem, efl_result* result) {
  *result = efl_result{};
  const FlushSubnormals flush;
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
      parallel_for,
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
