// The only include of napi.h: every file of the addon sees Node-API with the same settings.
#pragma once

// Node-API 8 is in every Node.js this package supports; a higher number would crash older ones.
#define NAPI_VERSION 8
// C++ exceptions become JavaScript exceptions at the boundary, also those that are not Napi::Error.
#define NODE_ADDON_API_CPP_EXCEPTIONS_ALL
// While a worker terminates every call into JavaScript fails; that must not abort the process.
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
// Runtimes with a memory cage (Electron) have no external buffers: all arrays come from JavaScript.
#define NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED
// Finalizers may not run JavaScript.
#define NODE_ADDON_API_REQUIRE_BASIC_FINALIZERS
#define NODE_ADDON_API_DISABLE_DEPRECATED

#include <napi.h>
