// Errors of the runtime travel as exceptions as far as the C interface.
#pragma once

#include <new>

#include "../core/device_library.h"
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

// The boundary of the C interface: no exception leaves it.
template <class Body>
efl_device_error guarded(const Body& body) noexcept {
  try {
    body();
    return 0;
  } catch (const CudaError& failed) {
    return failed.error;
  } catch (const std::bad_alloc&) {
    return EFL_DEVICE_OUT_OF_MEMORY;
  } catch (...) {
    return cudaErrorUnknown;
  }
}

}  // namespace efl::cuda
