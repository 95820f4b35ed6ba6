// The settings of the C interface: their defaults, and what they mean in the terms of core.
#pragma once

#include "../core/host_criterion.h"
#include "../include/efl.h"

namespace efl::library {

efl_settings default_settings(int32_t family);

// Throws Failure.
CriterionSettings checked_settings(const efl_settings& given);
const efl_backend* chosen_backend(const efl_settings& given);
int32_t chosen_threads(const efl_settings& given);

}  // namespace efl::library
