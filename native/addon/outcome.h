// How a result reaches JavaScript: as numbers in a Float64Array, of a synchronous call that of
// call_numbers.h, so that a small call allocates nothing. The slots are named again in
// lib/binding/addon.ts.
#pragma once

#include <cstddef>

#include "../core/problem.h"

namespace efl::addon {

constexpr std::size_t kOutcomeSlots = 8;

inline void write_outcome(efl_status status, const efl_result& result, double* slots) {
  slots[0] = status;
  slots[1] = result.loss;
  slots[2] = static_cast<double>(result.positives);
  slots[3] = static_cast<double>(result.ignored);
  slots[4] = static_cast<double>(result.non_finite);
  slots[5] = static_cast<double>(result.bad_level);
  slots[6] = static_cast<double>(result.bad_index);
  slots[7] = result.bad_value;
}

}  // namespace efl::addon
