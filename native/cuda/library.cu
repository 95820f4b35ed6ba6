// The table of the library: what the addon sees of it.

#include <cstring>
#include <new>

#include "../core/device_library.h"
#include "criterion.h"
#include "host_arrays.h"

#if !defined(EFL_CUDA_ARCHITECTURES)
#define EFL_CUDA_ARCHITECTURES ""
#endif

struct efl_device_criterion : efl::cuda::Criterion {
  using Criterion::Criterion;
};

namespace efl::cuda {
namespace {

// The boundary of the C interface: no exception leaves it.
template <class Body>
efl_device_error guarded(const Body& body) noexcept {
  try {
    body();
    return 0;
  } catch (const CudaError& failed) {
    return failed.error;
  } catch (const std::bad_alloc&) {
    return EFL_DEVICE_OUT_OF_MEMORY;
  } catch (...) {
    return cudaErrorUnknown;
  }
}

// With the device current, as most functions of the runtime want it.
template <class Body>
efl_device_error on(int32_t device, const Body& body) noexcept {
  return guarded([&] {
    check(cudaSetDevice(device));
    body();
  });
}

const char* error_name(efl_device_error error) {
  return cudaGetErrorName(static_cast<cudaError_t>(error));
}

const char* error_text(efl_device_error error) {
  return cudaGetErrorString(static_cast<cudaError_t>(error));
}

efl_device_error versions(int32_t* driver, int32_t* runtime) {
  return guarded([&] {
    check(cudaDriverGetVersion(driver));
    check(cudaRuntimeGetVersion(runtime));
  });
}

efl_device_error device_count(int32_t* count) {
  return guarded([&] { check(cudaGetDeviceCount(count)); });
}

efl_device_error describe(int32_t device, efl_device_description* description) {
  return guarded([&] {
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, device));
    *description = {};
    static_assert(sizeof description->name >= sizeof properties.name, "names fit");
    std::memcpy(description->name, properties.name, sizeof properties.name);
    description->major = properties.major;
    description->minor = properties.minor;
    description->multiprocessors = properties.multiProcessorCount;
  });
}

efl_device_error self_test(int32_t device) {
  return on(device, [&] {
    const DeviceMemory memory(device, nullptr, sizeof(SurveyTotals));
    auto* const totals = static_cast<SurveyTotals*>(memory.data());
    launch_clear_survey(totals, nullptr);
    check_launches();
    SurveyTotals seen{};
    check(cudaMemcpyAsync(&seen, totals, sizeof seen, cudaMemcpyDeviceToHost, nullptr));
    check(cudaStreamSynchronize(nullptr));
    if (seen.rows != 0 || seen.bad.label != kNothingBad) throw CudaError{cudaErrorUnknown};
  });
}

efl_device_error synchronize(int32_t device) {
  return on(device, [] { check(cudaDeviceSynchronize()); });
}

efl_device_error allocate_memory(int32_t device, void* stream, size_t bytes, void** memory) {
  return guarded([&] { *memory = allocate(device, static_cast<cudaStream_t>(stream), bytes); });
}

efl_device_error release_memory(int32_t device, void* stream, void* memory) {
  release(device, static_cast<cudaStream_t>(stream), memory);
  return 0;
}

efl_device_error memory_of(int32_t device, efl_device_memory* memory) {
  return on(device, [&] {
    size_t available = 0, total = 0;
    check(cudaMemGetInfo(&available, &total));
    const cudaMemPool_t pool = pool_of(device);
    uint64_t reserved = 0, used = 0;
    check(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrReservedMemCurrent, &reserved));
    check(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrUsedMemCurrent, &used));
    *memory = {static_cast<int64_t>(total), static_cast<int64_t>(available),
               static_cast<int64_t>(reserved), static_cast<int64_t>(used)};
  });
}

efl_device_error copy(int32_t device, void* stream, void* to, const void* from, size_t bytes,
                      efl_copy direction) {
  return on(device, [&] {
    const cudaMemcpyKind kind = direction == EFL_COPY_TO_DEVICE ? cudaMemcpyHostToDevice
                                : direction == EFL_COPY_TO_HOST ? cudaMemcpyDeviceToHost
                                                                : cudaMemcpyDeviceToDevice;
    if (bytes) check(cudaMemcpyAsync(to, from, bytes, kind, static_cast<cudaStream_t>(stream)));
  });
}

efl_device_error allocate_pinned(size_t bytes, void** memory) {
  return guarded([&] { check(cudaMallocHost(memory, bytes)); });
}

efl_device_error release_pinned(void* memory) {
  return guarded([&] { check(cudaFreeHost(memory)); });
}

efl_device_error device_of(const void* memory, int32_t* device) {
  return guarded([&] {
    cudaPointerAttributes attributes{};
    check(cudaPointerGetAttributes(&attributes, memory));
    *device = attributes.type == cudaMemoryTypeDevice ? attributes.device : -1;
  });
}

efl_device_error create_stream(int32_t device, void** stream) {
  return on(device, [&] {
    cudaStream_t created = nullptr;
    check(cudaStreamCreateWithFlags(&created, cudaStreamNonBlocking));
    *stream = created;
  });
}

efl_device_error destroy_stream(int32_t device, void* stream) {
  return on(device, [&] { check(cudaStreamDestroy(static_cast<cudaStream_t>(stream))); });
}

efl_device_error synchronize_stream(int32_t device, void* stream) {
  return on(device, [&] { check(cudaStreamSynchronize(static_cast<cudaStream_t>(stream))); });
}

efl_device_error stream_is_capturing(int32_t device, void* stream, int32_t* capturing) {
  return on(device, [&] { *capturing = is_capturing(static_cast<cudaStream_t>(stream)); });
}

efl_device_error create_event(int32_t device, int32_t timing, void** event) {
  return on(device, [&] {
    cudaEvent_t created = nullptr;
    check(cudaEventCreateWithFlags(&created, timing ? 0 : cudaEventDisableTiming));
    *event = created;
  });
}

efl_device_error destroy_event(int32_t device, void* event) {
  return on(device, [&] { check(cudaEventDestroy(static_cast<cudaEvent_t>(event))); });
}

efl_device_error record_event(int32_t device, void* event, void* stream) {
  return on(device, [&] {
    check(cudaEventRecord(static_cast<cudaEvent_t>(event), static_cast<cudaStream_t>(stream)));
  });
}

efl_device_error wait_event(int32_t device, void* stream, void* event) {
  return on(device, [&] {
    check(
        cudaStreamWaitEvent(static_cast<cudaStream_t>(stream), static_cast<cudaEvent_t>(event), 0));
  });
}

efl_device_error synchronize_event(int32_t device, void* event) {
  return on(device, [&] { check(cudaEventSynchronize(static_cast<cudaEvent_t>(event))); });
}

efl_device_error event_done(int32_t device, void* event, int32_t* done) {
  return on(device, [&] {
    const cudaError_t state = cudaEventQuery(static_cast<cudaEvent_t>(event));
    *done = state == cudaSuccess;
    // What is not ready is an error to the runtime, which it would report with the next launch.
    if (state == cudaErrorNotReady) {
      (void)cudaGetLastError();
    } else {
      check(state);
    }
  });
}

efl_device_error elapsed(int32_t device, void* start, void* end, float* milliseconds) {
  return on(device, [&] {
    check(cudaEventElapsedTime(milliseconds, static_cast<cudaEvent_t>(start),
                               static_cast<cudaEvent_t>(end)));
  });
}

// Relaxed: memory may be taken meanwhile, and other threads may do as they like.
efl_device_error begin_capture(int32_t device, void* stream) {
  return on(device, [&] {
    // Of what else the graph reads, whoever captures it takes care: no other stream may be waited
    // for by way of the device, since somebody else may be capturing it.
    check(cudaStreamSynchronize(static_cast<cudaStream_t>(stream)));
    check(cudaStreamBeginCapture(static_cast<cudaStream_t>(stream), cudaStreamCaptureModeRelaxed));
  });
}

efl_device_error end_capture(int32_t device, void* stream, void** graph) {
  return on(device, [&] {
    cudaGraph_t captured = nullptr;
    check(cudaStreamEndCapture(static_cast<cudaStream_t>(stream), &captured));
    cudaGraphExec_t executable = nullptr;
    const cudaError_t error = cudaGraphInstantiate(&executable, captured, 0);
    (void)cudaGraphDestroy(captured);
    check(error);
    *graph = executable;
  });
}

efl_device_error launch_graph(int32_t device, void* graph, void* stream) {
  return on(device, [&] {
    check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), static_cast<cudaStream_t>(stream)));
  });
}

efl_device_error destroy_graph(int32_t device, void* graph) {
  return on(device, [&] { check(cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph))); });
}

efl_device_error create_criterion(int32_t device, const efl_device_settings* settings,
                                  efl_device_criterion** criterion) {
  return on(device, [&] { *criterion = new efl_device_criterion(device, *settings); });
}

void destroy_criterion(efl_device_criterion* criterion) { delete criterion; }

efl_device_error compute(efl_device_criterion* criterion, const efl_device_call* call) {
  return guarded([&] { criterion->compute(*call); });
}

efl_device_error enter(efl_device_criterion* criterion, void* stream) {
  return guarded([&] { criterion->enter(static_cast<cudaStream_t>(stream)); });
}

efl_device_error leave(efl_device_criterion* criterion, void* stream) {
  return guarded([&] { criterion->leave(static_cast<cudaStream_t>(stream)); });
}

efl_device_error write_state(efl_device_criterion* criterion, const double* positive,
                             const double* negative, const double* ratio, int64_t steps) {
  return guarded([&] { criterion->write_state(positive, negative, ratio, steps); });
}

efl_device_error read_state(efl_device_criterion* criterion, double* positive, double* negative,
                            double* ratio, int64_t* steps) {
  return guarded([&] { criterion->read_state(positive, negative, ratio, steps); });
}

constexpr int kMostDevices = 16;

template <class Problem, efl_status (*compute)(int, const Problem&, efl_result*), int kDevice>
efl_status host_arrays(const Problem* problem, efl_result* result) {
  *result = efl_result{};
  efl_status status = EFL_DEVICE_ERROR;
  const efl_device_error error = guarded([&] { status = compute(kDevice, *problem, result); });
  if (error == 0) return status;
  *result = efl_result{};
  result->bad_index = error;
  return error == EFL_DEVICE_OUT_OF_MEMORY ? EFL_OUT_OF_MEMORY : EFL_DEVICE_ERROR;
}

// A table for each device: its functions are told no other way which one they are for.
template <int kDevice>
const efl_backend* backend_of(int32_t device) {
  static const efl_backend backend = {
      EFL_BACKEND_ABI,
      "cuda",
      "host arrays",
      host_arrays<efl_problem, compute_host_arrays, kDevice>,
      host_arrays<efl_collect_problem, collect_host_arrays, kDevice>,
      nullptr,
      nullptr,
  };
  if (device == kDevice) return &backend;
  if constexpr (kDevice + 1 < kMostDevices) return backend_of<kDevice + 1>(device);
  return nullptr;
}

const efl_backend* backend(int32_t device) {
  int32_t count = 0;
  if (device_count(&count) != 0 || device < 0 || device >= count) return nullptr;
  return backend_of<0>(device);
}

const efl_device_library library = {
    EFL_DEVICE_ABI,
#if defined(__CUDACC__)
    "cuda",
#else
    "emulated",
#endif
    EFL_CUDA_ARCHITECTURES,
    error_name,
    error_text,
    versions,
    device_count,
    describe,
    self_test,
    synchronize,
    allocate_memory,
    release_memory,
    memory_of,
    copy,
    allocate_pinned,
    release_pinned,
    device_of,
    create_stream,
    destroy_stream,
    synchronize_stream,
    stream_is_capturing,
    create_event,
    destroy_event,
    record_event,
    wait_event,
    synchronize_event,
    event_done,
    elapsed,
    begin_capture,
    end_capture,
    launch_graph,
    destroy_graph,
    create_criterion,
    destroy_criterion,
    compute,
    enter,
    leave,
    write_state,
    read_state,
    backend,
};

}  // namespace
}  // namespace efl::cuda

extern "C" __attribute__((visibility("default"))) const efl_device_library*
efl_device_library_table(void) {
  return &efl::cuda::library;
}
