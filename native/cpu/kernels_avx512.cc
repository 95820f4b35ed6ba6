// Compiled with -mavx512f -mavx512dq -mavx512bw -mavx512vl (and so AVX2 and FMA).
#if defined(__x86_64__)
#define EFL_PACK_BYTES 64
#define EFL_KERNELS kAvx512Kernels
#define EFL_KERNELS_NAME "avx512"
#include "kernels.inc"
#endif
