// The CUDA runtime, or in tests a model of it on the host.
#pragma once

#if defined(__CUDACC__)
#include <cuda_runtime.h>
#else
#include "cuda_runtime_on_host.h"
#endif
