#include "devices.h"

#include <atomic>
#include <cstring>
#include <string>

#include "arguments.h"
#include "shared_library.h"

namespace efl::node {
namespace {

std::atomic<const efl_device_library*> opened{nullptr};

Napi::Value text(Napi::Env env, const std::string& value) { return Napi::String::New(env, value); }

// One for the whole process: what one worker has of a library means nothing to another one. One
// that finds no device gives out nothing, and makes room for the next.
bool becomes_the_library(const efl_device_library* library) {
  const efl_device_library* before = nullptr;
  while (!opened.compare_exchange_weak(before, library)) {
    if (before == library) return true;
    int32_t count = 0;
    if (before && before->device_count(&count) == 0 && count > 0) return false;
  }
  return true;
}

// openDevices(path): undefined, or why the file was not taken; of another version that one.
Napi::Value open_devices(const Napi::CallbackInfo& info) {
  const std::string path = info[0].As<Napi::String>();
  std::string problem;
  void* const handle = open_library(path, problem);
  if (!handle) return text(info.Env(), problem);
  const auto table =
      reinterpret_cast<efl_device_library_getter>(find_symbol(handle, EFL_DEVICE_LIBRARY_SYMBOL));
  if (!table) return text(info.Env(), "it has no " EFL_DEVICE_LIBRARY_SYMBOL);
  const efl_device_library* const library = table();
  const bool is_ours = std::strcmp(library->version, EFL_VERSION) == 0;
  if (!is_ours || library->layout != EFL_DEVICE_LAYOUT) {
    Napi::Object other = Napi::Object::New(info.Env());
    other.Set("version", is_ours ? "another build" : library->version);
    return other;
  }
  if (!becomes_the_library(library)) {
    return text(info.Env(), "another library for GPUs is open in this process");
  }
  return info.Env().Undefined();
}

const efl_device_library& library_of(Napi::Env env) {
  const efl_device_library* const library = opened;
  if (!library) throw Napi::Error::New(env, "the library for GPUs has not been opened");
  return *library;
}

// deviceSummary(): { name, architectures, driver, runtime, count, error }.
Napi::Value device_summary(const Napi::CallbackInfo& info) {
  const efl_device_library& library = library_of(info.Env());
  int32_t driver = 0, runtime = 0, count = 0;
  efl_device_error error = library.versions(&driver, &runtime);
  if (error == 0) error = library.device_count(&count);
  Napi::Object summary = Napi::Object::New(info.Env());
  summary.Set("name", library.name);
  summary.Set("architectures", library.architectures);
  summary.Set("driver", driver);
  summary.Set("runtime", runtime);
  summary.Set("count", error == 0 ? count : 0);
  summary.Set("error", error);
  return summary;
}

// describeDevice(device): { name, major, minor, multiprocessors }, or the number of an error.
Napi::Value describe_device(const Napi::CallbackInfo& info) {
  const auto device = static_cast<int32_t>(number_argument(info[0], "device"));
  efl_device_description found{};
  const efl_device_error error = library_of(info.Env()).describe(device, &found);
  if (error != 0) return Napi::Number::New(info.Env(), error);
  Napi::Object description = Napi::Object::New(info.Env());
  description.Set("name", static_cast<const char*>(found.name));
  description.Set("major", found.major);
  description.Set("minor", found.minor);
  description.Set("multiprocessors", found.multiprocessors);
  return description;
}

Napi::Value self_test(const Napi::CallbackInfo& info) {
  const auto device = static_cast<int32_t>(number_argument(info[0], "device"));
  return Napi::Number::New(info.Env(), library_of(info.Env()).self_test(device));
}

// deviceError(number): [name, text].
Napi::Value device_error(const Napi::CallbackInfo& info) {
  const efl_device_library& library = library_of(info.Env());
  const auto error = static_cast<efl_device_error>(number_argument(info[0], "error"));
  Napi::Array words = Napi::Array::New(info.Env(), 2);
  words.Set(0u, library.error_name(error));
  words.Set(1u, library.error_text(error));
  return words;
}

}  // namespace

const efl_device_library* device_library() { return opened; }

void define_devices(Napi::Env env, Napi::Object exports) {
  exports.Set("openDevices", Napi::Function::New<open_devices>(env, "openDevices"));
  exports.Set("deviceSummary", Napi::Function::New<device_summary>(env, "deviceSummary"));
  exports.Set("describeDevice", Napi::Function::New<describe_device>(env, "describeDevice"));
  exports.Set("selfTest", Napi::Function::New<self_test>(env, "selfTest"));
  exports.Set("deviceError", Napi::Function::New<device_error>(env, "deviceError"));
}

}  // namespace efl::node
