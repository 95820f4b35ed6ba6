#include "launch.cuh"

namespace efl::cuda {

EFL_KERNELS_OF(template, __half);

}  // namespace efl::cuda
