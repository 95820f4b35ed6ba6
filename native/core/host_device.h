// Marks functions that both the host and the CUDA compiler translate.
#pragma once

#if defined(__CUDACC__)
#define EFL_HOST_DEVICE __host__ __device__ __forceinline__
#else
#define EFL_HOST_DEVICE inline __attribute__((always_inline))
#endif
