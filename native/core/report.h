// What comes back of a call: eight doubles, on the host and on a device, in C++ and in JavaScript.
// Counts are exact up to 2^53.
#pragma once

#include "../include/efl.h"

// How a call can end beside what efl_status says, which is all that users of efl.h ever see.
constexpr efl_status EFL_CANCELLED = static_cast<efl_status>(4);       // before it started
constexpr efl_status EFL_BAD_NORMALIZER = static_cast<efl_status>(6);  // one on the device
constexpr efl_status EFL_DEVICE_ERROR = static_cast<efl_status>(7);    // bad_index: the runtime's
constexpr efl_status EFL_NOT_COMPUTED = static_cast<efl_status>(10);   // captured, not launched yet
constexpr efl_status EFL_PEER_FAILED = static_cast<efl_status>(11);    // another process could not

typedef struct efl_report {
  double status; /* efl_status */
  double loss;
  double positives; /* as in efl_result, and so is what follows */
  double ignored;
  double non_finite;
  double bad_level;
  double bad_index;
  double bad_value;
} efl_report;

/* On a device the loss comes first once more, as the float32 that is given out as a tensor; not a
 * number where the status is not EFL_OK. */
typedef struct efl_device_report {
  float loss;
  efl_report report;
} efl_device_report;
