#include "memory.h"

namespace efl::cuda {
bool is_capturing(cudaStream_t stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(stream, &status));
  return status != cudaStreamCaptureStatusNone;
}

void* allocate(int device, cudaStream_t stream, std::size_t bytes) {
  void* memory = nullptr;
  check(cudaSetDevice(device));
  const bool capturing = stream && is_capturing(stream);
  check(cudaMallocAsync(&memory, bytes, capturing ? nullptr : stream));
  if (capturing) check(cudaStreamSynchronize(nullptr));
  return memory;
}

void release(int device, cudaStream_t stream, void* memory) noexcept {
  // Fails where the process ends and the runtime has gone before us, or the device has failed.
  if (cudaSetDevice(device) != cudaSuccess || cudaFreeAsync(memory, stream) != cudaSuccess) {
    (void)cudaGetLastError();
  }
}

}  // namespace efl::cuda
