// A call of the C interface, checked before a backend reads what it points to.
#pragma once

#include "../core/host_criterion.h"
#include "../include/efl.h"

namespace efl::library {

efl_call default_call();

// These throw Failure.
efl_problem checked_compute(const efl_call& call, const HostCriterion& criterion);
efl_collect_problem checked_collect(const efl_call& call, const HostCriterion& criterion);

}  // namespace efl::library
