// The numbers by which lib and the addon know things, by name: lib has none of its own.
#pragma once

#include "../core/class_rule.h"
#include "napi_setup.h"

namespace efl::node {

Napi::Object codes(Napi::Env env);

const char* name_of(efl_loss loss);
const char* name_of(Rule rule);

}  // namespace efl::node
