// A criterion on one device: its state, its parameters, and the memory its calls need.
#pragma once

#include <vector>

#include "../core/device_library.h"
#include "event.h"
#include "fused_call.h"
#include "settle.h"

namespace efl::cuda {

class Criterion {
 public:
  Criterion(int device, const efl_device_settings& settings);
  ~Criterion();
  Criterion(const Criterion&) = delete;

  void compute(const efl_device_call& given);
  // Calls share the workspace and the state, whatever their streams: `stream` waits for the calls
  // made before, and the next one for what is in it.
  void enter(cudaStream_t stream) const;
  void leave(cudaStream_t stream);
  void write_state(const double* positive, const double* negative, const double* ratio,
                   int64_t steps);
  void read_state(double* positive, double* negative, double* ratio, int64_t* steps);

 private:
  // Everything of a lasting size, in one piece of memory.
  struct Lasting {
    Lasting(int32_t classes, int32_t columns, int32_t ignored, Parts parts);
    StateArrays state;
    float* foreground_weight;
    int32_t* ignored;
    double* positive_weight;
    double* negative_weight;
    Sums sums;
    std::size_t bytes;
  };

  FusedCall fused_call(const efl_device_call& given) const;
  void enqueue_call(const FusedCall& call, efl_report* report, cudaStream_t stream) const;
  void make_room(std::size_t bytes, bool capturing);
  void wait_for_calls() const;

  const int device_;
  efl_device_settings settings_;
  ClassRule rule_;
  int32_t classes_, columns_;
  DeviceMemory memory_;
  Lasting lasting_;
  DeviceMemory workspace_;
  std::vector<DeviceMemory> outgrown_;  // which graphs may still use
  bool captured_ = false;
  Event last_call_;
};

}  // namespace efl::cuda
