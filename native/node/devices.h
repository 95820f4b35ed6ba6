// The library for GPUs, opened when one is asked for and then kept by the process for good: the
// runtime in it has state that no unloading would clean up.
#pragma once

#include "../core/device_library.h"
#include "napi_setup.h"

namespace efl::node {

// Null before openDevices has succeeded.
const efl_device_library* device_library();

// What lib/binding/devices.ts calls.
void define_devices(Napi::Env env, Napi::Object exports);

}  // namespace efl::node
