// Statistics of gradients from elsewhere: the fused kernels with an element that is its own
// gradient, and nothing to write.
#pragma once

#include "focal_thread.cuh"

namespace efl::cuda {

struct CollectedGradient {
  template <class Math, class Real = typename Math::Real>
  static EFL_DEVICE LossTerms<Math> hard(Real u, Real, Real) {
    return {0, 0, Math::absolute(u)};
  }
};

template <>
inline constexpr float kAbsent<CollectedGradient> = 0;

}  // namespace efl::cuda
