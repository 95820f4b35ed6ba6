// The numbers of a call, in an array that the addon makes for its environment and shares with lib:
// reading and writing them there costs no call of Node-API, and allocates nothing. It begins with
// the report of a synchronous call. codes.cc gives lib the names of the slots.
#pragma once

#include <cstddef>
#include <iterator>

#include "../core/call.h"
#include "../core/report.h"
#include "napi_setup.h"

namespace efl::node {

constexpr std::size_t kReportSlots = sizeof(efl_report) / sizeof(double);

enum BlockSlot : std::size_t {
  kCriterion = kReportSlots,  // the number of the criterion that a synchronous call is made on
  kCountPositives,            // not 0: the normalizer is a code, of what is counted in the call
  kCollect,                   // an efl_collect
  kEqualize,                  // 0 or 1
  kGradientsGiven,            // 0 or 1
  kGamma,                     // this and the two after it: of `dense`
  kAlpha,
  kReduction,
  kFirstNumber,  // those of kCallNumbers, in their order
  kBlockSlots = kFirstNumber + std::size(kCallNumbers)
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

  double operator[](std::size_t slot) const { return slots_[slot]; }
  // A number of a call, by its field.
  double number(double efl_call::* field) const {
    std::size_t slot = kFirstNumber;
    for (const CallNumber& number : kCallNumbers) {
      if (number.field == field) break;
      ++slot;
    }
    return slots_[slot];
  }
  efl_report* report() const { return reinterpret_cast<efl_report*>(slots_); }

 private:
  double* slots_ = nullptr;
  Napi::ObjectReference array_;
};

}  // namespace efl::node
