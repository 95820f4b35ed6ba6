// Statistics of gradients from elsewhere, all levels of a pyramid in one launch: what the fused
// kernels do with an element that is its own gradient, and nothing to write.
#pragma once

#include "planes.cuh"
#include "rows.cuh"

namespace efl::cuda {

struct CollectedGradient {
  template <class Math, class Real = typename Math::Real>
  static EFL_DEVICE LossTerms<Math> hard(Real u, Real, Real) {
    return {0, 0, Math::absolute(u)};
  }
};

template <>
inline constexpr float kAbsent<CollectedGradient> = 0;

// Levels whose blocks follow one another. Params: RowsParams or PlanesParams.
template <class Params>
struct PyramidParams {
  int32_t count = 0;
  int32_t blocks = 0;
  int32_t first_block[kMostLevelsOfLaunch];
  Params levels[kMostLevelsOfLaunch];
};

static_assert(sizeof(PyramidParams<RowsParams>) <= kMostParameterBytes, "fits a launch");
static_assert(sizeof(PyramidParams<PlanesParams>) <= kMostParameterBytes, "fits a launch");

inline int64_t blocks_of(const RowsPlan& plan) { return plan.blocks; }
inline int64_t blocks_of(const PlanesPlan& plan) { return plan.units * plan.groups; }

// One kernel computes levels in rows whose vectors are alike; planes may differ.
inline bool is_same_kernel(const RowsPlan& a, const RowsPlan& b) { return a.lanes == b.lanes; }
inline bool is_same_kernel(const PlanesPlan&, const PlanesPlan&) { return true; }

// Whether the level has found a place in the launch.
template <class Params>
bool add_level(PyramidParams<Params>* pyramid, const Params& level) {
  const int64_t blocks = pyramid->blocks + blocks_of(level.plan);
  if (pyramid->count == kMostLevelsOfLaunch || blocks > INT32_MAX) return false;
  if (pyramid->count > 0 && !is_same_kernel(pyramid->levels[0].plan, level.plan)) return false;
  pyramid->first_block[pyramid->count] = pyramid->blocks;
  pyramid->levels[pyramid->count++] = level;
  pyramid->blocks = static_cast<int32_t>(blocks);
  return true;
}

template <class Params>
EFL_DEVICE int32_t level_of_block(const PyramidParams<Params>& p) {
  int32_t level = p.count - 1;
  while (static_cast<int32_t>(blockIdx.x) < p.first_block[level]) --level;
  return level;
}

// grid = blocks of all levels.
template <class T, int kLanes>
__global__ void __launch_bounds__(kMostRowsThreads, kRowsBlocks)
    collect_rows_kernel(const __grid_constant__ PyramidParams<RowsParams> p) {
  const int32_t level = level_of_block(p);
  const RowsParams& params = p.levels[level];
  const int32_t block = static_cast<int32_t>(blockIdx.x) - p.first_block[level];
  compute_block<T, kLanes, CollectedGradient, false>(
      params, {block % params.plan.chunks, block / params.plan.chunks});
}

template <class T>
__global__ void __launch_bounds__((kPlanesThreads<T, CollectedGradient, false>))
    collect_planes_kernel(const __grid_constant__ PyramidParams<PlanesParams> p) {
  const int32_t level = level_of_block(p);
  const PlanesParams& params = p.levels[level];
  const PlanesBlock block =
      planes_block(params.plan, static_cast<int32_t>(blockIdx.x) - p.first_block[level]);
  if (params.plan.lanes == 1) {
    compute_block<T, 1, CollectedGradient, false>(params, block);
  } else {
    compute_block<T, 16 / sizeof(T), CollectedGradient, false>(params, block);
  }
}

}  // namespace efl::cuda
