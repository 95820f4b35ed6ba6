// What one JavaScript environment (the main thread, a worker) keeps of the addon.
#pragma once

#include <cstdint>
#include <memory>

#include "../core/backend.h"
#include "call_block.h"
#include "criterion_registry.h"
#include "device_objects.h"
#include "executor.h"
#include "held_memory.h"
#include "napi_setup.h"

namespace efl::node {

struct Environment {
  const efl_backend* cpu = nullptr;  // with the kernels chosen for this environment
  int32_t threads = 1;
  Executor executor;
  HeldMemory held;
  CallBlock block;
  const std::shared_ptr<CriterionRegistry> criteria = std::make_shared<CriterionRegistry>();
  Capture capture;

  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }
};

}  // namespace efl::node
