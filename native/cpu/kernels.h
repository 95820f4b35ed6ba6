// What the kernels of one instruction set offer to the CPU backend.
//
// The object files behind these tables are compiled with flags of their instruction set, so neither
// they nor this header may use inline functions or templates of the standard library: the linker
// could keep such a copy, with instructions the machine lacks, for the whole program.
#pragma once

#include "../core/problem.h"

namespace efl::cpu {

// A row of per-class sums is padded to this many doubles, so that kernels add whole registers.
constexpr int32_t kClassPadding = 16;

// The partial result of one tile, a run of consecutive rows.
struct TileSums {
  double loss;  // unscaled
  int64_t non_finite;
  double* positive;  // C sums of |dL/du|, padded and zeroed by the caller; null without statistics
  double* negative;
};

struct FocalTask {
  const efl_focal_problem* problem;
  float gradient_factor;  // |dL/du| -> gradient
  float element_factor;   // element loss -> element
  bool gamma_is_two;      // for every class
  float largest_gamma;    // of all classes
};

struct Kernels {
  const char* name;
  void (*focal)(const FocalTask& task, int64_t first_row, int64_t last_row, TileSums* sums);
  void (*collect)(const efl_collect_problem& problem, int64_t first_row, int64_t last_row,
                  TileSums* sums);
};

extern const Kernels kScalarKernels;
extern const Kernels kBaselineKernels;
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#endif

}  // namespace efl::cpu
