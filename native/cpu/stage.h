// Rows that are not float32, or whose elements do not lie side by side, pass through a stage: a few
// thousand float32 that stay in the nearest cache.
#pragma once

#include "../core/half.h"
#include "half_pack.h"
#include "pack.h"

namespace {

// Of each stream at a time: several streams, what they need for each element and what they come
// from fit into the nearest cache together.
constexpr int32_t kStagedElements = 128;
constexpr int64_t kCacheLine = 64;  // bytes

struct Staging {
  efl_dtype dtype;
  int64_t stride;  // in memory, of consecutive elements

  EFL_MEMBER bool needed() const { return dtype != EFL_FLOAT32 || stride != 1; }
};

EFL_NEVER_INLINE static void stage_strided(const Staging& staging, const void* from, int64_t offset,
                                           float* to, int32_t count) {
  for (int32_t i = 0; i < count; ++i) {
    to[i] = efl::load(staging.dtype, from, offset + i * staging.stride);
  }
}

EFL_NEVER_INLINE static void unstage_strided(const Staging& staging, const float* from, void* to,
                                             int64_t offset, int32_t count) {
  for (int32_t i = 0; i < count; ++i) {
    efl::store(staging.dtype, to, offset + i * staging.stride, from[i]);
  }
}

inline void stage(const Staging& staging, const void* from, int64_t offset, float* to,
                  int32_t count) {
  if (staging.stride != 1 || staging.dtype == EFL_FLOAT32) {
    return stage_strided(staging, from, offset, to, count);
  }
  widen_all(staging.dtype, static_cast<const uint16_t*>(from) + offset, to, count);
}

inline void unstage(const Staging& staging, const float* from, void* to, int64_t offset,
                    int32_t count) {
  if (staging.stride != 1 || staging.dtype == EFL_FLOAT32) {
    return unstage_strided(staging, from, to, offset, count);
  }
  round_all(staging.dtype, from, static_cast<uint16_t*>(to) + offset, count);
}

// The staged arrays of a group of streams. The gradient is computed over the logits. What copies is
// not compiled into each of the many kernels: a call of it is nothing beside what it does.
template <int32_t kStreams>
class Stage {
 public:
  Stage(const efl_format& format, const efl_level& level, int64_t stride)
      : logits_{format.dtype, stride}, floats_{EFL_FLOAT32, stride}, level_(level) {}

  EFL_MEMBER bool needed() const { return logits_.needed(); }

  // `count` elements of stream r, the first of them at `offset` in the level's arrays. The stream's
  // pointers are such that element `first` is the first of them.
  EFL_NEVER_INLINE Stream open(int32_t r, int64_t offset, int32_t first, int32_t count) {
    stage(logits_, level_.logits, offset, values_[r], count);
    if (level_.grad_output) stage(floats_, level_.grad_output, offset, grad_output_[r], count);
    return {values_[r] - first, level_.gradient ? values_[r] - first : nullptr,
            level_.elements ? elements_[r] - first : nullptr,
            level_.grad_output ? grad_output_[r] - first : nullptr};
  }

  // What is to be opened next is asked for while what is open is computed.
  EFL_NEVER_INLINE void prefetch(int64_t offset, int32_t count) const {
    const int64_t size = logits_.dtype == EFL_FLOAT32 ? sizeof(float) : sizeof(uint16_t);
    for (int64_t byte = offset * size; byte < (offset + count) * size; byte += kCacheLine) {
      __builtin_prefetch(static_cast<const char*>(level_.logits) + byte, 0);
      if (level_.gradient) __builtin_prefetch(static_cast<char*>(level_.gradient) + byte, 1);
    }
  }

  EFL_NEVER_INLINE void close(int32_t r, int64_t offset, int32_t count) {
    if (level_.gradient) unstage(logits_, values_[r], level_.gradient, offset, count);
    if (level_.elements) unstage(floats_, elements_[r], level_.elements, offset, count);
  }

 private:
  const Staging logits_;
  const Staging floats_;
  const efl_level& level_;
  // Not a power of two apart, or the streams would compete for the same lines of the cache.
  static constexpr int32_t kPadded = kStagedElements + 16;
  alignas(64) float values_[kStreams][kPadded];
  alignas(64) float elements_[kStreams][kPadded];
  alignas(64) float grad_output_[kStreams][kPadded];
};

}  // namespace
