// How many processors this process may keep busy: what a call uses unless it is told otherwise.
#pragma once

#include <cstdint>
#include <string>

namespace efl::cpu {

// Those it may run on, and no more than the quota of its control groups, version 1 or 2, or of one
// above them pays for: `docker run --cpus 1.5` is 2. At least 1. Files are looked for below `root`.
int32_t available_processors(const std::string& root = "");

// The quota of the control groups in processors, rounded up, or 0 where there is none.
int32_t processors_of_quota(const std::string& root);

}  // namespace efl::cpu
