#include "cpu_backend.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
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
#include "survey.h"
#include "thread_pool.h"
#include "tiling.h"

namespace efl::cpu {
namespace {

constexpr int64_t kPositionsWorthATile = 512;

// The partial sums of all tiles, and their sum in tile order.
class PartialSums {
 public:
  PartialSums(int64_t tiles, int32_t columns, bool per_column)
      : columns_(columns),
        padded_((columns + kColumnPadding - 1) / kColumnPadding * kColumnPadding),
        tiles_(tiles) {
    // Not zeroed here: each tile's thread does so, which also places the memory near it.
    if (per_column) sums_.reset(new double[static_cast<std::size_t>(tiles) * 2 * padded_]);
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
    for (int32_t c = 0; c < columns_; ++c) positive[c] = negative[c] = 0;
    for (const TileSums& tile : tiles_) {
      for (int32_t c = 0; c < columns_; ++c) {
        positive[c] += tile.positive[c];
        negative[c] += tile.negative[c];
      }
    }
    for (int32_t c = 0; c < columns_; ++c) {
      positive[c] *= factor;
      negative[c] *= factor;
    }
  }

 private:
  const int32_t columns_;
  const int64_t padded_;
  std::vector<TileSums> tiles_;
  std::unique_ptr<double[]> sums_;
};

// The tiles of all levels, in their order.
class Tiles {
 public:
  Tiles(const efl_format& format, const efl_level* levels, int32_t level_count, int32_t columns) {
    int64_t rows = 0;
    for (int32_t i = 0; i < level_count; ++i) rows += rows_of(format, levels[i]);
    elements_ = rows * columns;
    const Tiling tiling = tile_rows(rows, columns);
    const int64_t step = rows_per_tile(format, tiling);
    for (int32_t i = 0; i < level_count; ++i) {
      const int64_t rows_of_level = rows_of(format, levels[i]);
      for (int64_t first = 0; first < rows_of_level; first += step) {
        tiles_.push_back({i, first, std::min(rows_of_level, first + step)});
      }
    }
  }

  int64_t count() const { return static_cast<int64_t>(tiles_.size()); }

  template <class Compute>
  void for_each(int32_t threads, PartialSums* partial, const Compute& compute) const {
    parallel_for(useful_threads(threads, elements_), count(), [&](int64_t index) {
      compute(tiles_[static_cast<std::size_t>(index)], partial->open(index));
    });
  }

 private:
  // In NCHW a tile has whole positions, and so many that a plane's part is worth a loop.
  static int64_t rows_per_tile(const efl_format& format, const Tiling& tiling) {
    if (format.layout != EFL_LAYOUT_NCHW) return tiling.rows_per_tile;
    const int64_t anchors = format.anchors;
    const int64_t positions = (tiling.rows_per_tile + anchors - 1) / anchors;
    return std::max(positions, kPositionsWorthATile) * anchors;
  }

  int64_t elements_ = 0;
  std::vector<Tile> tiles_;
};

// Of values per column, or 0 where there are none. In lanes, which the compiler computes at once.
float largest(const float* values, int32_t columns) {
  constexpr int32_t kLanes = 16;
  float lanes[kLanes] = {};
  int32_t c = 0;
  for (; values && c + kLanes <= columns; c += kLanes) {
    for (int32_t i = 0; i < kLanes; ++i) {
      lanes[i] = values[c + i] > lanes[i] ? values[c + i] : lanes[i];
    }
  }
  for (; values && c < columns; ++c) lanes[0] = std::max(lanes[0], values[c]);
  return *std::max_element(lanes, lanes + kLanes);
}

float largest_weight(const efl_focal_problem& problem) {
  const int32_t columns = columns_of(problem.convention);
  return std::max({largest(problem.positive_weight, columns),
                   largest(problem.negative_weight, columns),
                   largest(problem.foreground_weight, columns)});
}

bool all_gammas_are(const efl_focal_problem& problem, float value) {
  return std::all_of(problem.gamma, problem.gamma + columns_of(problem.convention),
                     [value](float gamma) { return gamma == value; });
}

// Without a modulator the focal losses are cross-entropy.
efl_loss hard_loss_of(const efl_focal_problem& problem) {
  const bool focal = problem.loss == EFL_LOSS_FOCAL || problem.loss == EFL_LOSS_QUALITY_FOCAL;
  return focal && all_gammas_are(problem, 0.0f) ? EFL_LOSS_CROSS_ENTROPY : problem.loss;
}

template <const Kernels& kernels>
efl_status focal(const efl_focal_problem& problem, efl_result* result) {
  const int32_t columns = columns_of(problem.convention);
  Survey survey(problem, problem.threads);
  const efl_status status = survey.run(result);
  if (status != EFL_OK) return status;

  const Scales scales = scales_of(problem, survey.counts());
  const FocalTask task = {&problem,
                          static_cast<float>(scales.gradient),
                          static_cast<float>(scales.element),
                          hard_loss_of(problem),
                          all_gammas_are(problem, 2.0f),
                          largest(problem.gamma, columns),
                          largest_weight(problem),
                          survey.dense_columns()};
  const Tiles tiles(problem.format, problem.levels, problem.level_count, columns);
  const bool statistics = problem.negative_sums != nullptr;
  PartialSums partial(tiles.count(), columns, statistics);
  tiles.for_each(problem.threads, &partial,
                 [&](const Tile& tile, TileSums* sums) { kernels.focal(task, tile, sums); });
  partial.finish_loss(scales.loss, result);
  if (statistics) {
    partial.finish_statistics(scales.statistics, problem.positive_sums, problem.negative_sums);
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
  const efl_status status = Survey(labelled, 1).run(result);
  if (status != EFL_OK) return status;

  const Tiles tiles(problem.format, problem.levels, problem.level_count, columns);
  PartialSums partial(tiles.count(), columns, true);
  tiles.for_each(problem.threads, &partial,
                 [&](const Tile& tile, TileSums* sums) { kernels.collect(problem, tile, sums); });
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
  const int64_t count = problem.elements_count;
  parallel_for(useful_threads(problem.threads, count), tiling.tiles, [&](int64_t index) {
    dense_tile(problem, problem.upstream / divisor, tiling.first_row(index),
               tiling.last_row(index, count), partial.open(index));
  });
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
