// The JavaScript object behind a criterion.
#pragma once

#include <memory>

#include "call_block.h"
#include "criterion_registry.h"
#include "criterion_state.h"
#include "levels.h"
#include "napi_setup.h"

namespace efl::node {

struct Environment;

class Criterion : public Napi::ObjectWrap<Criterion> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit Criterion(const Napi::CallbackInfo& info);
  void Finalize(Napi::BasicEnv env) override;

  // Gives the criterion's memory back: when it is disposed of, or garbage.
  void free_memory(Napi::BasicEnv env);

 private:
  // A call, whose numbers are in the block: on the caller's memory, through the executor, or on a
  // device. The arguments are those of levels.h.
  static Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value submit(const Napi::CallbackInfo& info);
  Napi::Value run_on_device(const Napi::CallbackInfo& info);
  // Throws where a number in the block is one that no call may have.
  Napi::Value check_numbers(const Napi::CallbackInfo& info);

  Napi::Value wait_for_calls(const Napi::CallbackInfo& info);
  Napi::Value read_statistics(const Napi::CallbackInfo& info);
  Napi::Value read_factors(const Napi::CallbackInfo& info);
  Napi::Value read_parameters(const Napi::CallbackInfo& info);
  Napi::Value restore(const Napi::CallbackInfo& info);
  Napi::Value merge(const Napi::CallbackInfo& info);
  Napi::Value use_ratios(const Napi::CallbackInfo& info);
  Napi::Value collect(const Napi::CallbackInfo& info);
  Napi::Value commit(const Napi::CallbackInfo& info);
  Napi::Value pending_calls(const Napi::CallbackInfo& info);
  Napi::Value reset(const Napi::CallbackInfo& info);
  Napi::Value dispose(const Napi::CallbackInfo& info);

  // The criterion of this number, which has a state.
  static const Criterion& named(Napi::Env env, double number);
  // The state, which is gone after `dispose`.
  CriterionState& state(Napi::Env env) const;
  // The same for what happens on the host.
  CriterionState& state_at_home(Napi::Env env) const;
  void keep_in_capture(const Environment& environment, const Stream& stream,
                       const std::shared_ptr<DeviceCriterion>& part) const;
  Napi::Object definition_of(Napi::Env env) const;
  std::size_t classes(Napi::Env env) const;
  GradientStatistics statistics(Napi::Env env) const;

  std::shared_ptr<CriterionState> state_;
  std::shared_ptr<CriterionRegistry> registry_;
  int64_t number_ = 0;
  int64_t accounted_memory_ = 0;
};

}  // namespace efl::node
