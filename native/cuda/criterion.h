// A criterion on one device: its state, its parameters, and the memory its calls need.
#pragma once

#include <vector>

#include "../core/device_library.h"
#include "event.h"
#include "fused_call.h"
#include "reduction.h"
#include "settle.h"

namespace efl::cuda {

class Criterion {
 public:
  Criterion(int device, const SpecView& spec);
  ~Criterion();
  Criterion(const Criterion&) = delete;

  void compute(const efl_device_call& given);
  void commit(cudaStream_t stream, const efl_reducer* reducer);
  // Calls share the workspace and the state, whatever their streams: `stream` waits for the calls
  // made before, and the next one for what is in it.
  void enter(cudaStream_t stream) const;
  void leave(cudaStream_t stream);
  void write_state(const double* positive, const double* negative, const double* ratio,
                   int64_t steps);
  void read_state(double* positive, double* negative, double* ratio, int64_t* steps);
  void write_pending(const double* positive, const double* negative, int64_t calls);
  void read_pending(double* positive, double* negative, int64_t* calls);

 private:
  // Whatever the calls, all in one piece of memory.
  struct Arrays {
    Arrays(const SpecView& spec, Parts parts);
    StateArrays state;
    PendingArrays pending;
    // What the kernels read in place of the state's where statistics are to have no part in it.
    float* base_gamma;
    float* base_positive_weight;
    float* base_negative_weight;
    float* foreground_weight;
    int32_t* ignored;
    Sums sums;
    Reduction::Arrays reduction;
    std::size_t bytes;
  };

  FusedCall fused_call(const efl_device_call& given) const;
  // Puts work into the stream, within or outside of a capture, after the calls made before.
  template <class Work>
  void in_order(cudaStream_t stream, Reduction* reduction, const Work& work);
  void fill_columns(const StateArrays& state) const;
  // What follows from the ratios of the state.
  void write_parameters(const ClassRule& rule, const StateArrays& state) const;
  void enqueue_call(const efl_device_call& given, const FusedCall& call,
                    Reduction* reduction) const;
  void make_room(std::size_t bytes, bool capturing);
  void wait_for_calls() const;

  const int device_;
  SpecView spec_;  // its arrays are on the device
  const int32_t classes_;
  const std::vector<float> class_gamma_;  // or none: that of the rule
  DeviceMemory memory_;
  Arrays arrays_;
  DeviceMemory workspace_;
  std::vector<DeviceMemory> outgrown_;  // which graphs may still use
  bool captured_ = false;
  Event last_call_;
};

}  // namespace efl::cuda
