// The JavaScript objects behind CudaTensor, CudaStream, CudaEvent and CudaGraph.
#pragma once

#include <memory>

#include "device_resources.h"
#include "napi_setup.h"

namespace efl::node {

// Calls into this stream are being captured; null: none are.
struct Capture {
  Graph* graph = nullptr;
  bool is_into(const Stream& stream) const {
    return graph && stream.handle && graph->stream()->handle == stream.handle;
  }
};

void define_device_objects(Napi::Env env, Napi::Object exports);

// The object's memory, for a use of its first `bytes` in `stream`; keeps it where the stream is
// being captured. Throws where it has fewer, or is of another device.
void* memory_argument(Napi::Value value, const char* name, const std::shared_ptr<Stream>& stream,
                      std::size_t bytes);
// A stream, or, undefined, the default one of the device.
std::shared_ptr<Stream> stream_argument(Napi::Value value, int32_t device);

// Runs what may fail on the device; its error becomes a JavaScript error with a `cudaError` number.
template <class Body>
auto with_device_errors(napi_env env, const Body& body) {
  try {
    return body();
  } catch (const DeviceError& failed) {
    Napi::Error error = Napi::Error::New(env, "the device failed");
    error.Set("cudaError", Napi::Number::New(env, failed.error));
    throw error;
  }
}

}  // namespace efl::node
