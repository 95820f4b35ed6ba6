// The table of the library: what the addon sees of it.

#include <cstring>

#include "criterion.h"
#include "host_backend.h"

#if !defined(EFL_CUDA_ARCHITECTURES)
#define EFL_CUDA_ARCHITECTURES ""
#endif

struct efl_device_criterion : efl::cuda::Criterion {
  using Criterion::Criterion;
};

namespace efl::cuda {
namespace {

// With the device current, as most functions of the runtime want it.
template <class Body>
efl_device_error on(int32_t device, const Body& body) noexcept {
  return guarded([&] {
    check(cudaSetDevice(device));
    body();
  });
}

cudaStream_t to_stream(void* stream) { return static_cast<cudaStream_t>(stream); }
cudaEvent_t to_event(void* event) { return static_cast<cudaEvent_t>(event); }

void add_devices(efl_device_library* table) {
  table->error_name = [](efl_device_error error) {
    return cudaGetErrorName(static_cast<cudaError_t>(error));
  };
  table->error_text = [](efl_device_error error) {
    return cudaGetErrorString(static_cast<cudaError_t>(error));
  };
  table->versions = [](int32_t* driver, int32_t* runtime) {
    return guarded([&] {
      check(cudaDriverGetVersion(driver));
      check(cudaRuntimeGetVersion(runtime));
    });
  };
  table->device_count = [](int32_t* count) {
    return guarded([&] { check(cudaGetDeviceCount(count)); });
  };
  table->describe = [](int32_t device, efl_device_description* description) {
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
  };
  table->self_test = [](int32_t device) {
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
  };
  table->synchronize = [](int32_t device) {
    return on(device, [] { check(cudaDeviceSynchronize()); });
  };
}

void add_memory(efl_device_library* table) {
  table->allocate = [](int32_t device, void* stream, size_t bytes, void** memory) {
    return guarded([&] { *memory = allocate(device, to_stream(stream), bytes); });
  };
  table->release = [](int32_t device, void* stream, void* memory) {
    release(device, to_stream(stream), memory);
    return 0;
  };
  table->memory = [](int32_t device, efl_device_memory* memory) {
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
  };
  table->copy = [](int32_t device, void* stream, void* to, const void* from, size_t bytes,
                   efl_copy direction) {
    return on(device, [&] {
      const cudaMemcpyKind kind = direction == EFL_COPY_TO_DEVICE ? cudaMemcpyHostToDevice
                                  : direction == EFL_COPY_TO_HOST ? cudaMemcpyDeviceToHost
                                                                  : cudaMemcpyDeviceToDevice;
      if (bytes) check(cudaMemcpyAsync(to, from, bytes, kind, to_stream(stream)));
    });
  };
  table->allocate_pinned = [](size_t bytes, void** memory) {
    return guarded([&] { check(cudaMallocHost(memory, bytes)); });
  };
  table->release_pinned = [](void* memory) {
    return guarded([&] { check(cudaFreeHost(memory)); });
  };
  table->device_of = [](const void* memory, int32_t* device) {
    return guarded([&] {
      cudaPointerAttributes attributes{};
      check(cudaPointerGetAttributes(&attributes, memory));
      *device = attributes.type == cudaMemoryTypeDevice ? attributes.device : -1;
    });
  };
}

void add_streams(efl_device_library* table) {
  table->create_stream = [](int32_t device, void** stream) {
    return on(device, [&] {
      cudaStream_t created = nullptr;
      check(cudaStreamCreateWithFlags(&created, cudaStreamNonBlocking));
      *stream = created;
    });
  };
  table->destroy_stream = [](int32_t device, void* stream) {
    return on(device, [&] { check(cudaStreamDestroy(to_stream(stream))); });
  };
  table->synchronize_stream = [](int32_t device, void* stream) {
    return on(device, [&] { check(cudaStreamSynchronize(to_stream(stream))); });
  };
  table->is_capturing = [](int32_t device, void* stream, int32_t* capturing) {
    return on(device, [&] { *capturing = is_capturing(to_stream(stream)); });
  };
}

void add_events(efl_device_library* table) {
  table->create_event = [](int32_t device, int32_t timing, void** event) {
    return on(device, [&] {
      cudaEvent_t created = nullptr;
      check(cudaEventCreateWithFlags(&created, timing ? 0 : cudaEventDisableTiming));
      *event = created;
    });
  };
  table->destroy_event = [](int32_t device, void* event) {
    return on(device, [&] { check(cudaEventDestroy(to_event(event))); });
  };
  table->record_event = [](int32_t device, void* event, void* stream) {
    return on(device, [&] { check(cudaEventRecord(to_event(event), to_stream(stream))); });
  };
  table->wait_event = [](int32_t device, void* stream, void* event) {
    return on(device, [&] { check(cudaStreamWaitEvent(to_stream(stream), to_event(event), 0)); });
  };
  table->synchronize_event = [](int32_t device, void* event) {
    return on(device, [&] { check(cudaEventSynchronize(to_event(event))); });
  };
  table->event_done = [](int32_t device, void* event, int32_t* done) {
    return on(device, [&] {
      const cudaError_t state = cudaEventQuery(to_event(event));
      *done = state == cudaSuccess;
      // What is not ready is an error to the runtime, which it would report with the next launch.
      if (state == cudaErrorNotReady) {
        (void)cudaGetLastError();
      } else {
        check(state);
      }
    });
  };
  table->elapsed = [](int32_t device, void* start, void* end, float* milliseconds) {
    return on(device,
              [&] { check(cudaEventElapsedTime(milliseconds, to_event(start), to_event(end))); });
  };
}

void add_graphs(efl_device_library* table) {
  // Relaxed: memory may be taken meanwhile, and other threads may do as they like.
  table->begin_capture = [](int32_t device, void* stream) {
    return on(device, [&] {
      // Of what else the graph reads, whoever captures it takes care: no other stream may be waited
      // for by way of the device, since somebody else may be capturing it.
      check(cudaStreamSynchronize(to_stream(stream)));
      check(cudaStreamBeginCapture(to_stream(stream), cudaStreamCaptureModeRelaxed));
    });
  };
  table->end_capture = [](int32_t device, void* stream, void** graph) {
    return on(device, [&] {
      cudaGraph_t captured = nullptr;
      check(cudaStreamEndCapture(to_stream(stream), &captured));
      cudaGraphExec_t executable = nullptr;
      const cudaError_t error = cudaGraphInstantiate(&executable, captured, 0);
      (void)cudaGraphDestroy(captured);
      check(error);
      *graph = executable;
    });
  };
  table->launch_graph = [](int32_t device, void* graph, void* stream) {
    return on(device, [&] {
      check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), to_stream(stream)));
    });
  };
  table->destroy_graph = [](int32_t device, void* graph) {
    return on(device, [&] { check(cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph))); });
  };
}

void add_criteria(efl_device_library* table) {
  table->create_criterion = [](int32_t device, const SpecView* spec,
                               efl_device_criterion** criterion) {
    return on(device, [&] { *criterion = new efl_device_criterion(device, *spec); });
  };
  table->destroy_criterion = [](efl_device_criterion* criterion) { delete criterion; };
  table->compute = [](efl_device_criterion* criterion, const efl_device_call* call) {
    return guarded([&] { criterion->compute(*call); });
  };
  table->commit = [](efl_device_criterion* criterion, void* stream, const efl_reducer* reducer) {
    return guarded([&] { criterion->commit(to_stream(stream), reducer); });
  };
  table->enter = [](efl_device_criterion* criterion, void* stream) {
    return guarded([&] { criterion->enter(to_stream(stream)); });
  };
  table->leave = [](efl_device_criterion* criterion, void* stream) {
    return guarded([&] { criterion->leave(to_stream(stream)); });
  };
  table->write_state = [](efl_device_criterion* criterion, const double* positive,
                          const double* negative, const double* ratio, int64_t steps) {
    return guarded([&] { criterion->write_state(positive, negative, ratio, steps); });
  };
  table->read_state = [](efl_device_criterion* criterion, double* positive, double* negative,
                         double* ratio, int64_t* steps) {
    return guarded([&] { criterion->read_state(positive, negative, ratio, steps); });
  };
  table->write_pending = [](efl_device_criterion* criterion, const double* positive,
                            const double* negative, int64_t calls) {
    return guarded([&] { criterion->write_pending(positive, negative, calls); });
  };
  table->read_pending = [](efl_device_criterion* criterion, double* positive, double* negative,
                           int64_t* calls) {
    return guarded([&] { criterion->read_pending(positive, negative, calls); });
  };
}

efl_device_library library() {
  efl_device_library table{};
  table.version = EFL_VERSION;
  table.layout = EFL_DEVICE_LAYOUT;
#if defined(__CUDACC__)
  table.name = "cuda";
#else
  table.name = "emulated";
#endif
  table.architectures = EFL_CUDA_ARCHITECTURES;
  add_devices(&table);
  add_memory(&table);
  add_streams(&table);
  add_events(&table);
  add_graphs(&table);
  add_criteria(&table);
  table.backend = host_backend;
  return table;
}

}  // namespace
}  // namespace efl::cuda

extern "C" __attribute__((visibility("default"))) const efl_device_library* efl_device_table(void) {
  static const efl_device_library table = efl::cuda::library();
  return &table;
}
