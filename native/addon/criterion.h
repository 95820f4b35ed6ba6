// The JavaScript object behind a criterion.
#pragma once

#include <memory>

#include "criterion_registry.h"
#include "criterion_state.h"
#include "executor.h"
#include "levels.h"
#include "napi_setup.h"

namespace efl::addon {

class Criterion : public Napi::ObjectWrap<Criterion> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit Criterion(const Napi::CallbackInfo& info);
  void Finalize(Napi::BasicEnv env) override;

  // Gives the criterion's memory back: when it is disposed of, or garbage.
  void free_memory(Napi::BasicEnv env);

 private:
  // Synchronous calls, on the caller's memory, and the same through the executor. The arguments are
  // listed in lib/binding/addon.ts.
  static Napi::Value run(const Napi::CallbackInfo& info);
  static Napi::Value run_collect(const Napi::CallbackInfo& info);
  Napi::Value submit(const Napi::CallbackInfo& info);
  Napi::Value submit_collect(const Napi::CallbackInfo& info);

  // Puts a call on device tensors into a stream.
  Napi::Value run_on_device(const Napi::CallbackInfo& info);

  Napi::Value wait_for_calls(const Napi::CallbackInfo& info);
  Napi::Value read_statistics(const Napi::CallbackInfo& info);
  Napi::Value read_factors(const Napi::CallbackInfo& info);
  Napi::Value restore(const Napi::CallbackInfo& info);
  Napi::Value merge(const Napi::CallbackInfo& info);
  Napi::Value reset(const Napi::CallbackInfo& info);
  Napi::Value dispose(const Napi::CallbackInfo& info);

  // The criterion that the numbers of a call name.
  static Criterion& named(const Napi::CallbackInfo& info);
  // The state, which is gone after `dispose`.
  CriterionState& state(Napi::Env env) const;
  // The same for what happens on the host.
  CriterionState& state_at_home(Napi::Env env) const;
  Levels focal_levels(const Napi::CallbackInfo& info) const;
  Levels collect_levels(const Napi::CallbackInfo& info) const;
  Napi::Value enqueue(const Napi::CallbackInfo& info, std::unique_ptr<Job> job);

  std::shared_ptr<CriterionState> state_;
  std::shared_ptr<CriterionRegistry> registry_;
  int64_t number_ = 0;
  int64_t accounted_memory_ = 0;
};

}  // namespace efl::addon
