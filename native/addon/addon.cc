// The module: what lib/binding finds after loading the file.

#include <algorithm>
#include <string>
#include <vector>

#include "../cpu/cpu_backend.h"
#include "arguments.h"
#include "criterion.h"
#include "device_objects.h"
#include "devices.h"
#include "environment.h"
#include "napi_setup.h"
#include "outcome.h"
#include "pin_library.h"

namespace efl::addon {
namespace {

// Raised with every change of what lib/binding/addon.ts says of this module.
constexpr int32_t kBindingVersion = 5;

// configure(threads, cpuKernels?): false where this machine has no such kernels.
Napi::Value configure(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info.Env());
  const std::vector<const efl_backend*> usable = cpu::backends();
  const efl_backend* chosen = usable.front();
  if (!info[1].IsUndefined()) {
    const std::string wanted = info[1].As<Napi::String>();
    const auto found = std::find_if(usable.begin(), usable.end(), [&](const efl_backend* backend) {
      return wanted == backend->detail;
    });
    if (found == usable.end()) return Napi::Boolean::New(info.Env(), false);
    chosen = *found;
  }
  environment.threads = static_cast<int32_t>(number_argument(info[0], "threads"));
  environment.cpu = chosen;
  return Napi::Boolean::New(info.Env(), true);
}

Napi::Value cpu_kernels(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), Environment::of(info.Env()).cpu->detail);
}

Napi::Value cpu_threads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), Environment::of(info.Env()).threads);
}

Napi::Value has_room(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Environment::of(info.Env()).executor.has_room());
}

Napi::Value cancel(const Napi::CallbackInfo& info) {
  const uint32_t id = static_cast<uint32_t>(number_argument(info[0], "id"));
  return Napi::Boolean::New(info.Env(), Environment::of(info.Env()).executor.cancel(id));
}

// dense(logits, targets, gradient?, elements?, gradOutput?, gamma, alpha, reduction, upstream,
// outcome)
Napi::Value dense(const Napi::CallbackInfo& info) {
  const Environment& environment = Environment::of(info.Env());
  const ArrayView<float> logits = array_argument<float>(info[0], "logits");
  efl_dense_problem problem{};
  problem.elements_count = static_cast<int64_t>(logits.length);
  problem.logits = logits.data;
  problem.targets = array_argument<float>(info[1], "targets", logits.length);
  problem.gradient = optional_array_argument<float>(info[2], "gradient", logits.length);
  problem.elements = optional_array_argument<float>(info[3], "elements", logits.length);
  problem.grad_output = optional_array_argument<float>(info[4], "gradOutput", logits.length);
  problem.gamma = number_argument(info[5], "gamma");
  problem.alpha = number_argument(info[6], "alpha");
  problem.reduction =
      static_cast<efl_reduction>(static_cast<int32_t>(number_argument(info[7], "reduction")));
  problem.upstream = number_argument(info[8], "upstream");
  problem.threads = environment.threads;
  double* slots = array_argument<double>(info[9], "outcome", kOutcomeSlots);
  efl_result result{};
  const efl_status status = environment.cpu->dense(&problem, &result);
  write_outcome(status, result, slots);
  return info.Env().Undefined();
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  pin_library();
  Environment* environment = new Environment;
  environment->cpu = cpu::backends().front();
  env.SetInstanceData<Environment>(environment);
  exports.Set("version", Napi::String::New(env, EFL_VERSION));
  exports.Set("bindingVersion", Napi::Number::New(env, kBindingVersion));
  exports.Set("Criterion", Criterion::define(env));
  exports.Set("configure", Napi::Function::New<configure>(env, "configure"));
  exports.Set("cpuKernels", Napi::Function::New<cpu_kernels>(env, "cpuKernels"));
  exports.Set("cpuThreads", Napi::Function::New<cpu_threads>(env, "cpuThreads"));
  exports.Set("hasRoom", Napi::Function::New<has_room>(env, "hasRoom"));
  exports.Set("cancel", Napi::Function::New<cancel>(env, "cancel"));
  define_devices(env, exports);
  define_device_objects(env, exports);
  exports.Set("dense", Napi::Function::New<dense>(env, "dense"));
  return exports;
}

}  // namespace
}  // namespace efl::addon

static Napi::Object InitializeModule(Napi::Env env, Napi::Object exports) {
  return efl::addon::initialize(env, exports);
}

NODE_API_MODULE(efl, InitializeModule)
