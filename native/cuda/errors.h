// Errors of the runtime travel as exceptions as far as the C interface.
#pragma once

#include "runtime.h"

namespace efl::cuda {

struct CudaError {
  cudaError_t error;
};

inline void check(cudaError_t error) {
  if (error == cudaSuccess) return;
  (void)cudaGetLastError();  // the runtime would report it again with the next launch
  throw CudaError{error};
}

// Of the launches since the last check.
inline void check_launches() { check(cudaGetLastError()); }

}  // namespace efl::cuda
