// Streams and pinned memory for arrays that come from the host in parts: while one part is computed
// the next one is on its way in, and the one before on its way out. Taken for a call and kept for
// the next one, since pinned memory is slow to come by.
#pragma once

#include <cstddef>
#include <memory>

#include "event.h"

namespace efl::cuda {

class Pipeline {
 public:
  // Two parts are under way at a time.
  struct Slot {
    // From memory of the caller to the device, by way of pinned memory.
    void bring(cudaStream_t stream, void* to, const void* from, void* pinned, int64_t bytes);
    // To pinned memory; `returned` says when it is there.
    void send(cudaStream_t stream, void* pinned, const void* from, int64_t bytes);

    void* narrow = nullptr;  // logits on the way in, gradient on the way out
    void* wide = nullptr;    // upstream gradients, elements
    Event arrived, computed, returned;
  };

  struct GiveBack {
    void operator()(Pipeline* pipeline) const noexcept;
  };
  using Taken = std::unique_ptr<Pipeline, GiveBack>;
  static Taken take(int device);

  explicit Pipeline(int device);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;

  // Until nothing is under way; whether all of it went well.
  bool wait() const noexcept;
  void make_room(std::size_t narrow_bytes, std::size_t wide_bytes);

  cudaStream_t in = nullptr, compute = nullptr, out = nullptr;
  Slot slots[2];

 private:
  struct Empty {};
  Pipeline(int device, Empty) : device_(device) {}

  const int device_;
  std::size_t narrow_bytes_ = 0, wide_bytes_ = 0;
};

}  // namespace efl::cuda
