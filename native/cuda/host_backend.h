// The backends for arrays on the host, one for each device. A call uploads its labels and surveys
// them, and computes one part of its logits after another.
#pragma once

#include "../core/backend.h"

namespace efl::cuda {

// Null: no such device.
const efl_backend* host_backend(int32_t device);

}  // namespace efl::cuda
