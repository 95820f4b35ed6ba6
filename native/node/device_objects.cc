#include "device_objects.h"

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "arguments.h"
#include "devices.h"
#include "environment.h"

namespace efl::node {
namespace {

struct Bytes {
  unsigned char* data;
  std::size_t length;
};

// Throws a JavaScript error where the device failed.
void check(napi_env env, efl_device_error error) {
  with_device_errors(env, [error] { require_device(error); });
}

// The memory of any typed array, shared or not.
Bytes bytes_argument(Napi::Value value, const char* name) {
  napi_typedarray_type type{};
  void* data = nullptr;
  std::size_t length = 0;
  if (!value.IsTypedArray() || napi_get_typedarray_info(value.Env(), value, &type, &length, &data,
                                                        nullptr, nullptr) != napi_ok) {
    reject_argument(value.Env(), name, "a typed array");
  }
  return {static_cast<unsigned char*>(data), length * bytes_of_element(type)};
}

// What all of them share: something of the device, gone after `dispose`.
template <class Class, class Resource>
class DeviceObject : public Napi::ObjectWrap<Class> {
 public:
  explicit DeviceObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Class>(info) {
    info.This().As<Napi::Object>().TypeTag(&Class::kTag);
  }

  // Any object can be passed for one of this class: the tag tells.
  static const std::shared_ptr<Resource>& from(Napi::Value value, const char* name) {
    if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&Class::kTag)) {
      reject_argument(value.Env(), name, "an object of its class");
    }
    return Class::Unwrap(value.As<Napi::Object>())->get(value.Env());
  }
  const std::shared_ptr<Resource>& get(Napi::Env env) const {
    if (!resource) throw Napi::TypeError::New(env, "it has been disposed of");
    return resource;
  }
  Napi::Value dispose(const Napi::CallbackInfo& info) {
    resource.reset();
    return info.Env().Undefined();
  }

 protected:
  std::shared_ptr<Resource> resource;
};

class DeviceStream : public DeviceObject<DeviceStream, Stream> {
 public:
  static constexpr napi_type_tag kTag = {0x8f2b6c1d4e5a4b07, 0x9a3d7e61c0f2b815};

  // (device), or (device, handle as a bigint): a stream of somebody else
  explicit DeviceStream(const Napi::CallbackInfo& info) : DeviceObject(info) {
    const int32_t device = int_argument(info[0], "device");
    if (info[1].IsBigInt()) {
      bool lossless = false;
      const uint64_t handle = info[1].As<Napi::BigInt>().Uint64Value(&lossless);
      resource = Stream::wrap(device, reinterpret_cast<void*>(handle));
      return;
    }
    resource = with_device_errors(info.Env(), [&] { return Stream::create(device); });
  }
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "DeviceStream",
                       {InstanceMethod<&DeviceStream::synchronize>("synchronize"),
                        InstanceMethod<&DeviceStream::wait>("wait"),
                        InstanceAccessor<&DeviceStream::handle>("handle"),
                        InstanceMethod("dispose", &DeviceStream::dispose)});
  }
  Napi::Value synchronize(const Napi::CallbackInfo& info) {
    const Stream& stream = *get(info.Env());
    check(info.Env(), device_library()->synchronize_stream(stream.device, stream.handle));
    return info.Env().Undefined();
  }
  Napi::Value wait(const Napi::CallbackInfo& info);  // (event)
  Napi::Value handle(const Napi::CallbackInfo& info) {
    return Napi::BigInt::New(info.Env(), reinterpret_cast<uint64_t>(get(info.Env())->handle));
  }
};

// An event, which one stream reaches and others wait for.
struct Event {
  Event(int32_t of_device) : device(of_device) {
    require_device(device_library()->create_event(device, 1, &handle));
  }
  ~Event() { (void)device_library()->destroy_event(device, handle); }
  Event(const Event&) = delete;
  const int32_t device;
  void* handle = nullptr;
};

class DeviceEvent : public DeviceObject<DeviceEvent, Event> {
 public:
  static constexpr napi_type_tag kTag = {0x2c94e07ab3d14f6e, 0xb1580d3f7ae9c246};

  // (device)
  explicit DeviceEvent(const Napi::CallbackInfo& info) : DeviceObject(info) {
    const int32_t device = int_argument(info[0], "device");
    resource = with_device_errors(info.Env(), [&] { return std::make_shared<Event>(device); });
  }
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "DeviceEvent",
                       {InstanceMethod<&DeviceEvent::record>("record"),
                        InstanceMethod<&DeviceEvent::synchronize>("synchronize"),
                        InstanceMethod<&DeviceEvent::is_done>("isDone"),
                        InstanceMethod<&DeviceEvent::elapsed_since>("elapsedSince"),
                        InstanceMethod("dispose", &DeviceEvent::dispose)});
  }
  // (stream?)
  Napi::Value record(const Napi::CallbackInfo& info) {
    const Event& event = *get(info.Env());
    const auto stream = stream_argument(info[0], event.device);
    check(info.Env(), device_library()->record_event(event.device, event.handle, stream->handle));
    return info.Env().Undefined();
  }
  Napi::Value synchronize(const Napi::CallbackInfo& info) {
    const Event& event = *get(info.Env());
    check(info.Env(), device_library()->synchronize_event(event.device, event.handle));
    return info.Env().Undefined();
  }
  Napi::Value is_done(const Napi::CallbackInfo& info) {
    const Event& event = *get(info.Env());
    int32_t done = 0;
    check(info.Env(), device_library()->event_done(event.device, event.handle, &done));
    return Napi::Boolean::New(info.Env(), done != 0);
  }
  // (start)
  Napi::Value elapsed_since(const Napi::CallbackInfo& info) {
    const Event& event = *get(info.Env());
    const auto start = from(info[0], "start");
    float milliseconds = 0;
    check(info.Env(),
          device_library()->elapsed(event.device, start->handle, event.handle, &milliseconds));
    return Napi::Number::New(info.Env(), static_cast<double>(milliseconds));
  }
};

Napi::Value DeviceStream::wait(const Napi::CallbackInfo& info) {
  const Stream& stream = *get(info.Env());
  const auto event = DeviceEvent::from(info[0], "event");
  check(info.Env(), device_library()->wait_event(stream.device, stream.handle, event->handle));
  return info.Env().Undefined();
}

// Where values are copied to: no more of them than the memory has.
Bytes destination_of(Napi::Value value, const Memory& memory) {
  const Bytes to = bytes_argument(value, "values");
  if (to.length > memory.bytes) {
    reject_argument(value.Env(), "values", "no more than the memory has");
  }
  return to;
}

class DeviceMemory : public DeviceObject<DeviceMemory, Memory> {
 public:
  static constexpr napi_type_tag kTag = {0x6d01fa58e27c4933, 0x84e6b92d50c71fa8};

  // (device, bytes, stream?), or (device, bytes, pointer as a bigint, owner?): memory of somebody
  // else
  explicit DeviceMemory(const Napi::CallbackInfo& info) : DeviceObject(info) {
    const int32_t device = int_argument(info[0], "device");
    const std::size_t bytes = size_argument(info[1], "bytes");
    if (info[2].IsBigInt()) {
      bool lossless = false;
      const uint64_t pointer = info[2].As<Napi::BigInt>().Uint64Value(&lossless);
      if (!lossless || bytes > UINT64_MAX - pointer) {
        reject_argument(info.Env(), "pointer", "the address of so many bytes");
      }
      std::shared_ptr<void> owner;
      if (info[3].IsObject()) {
        owner =
            std::make_shared<Napi::ObjectReference>(Napi::Persistent(info[3].As<Napi::Object>()));
      }
      resource = std::make_shared<Memory>(device, reinterpret_cast<void*>(pointer), bytes,
                                          std::move(owner));
      return;
    }
    const auto stream = stream_argument(info[2], device);
    resource =
        with_device_errors(info.Env(), [&] { return std::make_shared<Memory>(stream, bytes); });
    // Without knowing of it the garbage collector would see no reason to begin.
    accounted_memory_ = static_cast<int64_t>(bytes);
    Napi::MemoryManagement::AdjustExternalMemory(info.Env(), accounted_memory_);
  }
  void Finalize(Napi::BasicEnv env) override { give_up_memory(env); }
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "DeviceMemory",
                       {InstanceMethod<&DeviceMemory::upload>("upload"),
                        InstanceMethod<&DeviceMemory::copy_from>("copyFrom"),
                        InstanceMethod<&DeviceMemory::download>("download"),
                        InstanceMethod<&DeviceMemory::submit_download>("submitDownload"),
                        InstanceAccessor<&DeviceMemory::pointer>("pointer"),
                        InstanceMethod<&DeviceMemory::dispose_memory>("dispose")});
  }
  Napi::Value dispose_memory(const Napi::CallbackInfo& info) {
    give_up_memory(info.Env());
    return dispose(info);
  }
  Napi::Value pointer(const Napi::CallbackInfo& info) {
    return Napi::BigInt::New(info.Env(), reinterpret_cast<uint64_t>(get(info.Env())->data));
  }
  // (values, stream?)
  Napi::Value upload(const Napi::CallbackInfo& info) {
    const Memory& memory = *get(info.Env());
    const Bytes from = bytes_argument(info[0], "values");
    // Whatever lay in the rest would pass for values.
    if (from.length < memory.bytes)
      reject_argument(info.Env(), "values", "as many as the memory has");
    const auto stream = stream_argument(info[1], memory.device);
    void* const to = memory_argument(info.This(), "memory", stream, from.length);
    check(info.Env(), device_library()->copy(memory.device, stream->handle, to, from.data,
                                             from.length, EFL_COPY_TO_DEVICE));
    return info.Env().Undefined();
  }
  // (memory of the same device, bytes, stream?)
  Napi::Value copy_from(const Napi::CallbackInfo& info) {
    const Memory& memory = *get(info.Env());
    const std::size_t bytes = size_argument(info[1], "bytes");
    const auto stream = stream_argument(info[2], memory.device);
    const void* const from = memory_argument(info[0], "source", stream, bytes);
    void* const to = memory_argument(info.This(), "memory", stream, bytes);
    check(info.Env(), device_library()->copy(memory.device, stream->handle, to, from, bytes,
                                             EFL_COPY_ON_DEVICE));
    return info.Env().Undefined();
  }
  // (values): waits
  Napi::Value download(const Napi::CallbackInfo& info) {
    const Memory& memory = *get(info.Env());
    const Bytes to = destination_of(info[0], memory);
    const Stream& stream = *memory.last_stream();
    check(info.Env(), device_library()->copy(memory.device, stream.handle, to.data, memory.data,
                                             to.length, EFL_COPY_TO_HOST));
    check(info.Env(), device_library()->synchronize_stream(memory.device, stream.handle));
    return info.Env().Undefined();
  }
  // (values, outcome, done)
  Napi::Value submit_download(const Napi::CallbackInfo& info);

 private:
  void give_up_memory(Napi::BasicEnv env) {
    if (accounted_memory_) Napi::MemoryManagement::AdjustExternalMemory(env, -accounted_memory_);
    accounted_memory_ = 0;
  }

  int64_t accounted_memory_ = 0;  // what the garbage collector has been told of
};

// A copy to the host by way of pinned memory, which lives as long as it is under way.
struct PendingDownload {
  PendingDownload(const std::shared_ptr<Memory>& from, std::size_t bytes)
      : memory(from), event(from->device) {
    require_device(device_library()->allocate_pinned(bytes ? bytes : 1, &pinned));
    const Stream& stream = *memory->last_stream();
    require_device(device_library()->copy(memory->device, stream.handle, pinned, memory->data,
                                          bytes, EFL_COPY_TO_HOST));
    require_device(device_library()->record_event(memory->device, event.handle, stream.handle));
  }
  ~PendingDownload() {
    if (pinned) (void)device_library()->release_pinned(pinned);
  }
  PendingDownload(const PendingDownload&) = delete;
  const std::shared_ptr<Memory> memory;
  const Event event;
  void* pinned = nullptr;
};

Napi::Value DeviceMemory::submit_download(const Napi::CallbackInfo& info) {
  const Bytes to = destination_of(info[0], *get(info.Env()));
  const auto download = with_device_errors(
      info.Env(), [&] { return std::make_shared<PendingDownload>(get(info.Env()), to.length); });
  auto job = std::make_unique<Job>();
  job->outcome = array_argument<double>(info[1], "outcome", kReportSlots);
  job->callback = info[2];
  job->to_hold = {info[0], info[1]};
  // Memory and streams belong to this thread: what the job has is handed back to it to be freed.
  auto* const borrowed = download.get();
  job->compute = [borrowed, to](efl_report* report) {
    const efl_device_error error =
        device_library()->synchronize_event(borrowed->memory->device, borrowed->event.handle);
    if (error == 0) return static_cast<void>(std::memcpy(to.data, borrowed->pinned, to.length));
    report->status = EFL_DEVICE_ERROR;
    report->bad_index = error;
  };
  job->done = [] {};
  job->kept = download;
  Executor& executor = Environment::of(info.Env()).executor;
  return Napi::Number::New(info.Env(), executor.submit(info.Env(), std::move(job)));
}

class DeviceGraph : public DeviceObject<DeviceGraph, Graph> {
 public:
  static constexpr napi_type_tag kTag = {0xe35d7b9046a14c82, 0xa7f10c64d28b3e59};

  // (stream): begins to capture it
  explicit DeviceGraph(const Napi::CallbackInfo& info) : DeviceObject(info) {
    const auto stream = DeviceStream::from(info[0], "stream");
    resource = with_device_errors(info.Env(), [&] { return std::make_shared<Graph>(stream); });
    Environment::of(info.Env()).capture.graph = resource.get();
  }
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
        env, "DeviceGraph",
        {InstanceMethod<&DeviceGraph::end>("end"), InstanceMethod<&DeviceGraph::launch>("launch"),
         InstanceMethod("dispose", &DeviceGraph::dispose)});
  }
  Napi::Value end(const Napi::CallbackInfo& info) {
    Environment::of(info.Env()).capture.graph = nullptr;
    Graph& graph = *get(info.Env());
    with_device_errors(info.Env(), [&] { graph.end(); });
    return info.Env().Undefined();
  }
  // (stream?)
  Napi::Value launch(const Napi::CallbackInfo& info) {
    Graph& graph = *get(info.Env());
    const auto stream = stream_argument(info[0], graph.stream()->device);
    with_device_errors(info.Env(), [&] { graph.launch(stream); });
    return info.Env().Undefined();
  }
};

// deviceMemory(device): [total, free, reserved, in use], in bytes.
Napi::Value device_memory(const Napi::CallbackInfo& info) {
  efl_device_memory memory{};
  const int32_t device = int_argument(info[0], "device");
  check(info.Env(), device_library()->memory(device, &memory));
  Napi::Array numbers = Napi::Array::New(info.Env(), 4);
  const int64_t values[] = {memory.total, memory.free, memory.reserved, memory.in_use};
  for (uint32_t i = 0; i < 4; ++i) numbers.Set(i, static_cast<double>(values[i]));
  return numbers;
}

// deviceOf(pointer): the device whose memory this is, or -1.
Napi::Value device_of(const Napi::CallbackInfo& info) {
  if (!info[0].IsBigInt()) reject_argument(info.Env(), "pointer", "a bigint");
  bool lossless = false;
  const uint64_t pointer = info[0].As<Napi::BigInt>().Uint64Value(&lossless);
  int32_t device = -1;
  check(info.Env(), device_library()->device_of(reinterpret_cast<void*>(pointer), &device));
  return Napi::Number::New(info.Env(), device);
}

}  // namespace

void* memory_argument(Napi::Value value, const char* name, const std::shared_ptr<Stream>& stream,
                      std::size_t bytes) {
  const auto memory = DeviceMemory::from(value, name);
  if (memory->bytes < bytes || memory->device != stream->device) {
    reject_argument(value.Env(), name, "memory of the device, of the size of the call");
  }
  const Capture& capture = Environment::of(value.Env()).capture;
  const bool captured = capture.is_into(*stream);
  if (captured) capture.graph->keep(memory);
  return with_device_errors(value.Env(), [&] { return memory->use_in(stream, captured); });
}

std::shared_ptr<Stream> stream_argument(Napi::Value value, int32_t device) {
  if (value.IsUndefined()) return Stream::default_of(device);
  const auto stream = DeviceStream::from(value, "stream");
  if (stream->device != device) reject_argument(value.Env(), "stream", "one of the device");
  return stream;
}

void define_device_objects(Napi::Env env, Napi::Object exports) {
  exports.Set("DeviceMemory", DeviceMemory::define(env));
  exports.Set("DeviceStream", DeviceStream::define(env));
  exports.Set("DeviceEvent", DeviceEvent::define(env));
  exports.Set("DeviceGraph", DeviceGraph::define(env));
  exports.Set("deviceMemory", Napi::Function::New<device_memory>(env, "deviceMemory"));
  exports.Set("deviceOf", Napi::Function::New<device_of>(env, "deviceOf"));
}

}  // namespace efl::node
