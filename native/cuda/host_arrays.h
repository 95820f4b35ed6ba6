// Problems whose arrays are on the host, computed on a device.
#pragma once

#include "../core/backend.h"

namespace efl::cuda {

efl_status compute_host_arrays(int device, const efl_problem& problem, efl_result* result);
efl_status collect_host_arrays(int device, const efl_collect_problem& problem, efl_result* result);

}  // namespace efl::cuda
