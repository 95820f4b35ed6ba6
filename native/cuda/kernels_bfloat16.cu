#include "launch.cuh"

namespace efl::cuda {

EFL_KERNELS_OF(template, __nv_bfloat16);

}  // namespace efl::cuda
