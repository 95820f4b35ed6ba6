// SSE2 on x86-64, NEON on arm64: what every processor of the platform has.
#define EFL_PACK_BYTES 16
#define EFL_KERNELS kBaselineKernels
#define EFL_KERNELS_NAME "baseline"
#include "kernels.inc"
