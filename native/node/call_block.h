// The numbers of a call, in an array that the addon makes for its environment and shares with lib:
// reading and writing them there costs no call of Node-API, and allocates nothing. It begins with
// the report of a synchronous call. codes.cc gives lib the names of the slots.
#pragma once

#include <cmath>
#include <cstddef>

#include "../core/report.h"
#include "napi_setup.h"

namespace efl::node {

constexpr std::size_t kReportSlots = sizeof(efl_report) / sizeof(double);

enum BlockSlot : std::size_t {
  kCriterion = kReportSlots,  // the number of the criterion that a synchronous call is made on
  kNormalizer,
  kCountPositives,  // not 0: the normalizer is the number of positives
  kUpstream,
  kLossScale,
  kCollect,         // 0 or 1
  kGradientsGiven,  // 0 or 1
  kGamma,           // this and what follows: of `dense`
  kAlpha,
  kReduction,
  kBlockSlots
};

class CallBlock {
 public:
  // Makes the array, to be done once; it lives as long as the environment.
  Napi::Value share(Napi::Env env) {
    Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, kBlockSlots * sizeof(double));
    slots_ = static_cast<double*>(buffer.Data());
    const Napi::Float64Array array = Napi::Float64Array::New(env, kBlockSlots, buffer, 0);
    array_ = Napi::Persistent(array.As<Napi::Object>());
    return array;
  }

  double operator[](BlockSlot slot) const { return slots_[slot]; }
  efl_report* report() const { return reinterpret_cast<efl_report*>(slots_); }

 private:
  double* slots_ = nullptr;
  Napi::ObjectReference array_;
};

}  // namespace efl::node
