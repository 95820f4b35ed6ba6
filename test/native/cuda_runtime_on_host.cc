#include "cuda_runtime_on_host.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

namespace cuda_on_host {
namespace {

using Work = std::function<void()>;

constexpr int kDevices = 2;
constexpr size_t kDeviceBytes = size_t{512} << 20;

struct Stream {
  int device = 0;
  std::deque<Work> queue;
  uint64_t submitted = 0;
  uint64_t done = 0;
  bool capturing = false;
  std::vector<Work> captured;
};

struct Event {
  int device = 0;
  Stream* stream = nullptr;  // where it was recorded last, null: nowhere
  uint64_t position = 0;
  bool captured = false;
  std::shared_ptr<double> reached = std::make_shared<double>(0);  // milliseconds
};

struct Graph {
  std::vector<Work> nodes;
};

struct Allocation {
  size_t bytes;
  int device;  // -1: pinned host memory
};

// Everything, under one lock; never destroyed, as threads may outlive the end of main.
struct Runtime {
  std::recursive_mutex mutex;
  Stream defaults[kDevices];
  std::set<Stream*> streams;
  std::set<Event*> events;
  std::map<const unsigned char*, Allocation> memory;
  size_t used[kDevices] = {};

  Runtime() {
    for (int i = 0; i < kDevices; ++i) {
      defaults[i].device = i;
      streams.insert(&defaults[i]);
    }
  }
};

Runtime& runtime() {
  static Runtime* const only = new Runtime;
  return *only;
}

thread_local int current_device = 0;
thread_local cudaError_t last_error = cudaSuccess;

using Lock = std::lock_guard<std::recursive_mutex>;

cudaError_t result(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

// Null where the handle names no stream.
Stream* stream_of(cudaStream_t handle) {
  if (!handle) return &runtime().defaults[current_device];
  auto* const stream = static_cast<Stream*>(handle);
  return runtime().streams.count(stream) ? stream : nullptr;
}

Event* event_of(cudaEvent_t handle) {
  auto* const event = static_cast<Event*>(handle);
  return runtime().events.count(event) ? event : nullptr;
}

void drain(Stream* stream, uint64_t position) {
  while (stream->done < position && !stream->queue.empty()) {
    const Work work = std::move(stream->queue.front());
    stream->queue.pop_front();
    work();
    ++stream->done;
  }
}

void drain_device(int device) {
  for (Stream* stream : runtime().streams) {
    if (stream->device == device) drain(stream, stream->submitted);
  }
}

void submit(Stream* stream, Work work) {
  if (stream->capturing) {
    stream->captured.push_back(std::move(work));
    return;
  }
  stream->queue.push_back(std::move(work));
  ++stream->submitted;
}

// The allocation that contains an address, or null.
const Allocation* allocation_of(const void* address) {
  auto& memory = runtime().memory;
  const auto* const byte = static_cast<const unsigned char*>(address);
  auto after = memory.upper_bound(byte);
  if (after == memory.begin()) return nullptr;
  const auto& [start, allocation] = *--after;
  return byte < start + allocation.bytes ? &allocation : nullptr;
}

bool is_pageable(const void* address) { return allocation_of(address) == nullptr; }

cudaError_t allocate(void** memory, size_t bytes, int device) {
  const size_t whole = (bytes + 255) / 256 * 256 + 256;
  void* const address = std::aligned_alloc(256, whole);
  if (!address) return cudaErrorMemoryAllocation;
  std::memset(address, 0xff, whole);
  runtime().memory[static_cast<unsigned char*>(address)] = {bytes ? bytes : 1, device};
  if (device >= 0) runtime().used[device] += bytes;
  *memory = address;
  return cudaSuccess;
}

void free_now(void* memory) {
  auto& all = runtime().memory;
  const auto found = all.find(static_cast<unsigned char*>(memory));
  if (found == all.end()) {
    std::fprintf(stderr, "cuda_on_host: memory freed twice, or never allocated\n");
    std::abort();
  }
  if (found->second.device >= 0) runtime().used[found->second.device] -= found->second.bytes;
  all.erase(found);
  std::free(memory);
}

double milliseconds_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

}  // namespace

void enqueue(cudaStream_t handle, Work work) {
  const Lock lock(runtime().mutex);
  Stream* const stream = stream_of(handle);
  // A kernel goes to the device that is current; a stream of another one does not take it.
  if (!stream || stream->device != current_device) {
    last_error = cudaErrorInvalidResourceHandle;
    return;
  }
  submit(stream, std::move(work));
}

}  // namespace cuda_on_host

using namespace cuda_on_host;

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration:
      return "cudaErrorInvalidConfiguration";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorInvalidResourceHandle:
      return "cudaErrorInvalidResourceHandle";
    case cudaErrorNotReady:
      return "cudaErrorNotReady";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnsupported:
      return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureInvalidated:
      return "cudaErrorStreamCaptureInvalidated";
    case cudaErrorStreamCaptureIsolation:
      return "cudaErrorStreamCaptureIsolation";
    case cudaErrorUnknown:
      break;
  }
  return "cudaErrorUnknown";
}

const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? "out of memory" : "refused by the emulated runtime";
}

cudaError_t cudaGetLastError() {
  const cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = 0;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 0;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = kDevices;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  *device = current_device;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= kDevices) return result(cudaErrorInvalidDevice);
  current_device = device;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device < 0 || device >= kDevices) return result(cudaErrorInvalidDevice);
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "emulated device %d", device);
  properties->multiProcessorCount = 1;
  properties->totalGlobalMem = kDeviceBytes;
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
  const Lock lock(runtime().mutex);
  for (const Stream* stream : runtime().streams) {
    if (stream->device == current_device && stream->capturing) {
      return result(cudaErrorStreamCaptureUnsupported);
    }
  }
  drain_device(current_device);
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* available, size_t* total) {
  const Lock lock(runtime().mutex);
  *total = kDeviceBytes;
  *available = kDeviceBytes - runtime().used[current_device];
  return cudaSuccess;
}

// One pool a device is enough here: it has the memory of the device.
cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties) {
  const int device = properties->location.id;
  if (device < 0 || device >= kDevices) return result(cudaErrorInvalidDevice);
  *pool = &runtime().used[device];
  return cudaSuccess;
}

cudaError_t cudaMemPoolDestroy(cudaMemPool_t) { return cudaSuccess; }

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }

cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr, void* value) {
  const Lock lock(runtime().mutex);
  *static_cast<uint64_t*>(value) = *static_cast<size_t*>(pool);
  return cudaSuccess;
}

cudaError_t cudaMallocFromPoolAsync(void** memory, size_t bytes, cudaMemPool_t pool,
                                    cudaStream_t handle) {
  const Lock lock(runtime().mutex);
  Stream* const stream = stream_of(handle);
  if (!stream) return result(cudaErrorInvalidResourceHandle);
  if (pool != &runtime().used[stream->device]) return result(cudaErrorInvalidValue);
  if (stream->capturing) return result(cudaErrorStreamCaptureUnsupported);
  const auto fits = [&] { return runtime().used[stream->device] + bytes <= kDeviceBytes; };
  if (!fits()) drain_device(stream->device);  // what was given back in a stream comes free
  if (!fits()) return result(cudaErrorMemoryAllocation);
  return result(allocate(memory, bytes, stream->device));
}

cudaError_t cudaFreeAsync(void* memory, cudaStream_t handle) {
  const Lock lock(runtime().mutex);
  Stream* const stream = stream_of(handle);
  if (!stream) return result(cudaErrorInvalidResourceHandle);
  if (stream->capturing) return result(cudaErrorStreamCaptureUnsupported);
  submit(stream, [memory] { free_now(memory); });
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  const Lock lock(runtime().mutex);
  return result(allocate(memory, bytes, -1));
}

cudaError_t cudaFreeHost(void* memory) {
  const Lock lock(runtime().mutex);
  for (int device = 0; device < kDevices; ++device) drain_device(device);
  free_now(memory);
  return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* memory) {
  const Lock lock(runtime().mutex);
  const Allocation* const found = allocation_of(memory);
  *attributes = {cudaMemoryTypeUnregistered, -1};
  if (found && found->device >= 0) *attributes = {cudaMemoryTypeDevice, found->device};
  if (found && found->device < 0) *attributes = {cudaMemoryTypeHost, -1};
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t handle) {
  const Lock lock(runtime().mutex);
  Stream* const stream = stream_of(handle);
  if (!stream) return result(cudaErrorInvalidResourceHandle);
  const bool from_host = kind == cudaMemcpyHostToDevice, to_host = kind == cudaMemcpyDeviceToHost;
  if (!from_host && is_pageable(from)) return result(cudaErrorInvalidValue);
  if (!to_host && is_pageable(to)) return result(cudaErrorInvalidValue);
  if (from_host && is_pageable(from) && !stream->capturing) {
    // Staged at once; the caller may use its memory again.
    const auto* const first = static_cast<const unsigned char*>(from);
    const std::vector<unsigned char> staged(first, first + bytes);
    submit(stream, [to, staged] {
      if (!staged.empty()) std::memcpy(to, staged.data(), staged.size());
    });
    return cudaSuccess;
  }
  if (to_host && is_pageable(to)) {
    if (stream->capturing) return result(cudaErrorStreamCaptureUnsupported);
    drain(stream, stream->submitted);
    std::memcpy(to, from, bytes);
    return cudaSuccess;
  }
  submit(stream, [=] { std::memcpy(to, from, bytes); });
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* handle, unsigned) {
  const Lock lock(runtime().mutex);
  auto* const stream = new Stream;
  stream->device = current_device;
  runtime().streams.insert(stream);
  *handle = stream;
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  const Lock lock(runtime().mutex);
  Stream* const stream = stream_of(handle);
  if (!handle || !stream) return result(cudaErrorInvalidResourceHandle);
  drain(stream, stream->submitted);
  for (Event* event : runtime().events) {
    if (event->stream == stream) event->stream = nullptr;
  }
  runtime().streams.erase(stream);
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  const Lock lock(runtime().mutex);
  Stream* const stream = stream_of(handle);
  if (!stream) return result(cudaErrorInvalidResourceHandle);
  if (stream->capturing) return result(cudaErrorStreamCaptureUnsupported);
  drain(stream, stream->submitted);
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event_handle, unsigned) {
  const Lock lock(runtime().mutex);
  Stream* const stream = stream_of(handle);
  Event* const event = event_of(event_handle);
  if (!stream || !event) return result(cudaErrorInvalidResourceHandle);
  if (stream->capturing) return result(cudaErrorStreamCaptureIsolation);
  Stream* const other = event->stream;
  if (!other || other == stream) return cudaSuccess;
  submit(stream, [other, position = event->position] {
    if (runtime().streams.count(other)) drain(other, position);
  });
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  const Lock lock(runtime().mutex);
  Stream* const stream = stream_of(handle);
  if (!stream) return result(cudaErrorInvalidResourceHandle);
  *status = stream->capturing ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode) {
  const Lock lock(runtime().mutex);
  Stream* const stream = stream_of(handle);
  // As on a device, the default stream cannot be captured.
  if (!handle || !stream || stream->capturing) return result(cudaErrorStreamCaptureUnsupported);
  stream->capturing = true;
  stream->captured.clear();
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  const Lock lock(runtime().mutex);
  Stream* const stream = stream_of(handle);
  if (!stream || !stream->capturing) return result(cudaErrorStreamCaptureInvalidated);
  stream->capturing = false;
  *graph = new Graph{std::move(stream->captured)};
  stream->captured.clear();
  return cudaSuccess;
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode*) { return cudaSuccess; }

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
  *executable = new Graph(*static_cast<Graph*>(graph));
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete static_cast<Graph*>(graph);
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  const Lock lock(runtime().mutex);
  delete static_cast<Graph*>(executable);
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t handle) {
  const Lock lock(runtime().mutex);
  Stream* const stream = stream_of(handle);
  if (!stream) return result(cudaErrorInvalidResourceHandle);
  submit(stream, [nodes = static_cast<Graph*>(executable)->nodes] {
    for (const Work& node : nodes) node();
  });
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* handle, unsigned) {
  const Lock lock(runtime().mutex);
  auto* const event = new Event;
  event->device = current_device;
  runtime().events.insert(event);
  *handle = event;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t handle) {
  const Lock lock(runtime().mutex);
  Event* const event = event_of(handle);
  if (!event) return result(cudaErrorInvalidResourceHandle);
  runtime().events.erase(event);
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream_handle) {
  const Lock lock(runtime().mutex);
  Stream* const stream = stream_of(stream_handle);
  Event* const event = event_of(handle);
  if (!stream || !event || stream->device != event->device) {
    return result(cudaErrorInvalidResourceHandle);
  }
  event->captured = stream->capturing;
  if (stream->capturing) return cudaSuccess;
  submit(stream, [reached = event->reached] { *reached = milliseconds_now(); });
  event->stream = stream;
  event->position = stream->submitted;
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
  const Lock lock(runtime().mutex);
  Event* const event = event_of(handle);
  if (!event) return result(cudaErrorInvalidResourceHandle);
  if (event->captured) return result(cudaErrorStreamCaptureUnsupported);
  if (!event->stream || event->stream->done >= event->position) return cudaSuccess;
  // Who asks again and again must see an end: one step for each question.
  drain(event->stream, event->stream->done + 1);
  return result(cudaErrorNotReady);
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  const Lock lock(runtime().mutex);
  Event* const event = event_of(handle);
  if (!event) return result(cudaErrorInvalidResourceHandle);
  if (event->captured) return result(cudaErrorStreamCaptureUnsupported);
  if (event->stream) drain(event->stream, event->position);
  return cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start_handle,
                                 cudaEvent_t end_handle) {
  const Lock lock(runtime().mutex);
  Event* const start = event_of(start_handle);
  Event* const end = event_of(end_handle);
  if (!start || !end || *start->reached == 0 || *end->reached == 0) {
    return result(start && end ? cudaErrorNotReady : cudaErrorInvalidResourceHandle);
  }
  *milliseconds = static_cast<float>(*end->reached - *start->reached);
  return cudaSuccess;
}
