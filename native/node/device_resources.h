// What belongs to a GPU, apart from JavaScript: streams, memory and graphs, each freed with the
// last that uses it. Used on the JavaScript thread of one environment only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "../core/device_library.h"

namespace efl::node {

// An error of the runtime on its way to the boundary.
struct DeviceError {
  efl_device_error error;
};

// Throws DeviceError.
void require_device(efl_device_error error);

class Stream {
 public:
  // The default stream of a device, which is nobody's to destroy.
  static std::shared_ptr<Stream> default_of(int32_t device);
  static std::shared_ptr<Stream> create(int32_t device);
  // One of somebody else, who destroys it.
  static std::shared_ptr<Stream> wrap(int32_t device, void* handle);
  Stream(int32_t device, void* handle, bool owned)
      : device(device), handle(handle), owned_(owned) {}
  ~Stream();
  Stream(const Stream&) = delete;

  // Whether what is put into it becomes a part of a graph.
  bool is_captured() const;
  // This stream waits for what is in the other one now.
  void wait_for(const Stream& other) const;

  const int32_t device;
  void* const handle;  // null: the default one

 private:
  const bool owned_;
};

class Memory {
 public:
  Memory(std::shared_ptr<Stream> stream, std::size_t bytes);
  // Of somebody else, who frees it and says how much there is; `owner` is kept until nothing that
  // is under way uses it.
  Memory(int32_t device, void* data, std::size_t bytes, std::shared_ptr<void> owner);
  ~Memory();
  Memory(const Memory&) = delete;

  // Before something in the stream uses the memory: what is under way with it elsewhere comes
  // first. `captured`: into a graph, before which everything has been waited for.
  void* use_in(const std::shared_ptr<Stream>& stream, bool captured = false);
  const std::shared_ptr<Stream>& last_stream() const { return last_; }

  const int32_t device;
  void* const data;
  const std::size_t bytes;

 private:
  const bool owned_;
  const std::shared_ptr<void> owner_;
  const std::shared_ptr<Stream> home_;
  std::shared_ptr<Stream> last_;
  std::vector<std::shared_ptr<Stream>> visited_;  // beside home
};

// A criterion's part on one device.
class DeviceCriterion {
 public:
  DeviceCriterion(int32_t device, const SpecView& spec);
  ~DeviceCriterion();
  DeviceCriterion(const DeviceCriterion&) = delete;

  efl_device_criterion* get() const { return criterion_; }
  const int32_t device;

 private:
  efl_device_criterion* criterion_ = nullptr;
};

// Work that was captured, and all it needs.
class Graph {
 public:
  // Begins to capture the stream.
  explicit Graph(std::shared_ptr<Stream> stream);
  ~Graph();
  Graph(const Graph&) = delete;

  void end();
  void launch(const std::shared_ptr<Stream>& stream);

  void keep(std::shared_ptr<Memory> memory) { memories_.push_back(std::move(memory)); }
  // `bring_state` moves the state of the criterion to the device, where a launch expects it.
  void keep(std::shared_ptr<DeviceCriterion> criterion, std::function<void()> bring_state);
  const std::shared_ptr<Stream>& stream() const { return stream_; }

 private:
  struct Captured {
    std::shared_ptr<DeviceCriterion> criterion;
    std::function<void()> bring_state;
  };

  const std::shared_ptr<Stream> stream_;
  void* graph_ = nullptr;
  void* launched_ = nullptr;  // an event, after the last launch
  bool capturing_ = false;
  std::vector<std::shared_ptr<Memory>> memories_;
  std::vector<Captured> criteria_;
};

}  // namespace efl::node
