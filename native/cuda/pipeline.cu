#include "pipeline.h"

#include <cstring>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace efl::cuda {
namespace {

// Those that no call has, by device. Never destroyed: the runtime may end before us.
struct Spare {
  std::mutex mutex;
  std::map<int, std::vector<std::unique_ptr<Pipeline>>> of_device;
};

Spare& spare() {
  static Spare* const only = new Spare;
  return *only;
}

// Where there is no more memory, what there was stays.
void grow(void** memory, std::size_t bytes) {
  void* larger = nullptr;
  check(cudaMallocHost(&larger, bytes));
  void* const smaller = std::exchange(*memory, larger);
  if (smaller) check(cudaFreeHost(smaller));
}

}  // namespace

void Pipeline::Slot::bring(cudaStream_t stream, void* to, const void* from, void* pinned,
                           int64_t bytes) {
  if (bytes == 0) return;
  std::memcpy(pinned, from, static_cast<std::size_t>(bytes));
  check(
      cudaMemcpyAsync(to, pinned, static_cast<std::size_t>(bytes), cudaMemcpyHostToDevice, stream));
}

void Pipeline::Slot::send(cudaStream_t stream, void* pinned, const void* from, int64_t bytes) {
  if (bytes == 0) return;
  check(cudaMemcpyAsync(pinned, from, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToHost,
                        stream));
}

// The other constructor has been through: where a stream cannot be made, the destructor sees to
// those that have been.
Pipeline::Pipeline(int device) : Pipeline(device, Empty{}) {
  for (cudaStream_t* stream : {&in, &compute, &out}) {
    check(cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking));
  }
}

Pipeline::~Pipeline() {
  for (Slot& slot : slots) {
    if (slot.narrow) (void)cudaFreeHost(slot.narrow);
    if (slot.wide) (void)cudaFreeHost(slot.wide);
  }
  for (cudaStream_t stream : {in, compute, out}) {
    if (stream) (void)cudaStreamDestroy(stream);
  }
}

bool Pipeline::wait() const noexcept {
  bool idle = true;
  for (cudaStream_t stream : {in, compute, out}) {
    idle = cudaStreamSynchronize(stream) == cudaSuccess && idle;
  }
  if (!idle) (void)cudaGetLastError();
  return idle;
}

void Pipeline::make_room(std::size_t narrow_bytes, std::size_t wide_bytes) {
  for (Slot& slot : slots) {
    if (narrow_bytes > narrow_bytes_) grow(&slot.narrow, narrow_bytes);
    if (wide_bytes > wide_bytes_) grow(&slot.wide, wide_bytes);
  }
  if (narrow_bytes > narrow_bytes_) narrow_bytes_ = narrow_bytes;
  if (wide_bytes > wide_bytes_) wide_bytes_ = wide_bytes;
}

Pipeline::Taken Pipeline::take(int device) {
  {
    const std::lock_guard<std::mutex> lock(spare().mutex);
    auto& pipelines = spare().of_device[device];
    if (!pipelines.empty()) {
      Taken taken(pipelines.back().release());
      pipelines.pop_back();
      return taken;
    }
  }
  return Taken(new Pipeline(device));
}

void Pipeline::GiveBack::operator()(Pipeline* pipeline) const noexcept {
  // A call that failed may have left something under way.
  const bool idle = pipeline->wait();
  std::unique_ptr<Pipeline> owned(pipeline);
  if (!idle) return;
  try {
    const std::lock_guard<std::mutex> lock(spare().mutex);
    spare().of_device[pipeline->device_].push_back(std::move(owned));
  } catch (const std::bad_alloc&) {
    // Then it is not kept.
  }
}

}  // namespace efl::cuda
