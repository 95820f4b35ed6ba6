// Which kernel computes a level, and how it is launched.
#pragma once

#include "collected_gradient.cuh"
#include "finish.cuh"
#include "planes.cuh"
#include "rows.cuh"
#include "state.cuh"
#include "survey.cuh"

namespace efl::cuda {

template <class T, int kLanes, class Loss, bool kRare>
void launch_kernel(const RowsParams& params, cudaStream_t stream) {
  const RowsPlan& plan = params.plan;
  const dim3 grid(static_cast<unsigned>(plan.chunks), static_cast<unsigned>(plan.tiles));
  EFL_LAUNCH((rows_kernel<T, kLanes, Loss, kRare>), grid, dim3(plan.threads), plan.shared_bytes,
             stream, params);
}

template <class T, int kLanes, class Loss, bool kRare>
void launch_kernel(const PlanesParams& params, cudaStream_t stream) {
  const PlanesPlan& plan = params.plan;
  if (plan.units == 0) return;
  const dim3 grid(static_cast<unsigned>(plan.units), static_cast<unsigned>(plan.groups));
  EFL_LAUNCH((planes_kernel<T, kLanes, Loss, kRare>), grid, dim3(kPlanesThreads), 0, stream,
             params);
}

// Arrays that do not start at multiples of 16 bytes are uncommon: one kernel does for all of them.
template <class T, class Loss, class Params>
void launch_of(const Params& params, cudaStream_t stream) {
  constexpr int kWidest = 16 / sizeof(T);
  if (params.plan.lanes == 1) return launch_kernel<T, 1, Loss, true>(params, stream);
  if (is_rare(params)) return launch_kernel<T, kWidest, Loss, true>(params, stream);
  launch_kernel<T, kWidest, Loss, false>(params, stream);
}

template <class Loss, class Params>
void launch_with(const Params& params, cudaStream_t stream) {
  switch (params.problem.format.dtype) {
    case EFL_FLOAT16:
      return launch_of<__half, Loss>(params, stream);
    case EFL_BFLOAT16:
      return launch_of<__nv_bfloat16, Loss>(params, stream);
    case EFL_FLOAT32:
      break;
  }
  launch_of<float, Loss>(params, stream);
}

// Params: RowsParams or PlanesParams.
template <class Params>
void launch(const Params& params, cudaStream_t stream) {
  efl::with_loss(params.problem.loss,
                 [&](auto loss) { launch_with<typename decltype(loss)::Hard>(params, stream); });
}

// Instead of logits the level has gradients, of which only the statistics are wanted.
template <class Params>
void launch_collect(const Params& params, cudaStream_t stream) {
  launch_with<CollectedGradient>(params, stream);
}

inline void launch_survey(const SurveyParams& params, cudaStream_t stream) {
  const int64_t threads = params.level.targets ? params.rows * 32 : params.rows;
  const int64_t blocks = (threads + kSurveyThreads - 1) / kSurveyThreads;
  const dim3 grid(static_cast<unsigned>(blocks < 1                   ? 1
                                        : blocks > kMostSurveyBlocks ? kMostSurveyBlocks
                                                                     : blocks));
  if (params.level.targets) {
    EFL_LAUNCH(targets_kernel, grid, dim3(kSurveyThreads), 0, stream, params);
  } else {
    EFL_LAUNCH(labels_kernel, grid, dim3(kSurveyThreads), 0, stream, params);
  }
}

inline PartialSums partial_of(const RowsParams& params) {
  const RowsPlan& plan = params.plan;
  return {params.partial,
          plan.slots,
          plan.tiles,
          plan.chunks,
          static_cast<int64_t>(plan.threads) * plan.lanes,
          params.totals,
          plan.blocks};
}

inline PartialSums partial_of(const PlanesParams& params) {
  const int32_t columns = efl::columns_of(params.problem.convention);
  const PlanesPlan& plan = params.plan;
  return {params.partial,
          columns,
          1,
          plan.units,
          columns,
          params.totals,
          static_cast<int64_t>(plan.units) * plan.groups};
}

inline void launch_finish(const FinishParams& params, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>((params.columns + kFinishColumns - 1) / kFinishColumns));
  EFL_LAUNCH(finish_kernel, grid, dim3(kFinishColumns, kFinishShares), 0, stream, params);
}

inline void launch_state(const StateParams& params, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>((params.classes + kStateThreads - 1) / kStateThreads));
  EFL_LAUNCH(state_kernel, grid, dim3(kStateThreads), 0, stream, params);
}

}  // namespace efl::cuda
