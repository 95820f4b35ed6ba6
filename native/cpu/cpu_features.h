// Which instruction sets this machine can run: the processor has them, and the operating system
// keeps their registers.
#pragma once

namespace efl::cpu {

struct CpuFeatures {
  bool avx2 = false;    // AVX2 with FMA and F16C
  bool avx512 = false;  // AVX-512 F, DQ, BW and VL, and what avx2 says
};

// All false on an architecture other than x86-64.
CpuFeatures cpu_features();

}  // namespace efl::cpu
