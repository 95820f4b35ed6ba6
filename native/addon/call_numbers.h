// The numbers of a call, in an array that the addon makes for its environment and shares with lib:
// reading and writing them there costs no call of Node-API. The first slots take the outcome of a
// synchronous call. The slots are named again in lib/binding/addon.ts.
#pragma once

#include <cstddef>

#include "napi_setup.h"
#include "outcome.h"

namespace efl::addon {

enum CallNumber : std::size_t {
  kNormalizer = kOutcomeSlots,
  kUpstream,
  kLossScale,
  kCollect,  // 0 or 1
  kScale,
  kGamma,
  kAlpha,
  kReduction,
  kCriterion,
  kCallNumbers
};

class CallNumbers {
 public:
  // Makes the array, to be done once; it lives as long as the environment.
  Napi::Value share(Napi::Env env) {
    Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, kCallNumbers * sizeof(double));
    slots_ = static_cast<double*>(buffer.Data());
    const Napi::Float64Array array = Napi::Float64Array::New(env, kCallNumbers, buffer, 0);
    array_ = Napi::Persistent(array.As<Napi::Object>());
    return array;
  }

  double operator[](CallNumber number) const { return slots_[number]; }
  double* outcome() { return slots_; }

 private:
  double* slots_ = nullptr;
  Napi::ObjectReference array_;
};

}  // namespace efl::addon
