// The module: what lib/binding finds after loading the file.

#include <algorithm>
#include <string>
#include <vector>

#include "../cpu/available_processors.h"
#include "../cpu/cpu_backend.h"
#include "../cpu/dense.h"
#include "../cpu/pin_library.h"
#include "arguments.h"
#include "codes.h"
#include "criterion.h"
#include "device_objects.h"
#include "devices.h"
#include "environment.h"
#include "names.h"
#include "napi_setup.h"
#include "options.h"

namespace efl::node {
namespace {

// configure(threads, cpuKernels?, queueBytes?): false where this machine has no such kernels.
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
  if (!info[2].IsUndefined()) {
    environment.held.limit = static_cast<int64_t>(size_argument(info[2], "queueBytes"));
  }
  return Napi::Boolean::New(info.Env(), true);
}

Napi::Value cpu_kernels(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), Environment::of(info.Env()).cpu->detail);
}

Napi::Value cpu_threads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), Environment::of(info.Env()).threads);
}

Napi::Value has_room(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Environment::of(info.Env()).executor.has_room(info.Env()));
}

// reserve(bytes): false where asynchronous calls hold too many already.
Napi::Value reserve(const Napi::CallbackInfo& info) {
  const auto bytes = static_cast<int64_t>(size_argument(info[0], "bytes"));
  return Napi::Boolean::New(info.Env(), Environment::of(info.Env()).held.reserve(bytes));
}

// availableProcessors(): what a call uses where EFL_NUM_THREADS does not say.
Napi::Value processors(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), cpu::available_processors());
}

// release(bytes): what has been reserved.
Napi::Value release(const Napi::CallbackInfo& info) {
  const auto bytes = static_cast<int64_t>(size_argument(info[0], "bytes"));
  Environment::of(info.Env()).held.release(bytes);
  return info.Env().Undefined();
}

// heldBytes(): [held by the asynchronous calls of this process, how many may be].
Napi::Value held_bytes(const Napi::CallbackInfo& info) {
  Napi::Array numbers = Napi::Array::New(info.Env(), 2);
  numbers.Set(0u, static_cast<double>(HeldMemory::in_process()));
  numbers.Set(1u, static_cast<double>(Environment::of(info.Env()).held.limit));
  return numbers;
}

// freeBuffer(buffer): detaches it, which gives its memory back at once.
Napi::Value free_buffer(const Napi::CallbackInfo& info) {
  (void)napi_detach_arraybuffer(info.Env(), info[0]);
  return info.Env().Undefined();
}

Napi::Value cancel(const Napi::CallbackInfo& info) {
  const uint32_t id = static_cast<uint32_t>(number_argument(info[0], "id"));
  return Napi::Boolean::New(info.Env(), Environment::of(info.Env()).executor.cancel(id));
}

// dense(logits, targets, gradient?, elements?, gradOutput?), and the numbers of the call.
Napi::Value dense(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info.Env());
  const CallBlock& block = environment.block;
  const ArrayView<float> logits = array_argument<float>(info[0], "logits");
  cpu::DenseProblem problem{};
  problem.elements_count = static_cast<int64_t>(logits.length);
  problem.logits = logits.data;
  problem.targets = array_argument<float>(info[1], "targets", logits.length);
  problem.gradient = optional_array_argument<float>(info[2], "gradient", logits.length);
  problem.elements = optional_array_argument<float>(info[3], "elements", logits.length);
  problem.grad_output = optional_array_argument<float>(info[4], "gradOutput", logits.length);
  problem.gamma = block[kGamma];
  problem.alpha = block[kAlpha];
  problem.reduction = static_cast<efl_reduction>(static_cast<int32_t>(block[kReduction]));
  problem.upstream = block.number(&efl_call::upstream);
  problem.threads = environment.threads;
  (void)cpu::compute_dense(problem, block.report());
  return info.Env().Undefined();
}

// checkUpstream(): throws where the number in the block is none.
Napi::Value check_upstream(const Napi::CallbackInfo& info) {
  SpecView spec{};
  spec.loss_weight = 1;
  const CallBlock& block = Environment::of(info.Env()).block;
  spec.reduction = static_cast<efl_reduction>(static_cast<int32_t>(block[kReduction]));
  with_refusals(info.Env(), [&] {
    efl_call call = default_call();
    call.upstream = block.number(&efl_call::upstream);
    check_numbers(call, spec, false, false);
  });
  return info.Env().Undefined();
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  cpu::pin_library();
  Environment* environment = new Environment;
  environment->cpu = cpu::backends().front();
  env.SetInstanceData<Environment>(environment);
  exports.Set("version", Napi::String::New(env, EFL_VERSION));
  exports.Set("codes", codes(env));
  exports.Set("block", environment->block.share(env));
  exports.Set("Criterion", Criterion::define(env));
  exports.Set("configure", Napi::Function::New<configure>(env, "configure"));
  exports.Set("availableProcessors", Napi::Function::New<processors>(env, "availableProcessors"));
  exports.Set("cpuKernels", Napi::Function::New<cpu_kernels>(env, "cpuKernels"));
  exports.Set("cpuThreads", Napi::Function::New<cpu_threads>(env, "cpuThreads"));
  exports.Set("hasRoom", Napi::Function::New<has_room>(env, "hasRoom"));
  exports.Set("reserve", Napi::Function::New<reserve>(env, "reserve"));
  exports.Set("release", Napi::Function::New<release>(env, "release"));
  exports.Set("heldBytes", Napi::Function::New<held_bytes>(env, "heldBytes"));
  exports.Set("freeBuffer", Napi::Function::New<free_buffer>(env, "freeBuffer"));
  exports.Set("cancel", Napi::Function::New<cancel>(env, "cancel"));
  define_devices(env, exports);
  define_device_objects(env, exports);
  exports.Set("lossOptions", Napi::Function::New<loss_options>(env, "lossOptions"));
  exports.Set("checkOption", Napi::Function::New<check_loss_option>(env, "checkOption"));
  exports.Set("dense", Napi::Function::New<dense>(env, "dense"));
  exports.Set("checkUpstream", Napi::Function::New<check_upstream>(env, "checkUpstream"));
  return exports;
}

}  // namespace
}  // namespace efl::node

static Napi::Object InitializeModule(Napi::Env env, Napi::Object exports) {
  return efl::node::initialize(env, exports);
}

NODE_API_MODULE(efl, InitializeModule)
