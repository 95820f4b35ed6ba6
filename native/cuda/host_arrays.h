// Where the arrays of a call on the host are on a device: labels and what else decides whether the
// call is good as a whole, what has a value for each logit in parts, two of them at a time.
#pragma once

#include <vector>

#include "fused_call.h"
#include "host_parts.h"

namespace efl::cuda {

struct PartArrays {
  void* logits;  // and, in their place, the gradient
  float* elements;
  float* grad_output;
};

class HostArrays {
 public:
  // Takes all device memory that the call needs.
  HostArrays(int device, cudaStream_t stream, const efl_problem& problem);
  HostArrays(const HostArrays&) = delete;

  void upload_whole(cudaStream_t stream) const;
  FusedCall call_of(const HostPart& part, const PartArrays& arrays) const;
  Workspace workspace_of(const FusedCall& call, const HostPart& part) const;
  int64_t bytes_of_logits(int64_t count) const { return count * bytes_of(given.format.dtype); }

  efl_problem given;              // on the host,
  std::vector<efl_level> levels;  // and its levels as it uses them
  std::vector<HostPart> parts;
  int32_t columns;
  int64_t most_elements = 0;  // of a part
  bool has_elements = false, has_grad_output = false, has_targets = false;

  FusedCall whole{};  // on the device, without what comes in parts
  Sums sums;
  int32_t* dense_columns = nullptr;
  PartArrays slots[2] = {};

 private:
  void place(Parts* memory);
  void place_level(int32_t index, Parts* memory);

  unsigned char* workspace_ = nullptr;
  DeviceMemory memory_;
};

}  // namespace efl::cuda
