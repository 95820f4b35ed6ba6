// Marks functions that both the host and the CUDA compiler translate.
#pragma once

// Arithmetic is inlined whatever its size, but not under AddressSanitizer, whose checks of every
// copy would take the compiler minutes.
#if defined(__SANITIZE_ADDRESS__)
#define EFL_ALWAYS_INLINE inline
#else
#define EFL_ALWAYS_INLINE inline __attribute__((always_inline))
#endif

#if defined(__CUDACC__)
#define EFL_HOST_DEVICE __host__ __device__ __forceinline__
#else
#define EFL_HOST_DEVICE EFL_ALWAYS_INLINE
#endif
