// The numbers by which lib and the addon know things, by name: lib has none of its own.
#pragma once

#include "napi_setup.h"

namespace efl::node {

Napi::Object codes(Napi::Env env);

}  // namespace efl::node
