// The CPU backend: always there.
#pragma once

#include <vector>

#include "../core/backend.h"

namespace efl::cpu {

// One backend for each set of kernels that this machine can run, best first; `detail` names the set
// ("avx512", "avx2", "baseline"). The last one runs everywhere.
std::vector<const efl_backend*> backends();

}  // namespace efl::cpu
