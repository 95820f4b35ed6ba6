// Which kernel computes the rows of a level, and how it is launched.
#pragma once

#include "rows_finish.cuh"

namespace efl::cuda {

template <class T, int kLanes, class Loss, bool kRare>
void launch_rows_kernel(const RowsParams& params, cudaStream_t stream) {
  const RowsPlan& plan = params.plan;
  const dim3 grid(static_cast<unsigned>(plan.chunks), static_cast<unsigned>(plan.tiles));
  EFL_LAUNCH((rows_kernel<T, kLanes, Loss, kRare>), grid, dim3(plan.threads), plan.shared_bytes,
             stream, params);
}

// Arrays that do not start at multiples of 16 bytes are uncommon: one kernel does for all of them.
template <class T, class Loss>
void launch_rows_of(const RowsParams& params, cudaStream_t stream) {
  constexpr int kWidest = 16 / sizeof(T);
  if (params.plan.lanes == 1) return launch_rows_kernel<T, 1, Loss, true>(params, stream);
  if (is_rare(params)) return launch_rows_kernel<T, kWidest, Loss, true>(params, stream);
  launch_rows_kernel<T, kWidest, Loss, false>(params, stream);
}

inline void launch_rows(const RowsParams& params, cudaStream_t stream) {
  efl::with_loss(params.problem.loss, [&](auto loss) {
    using Loss = typename decltype(loss)::Hard;
    switch (params.problem.format.dtype) {
      case EFL_FLOAT16:
        return launch_rows_of<__half, Loss>(params, stream);
      case EFL_BFLOAT16:
        return launch_rows_of<__nv_bfloat16, Loss>(params, stream);
      case EFL_FLOAT32:
        break;
    }
    launch_rows_of<float, Loss>(params, stream);
  });
}

inline void launch_rows_finish(const RowsFinishParams& params, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>((params.columns + kFinishColumns - 1) / kFinishColumns));
  EFL_LAUNCH(rows_finish_kernel, grid, dim3(kFinishColumns, kFinishShares), 0, stream, params);
}

}  // namespace efl::cuda
