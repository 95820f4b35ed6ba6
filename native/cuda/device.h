// What the kernels use of CUDA, from the toolkit or, in tests, from a model of it on the host.
#pragma once

#if defined(__CUDACC__)
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_pipeline_primitives.h>
#include <cuda_runtime.h>
#define EFL_DYNAMIC_SHARED(type, name) extern __shared__ __align__(16) type name[]
#define EFL_LAUNCH(kernel, grid, block, shared, stream, ...) \
  kernel<<<grid, block, shared, stream>>>(__VA_ARGS__)
#else
#include "cuda_on_host.h"
#define EFL_LAUNCH(kernel, grid, block, shared, stream, ...) \
  cuda_on_host::launch_in(stream, kernel, grid, block, shared, __VA_ARGS__)
#endif

#define EFL_DEVICE __device__ __forceinline__
