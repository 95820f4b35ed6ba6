// Which kernel computes a level, and how it is launched.
#pragma once

#include "collect.cuh"
#include "finish.h"

namespace efl::cuda {

// More shared memory than every device gives a block has to be asked for. An error is seen at the
// launch.
inline void allow_shared(const void* kernel, int32_t bytes) {
  if (bytes <= kGivenShared) return;
  (void)cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
}

template <class T, int kLanes, class Loss, bool kGeneral>
void launch_kernel(const RowsParams& params, cudaStream_t stream) {
  const RowsPlan& plan = params.plan;
  const dim3 grid(static_cast<unsigned>(plan.chunks), static_cast<unsigned>(plan.tiles));
  allow_shared(reinterpret_cast<const void*>(rows_kernel<T, kLanes, Loss, kGeneral>),
               plan.shared_bytes);
  EFL_LAUNCH((rows_kernel<T, kLanes, Loss, kGeneral>), grid, dim3(plan.threads), plan.shared_bytes,
             stream, params);
}

template <class T, int kLanes, class Loss, bool kGeneral>
void launch_kernel(const PlanesParams& params, cudaStream_t stream) {
  const PlanesPlan& plan = params.plan;
  if (plan.units == 0) return;
  const dim3 grid(static_cast<unsigned>(plan.units) * static_cast<unsigned>(plan.groups));
  EFL_LAUNCH((planes_kernel<T, kLanes, Loss, kGeneral>), grid,
             dim3(kPlanesThreads<T, Loss, kGeneral>), 0, stream, params);
}

// Arrays that do not start at multiples of 16 bytes are uncommon: one kernel does for all of them.
template <class T, class Loss, class Params>
void launch_of(const Params& params, cudaStream_t stream) {
  constexpr int kWidest = 16 / sizeof(T);
  if (params.plan.lanes == 1) return launch_kernel<T, 1, Loss, true>(params, stream);
  if constexpr (Loss::kSeldom) {
    launch_kernel<T, kWidest, Loss, true>(params, stream);
  } else {
    if (is_general(params)) return launch_kernel<T, kWidest, Loss, true>(params, stream);
    launch_kernel<T, kWidest, Loss, false>(params, stream);
  }
}

template <class T, int kLanes>
void launch_collect_kernel(const PyramidParams<RowsParams>& pyramid, cudaStream_t stream) {
  // Alike for all levels: they have the same columns and vectors.
  const RowsPlan& plan = pyramid.levels[0].plan;
  allow_shared(reinterpret_cast<const void*>(collect_rows_kernel<T, kLanes>), plan.shared_bytes);
  EFL_LAUNCH((collect_rows_kernel<T, kLanes>), dim3(pyramid.blocks), dim3(plan.threads),
             plan.shared_bytes, stream, pyramid);
}

template <class T>
void launch_collect_of(const PyramidParams<RowsParams>& pyramid, cudaStream_t stream) {
  if (pyramid.levels[0].plan.lanes == 1) return launch_collect_kernel<T, 1>(pyramid, stream);
  launch_collect_kernel<T, 16 / sizeof(T)>(pyramid, stream);
}

template <class T>
void launch_collect_of(const PyramidParams<PlanesParams>& pyramid, cudaStream_t stream) {
  EFL_LAUNCH(collect_planes_kernel<T>, dim3(pyramid.blocks),
             dim3(kPlanesThreads<T, CollectedGradient, false>), 0, stream, pyramid);
}

// Each type's kernels are compiled in a file of their own.
#define EFL_KERNELS_OF(linkage, T)                                                   \
  linkage void launch_of<T, FocalElement>(const RowsParams&, cudaStream_t);          \
  linkage void launch_of<T, FocalElement>(const PlanesParams&, cudaStream_t);        \
  linkage void launch_of<T, CrossEntropyElement>(const RowsParams&, cudaStream_t);   \
  linkage void launch_of<T, CrossEntropyElement>(const PlanesParams&, cudaStream_t); \
  linkage void launch_of<T, SeldomElement>(const RowsParams&, cudaStream_t);         \
  linkage void launch_of<T, SeldomElement>(const PlanesParams&, cudaStream_t);       \
  linkage void launch_collect_of<T>(const PyramidParams<RowsParams>&, cudaStream_t); \
  linkage void launch_collect_of<T>(const PyramidParams<PlanesParams>&, cudaStream_t)
EFL_KERNELS_OF(extern template, float);
EFL_KERNELS_OF(extern template, __half);
EFL_KERNELS_OF(extern template, __nv_bfloat16);

// Calls `visit` with a value of the type.
template <class Visit>
void with_type(efl_dtype dtype, const Visit& visit) {
  switch (dtype) {
    case EFL_FLOAT16:
      return visit(__half{});
    case EFL_BFLOAT16:
      return visit(__nv_bfloat16{});
    case EFL_FLOAT32:
      break;
  }
  visit(0.0f);
}

// Params: RowsParams or PlanesParams.
template <class Params>
void launch(const Params& params, cudaStream_t stream) {
  with_type(params.problem.format.dtype, [&](auto element) {
    efl::with_hard_loss(efl::hard_loss_of(params.problem), [&](auto loss) {
      using Hard = decltype(loss);
      using Loss = std::conditional_t<Hard::kSeldom, SeldomElement, Hard>;
      launch_of<decltype(element), Loss>(params, stream);
    });
  });
}

// Instead of logits the levels have gradients, of which only the statistics are wanted.
template <class Params>
void launch_collect(const PyramidParams<Params>& pyramid, cudaStream_t stream) {
  if (pyramid.blocks == 0) return;
  with_type(pyramid.levels[0].problem.format.dtype,
            [&](auto element) { launch_collect_of<decltype(element)>(pyramid, stream); });
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
  return {
      params.partial,          columns, 1, static_cast<int32_t>(plan.units), columns, params.totals,
      plan.units * plan.groups};
}

}  // namespace efl::cuda
