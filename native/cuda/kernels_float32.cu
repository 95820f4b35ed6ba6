#include "launch.cuh"

namespace efl::cuda {

EFL_KERNELS_OF(template, float);

}  // namespace efl::cuda
