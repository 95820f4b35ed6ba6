#include "memory.h"

#include <map>
#include <mutex>

namespace efl::cuda {
namespace {

// Never destroyed: the runtime may end before us.
struct Pools {
  std::mutex mutex;
  std::map<int, cudaMemPool_t> of_device;
};

Pools& pools() {
  static Pools* const only = new Pools;
  return *only;
}

cudaMemPool_t new_pool(int device) {
  cudaMemPoolProps properties{};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.location.type = cudaMemLocationTypeDevice;
  properties.location.id = device;
  cudaMemPool_t pool = nullptr;
  check(cudaMemPoolCreate(&pool, &properties));
  // Memory given back stays: without this every wait would hand it to the system.
  uint64_t threshold = UINT64_MAX;
  const cudaError_t error =
      cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &threshold);
  if (error != cudaSuccess) (void)cudaMemPoolDestroy(pool);
  check(error);
  return pool;
}

}  // namespace

cudaMemPool_t pool_of(int device) {
  const std::lock_guard<std::mutex> lock(pools().mutex);
  cudaMemPool_t& pool = pools().of_device[device];
  if (!pool) pool = new_pool(device);
  return pool;
}

bool is_capturing(cudaStream_t stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(stream, &status));
  return status != cudaStreamCaptureStatusNone;
}

void* allocate(int device, cudaStream_t stream, std::size_t bytes) {
  void* memory = nullptr;
  check(cudaSetDevice(device));
  const bool capturing = stream && is_capturing(stream);
  const cudaStream_t home = capturing ? nullptr : stream;
  check(cudaMallocFromPoolAsync(&memory, bytes, pool_of(device), home));
  if (!capturing) return memory;
  const cudaError_t error = cudaStreamSynchronize(home);
  if (error != cudaSuccess) release(device, home, memory);
  check(error);
  return memory;
}

void release(int device, cudaStream_t stream, void* memory) noexcept {
  // Fails where the process ends and the runtime has gone before us, or the device has failed.
  if (cudaSetDevice(device) != cudaSuccess || cudaFreeAsync(memory, stream) != cudaSuccess) {
    (void)cudaGetLastError();
  }
}

}  // namespace efl::cuda
