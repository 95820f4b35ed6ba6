#include "dense.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <vector>

#include "../core/loss_math.h"
#include "../core/scalar_math.h"
#include "compute_tiles.h"
#include "flush_subnormals.h"

namespace efl::cpu {
namespace {

bool is_target(float target) { return target >= 0.0f && target <= 1.0f; }

bool targets_are_valid(const DenseProblem& problem, const Tiles& tiles, efl_report* report) {
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
  report->bad_index = static_cast<double>(*first);
  report->bad_value = problem.targets[*first];
  return false;
}

constexpr int64_t kDenseCost = 16;  // of an element in float64, beside one of the kernels

// Elements first to last - 1. In float64: soft targets are for convenience, not for the hot path.
void dense_tile(const DenseProblem& problem, double gradient_factor, int64_t first, int64_t last,
                TileSums* sums) {
  double loss = 0;
  int64_t non_finite = 0;
  for (int64_t i = first; i < last; ++i) {
    const double logit = problem.logits[i];
    const double target = problem.targets[i];
    const double weight =
        problem.alpha < 0 ? 1.0 : problem.alpha * target + (1.0 - problem.alpha) * (1.0 - target);
    const LossTerms<ScalarMath> terms =
        soft_focal_terms<ScalarMath>(logit, target, 1.0 - target, problem.gamma, weight);
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

efl_status compute(const DenseProblem& problem, efl_report* report) {
  efl_level elements{};
  elements.images = 1;
  elements.positions = problem.elements_count;
  const Tiles tiles({EFL_FLOAT32, EFL_LAYOUT_NHWC, EFL_ANCHOR_MAJOR, 1}, &elements, 1, 1);
  if (!targets_are_valid(problem, tiles, report)) return EFL_BAD_TARGET;

  const bool averaged = problem.reduction == EFL_REDUCTION_MEAN && problem.elements_count > 0;
  const double divisor = averaged ? static_cast<double>(problem.elements_count) : 1.0;
  PartialSums partial(tiles, 1, false);
  const auto compute = [&](const Tile& tile, TileSums* sums) {
    dense_tile(problem, problem.upstream / divisor, tile.first_row, tile.last_row, sums);
  };
  compute_tiles(problem.threads, tiles, &partial, compute, kDenseCost);
  partial.finish_loss(1.0 / divisor, report);
  return EFL_OK;
}

}  // namespace

efl_status compute_dense(const DenseProblem& problem, efl_report* report) {
  *report = efl_report{};
  const FlushSubnormals flush;
  efl_status status = EFL_OUT_OF_MEMORY;
  try {
    status = compute(problem, report);
  } catch (const std::bad_alloc&) {
  }
  report->status = status;
  return status;
}

}  // namespace efl::cpu
