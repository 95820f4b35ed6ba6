// The CPU backend: always there.
#pragma once

#include "../core/backend.h"

namespace efl::cpu {

const efl_backend* backend();

// Chooses the kernels by name ("avx512", "avx2", "baseline") in place of the best ones. Returns
// false where this machine cannot run them or the name is unknown; the choice is unchanged then.
bool choose_kernels(const char* name);

// The name of the kernels in use.
const char* kernels_name();

}  // namespace efl::cpu
