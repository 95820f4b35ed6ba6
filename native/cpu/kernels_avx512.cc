// Compiled with -mavx512f -mavx512dq -mavx512bw -mavx512vl (and so AVX2 and FMA).
#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)
// Instructions in the order in which their operands are ready, chosen while registers can still be:
// it takes a tenth off the time where more than two 64-byte operations a cycle can start (Zen 5).
#pragma GCC optimize("schedule-insns", "sched-pressure", "no-schedule-insns2")
#endif
#define EFL_PACK_BYTES 64
#define EFL_KERNELS kAvx512Kernels
#define EFL_KERNELS_NAME "avx512"
#include "kernels.inc"
#endif
