// Device memory that is given back to the stream it was taken for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "errors.h"

namespace efl::cuda {

// Also within a capture, which would otherwise make an allocation a part of the graph: then the
// memory comes from the default stream, and is there when the function returns.
void* allocate(int device, cudaStream_t stream, std::size_t bytes);
// After what is in the stream now; cannot fail in a way that anybody could do something about.
void release(int device, cudaStream_t stream, void* memory) noexcept;

bool is_capturing(cudaStream_t stream);

// The pool that all of it comes from: our own, since what is set on the device's default one would
// hold for everybody in the process.
cudaMemPool_t pool_of(int device);

class DeviceMemory {
 public:
  DeviceMemory() = default;
  DeviceMemory(int device, cudaStream_t stream, std::size_t bytes)
      : device_(device), stream_(stream), bytes_(bytes), data_(allocate(device, stream, bytes)) {}
  ~DeviceMemory() {
    if (data_) release(device_, stream_, data_);
  }
  DeviceMemory(DeviceMemory&& other) noexcept { swap(other); }
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    swap(other);
    return *this;
  }

  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void swap(DeviceMemory& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(stream_, other.stream_);
    std::swap(bytes_, other.bytes_);
    std::swap(data_, other.data_);
  }

  int device_ = 0;
  cudaStream_t stream_ = nullptr;
  std::size_t bytes_ = 0;
  void* data_ = nullptr;
};

// Hands out parts of a piece of memory, or, without one, only counts how large it has to be.
class Parts {
 public:
  explicit Parts(void* memory = nullptr) : memory_(static_cast<unsigned char*>(memory)) {}

  template <class T>
  T* take(int64_t count) {
    T* const part = memory_ ? reinterpret_cast<T*>(memory_ + taken_) : nullptr;
    taken_ +=
        (static_cast<std::size_t>(count) * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    return part;
  }
  std::size_t taken() const { return taken_; }

 private:
  static constexpr std::size_t kAlignment = 256;
  unsigned char* memory_;
  std::size_t taken_ = 0;
};

}  // namespace efl::cuda
