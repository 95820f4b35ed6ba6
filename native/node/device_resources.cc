#include "device_resources.h"

#include <algorithm>
#include <utility>

#include "devices.h"

namespace efl::node {
namespace {

const efl_device_library& library() { return *device_library(); }

}  // namespace

void require_device(efl_device_error error) {
  if (error != 0) throw DeviceError{error};
}

std::shared_ptr<Stream> Stream::default_of(int32_t device) {
  return std::make_shared<Stream>(device, nullptr, false);
}

std::shared_ptr<Stream> Stream::create(int32_t device) {
  void* handle = nullptr;
  require_device(library().create_stream(device, &handle));
  return std::make_shared<Stream>(device, handle, true);
}

std::shared_ptr<Stream> Stream::wrap(int32_t device, void* handle) {
  return std::make_shared<Stream>(device, handle, false);
}

Stream::~Stream() {
  if (owned_) (void)library().destroy_stream(device, handle);
}

bool Stream::is_captured() const {
  int32_t capturing = 0;
  if (handle) require_device(library().is_capturing(device, handle, &capturing));
  return capturing != 0;
}

void Stream::wait_for(const Stream& other) const {
  if (handle == other.handle) return;
  void* event = nullptr;
  require_device(library().create_event(device, 0, &event));
  efl_device_error error = library().record_event(device, event, other.handle);
  if (error == 0) error = library().wait_event(device, handle, event);
  // It lives on until what waits for it has passed.
  (void)library().destroy_event(device, event);
  require_device(error);
}

namespace {

void* allocated(const Stream& stream, std::size_t bytes) {
  void* memory = nullptr;
  // A tensor of no values has an address, too.
  const std::size_t size = bytes ? bytes : 1;
  require_device(library().allocate(stream.device, stream.handle, size, &memory));
  return memory;
}

}  // namespace

Memory::Memory(std::shared_ptr<Stream> stream, std::size_t size)
    : device(stream->device),
      data(allocated(*stream, size)),
      bytes(size),
      owned_(true),
      home_(stream),
      last_(std::move(stream)) {}

Memory::Memory(int32_t of_device, void* of_somebody, std::size_t size, std::shared_ptr<void> owner)
    : device(of_device),
      data(of_somebody),
      bytes(size),
      owned_(false),
      owner_(std::move(owner)),
      last_(Stream::default_of(of_device)) {}

Memory::~Memory() {
  if (!owned_) {
    // What used it elsewhere is done before what uses it in the last stream.
    if (owner_) (void)library().synchronize_stream(device, last_->handle);
    return;
  }
  std::shared_ptr<Stream> stream = home_;
  try {
    // In a stream that is being captured this would be a part of the graph. What was in it before
    // has been waited for.
    if (home_->is_captured()) stream = Stream::default_of(device);
    for (const std::shared_ptr<Stream>& visited : visited_) {
      if (!visited->is_captured()) stream->wait_for(*visited);
    }
  } catch (const DeviceError&) {
    // The device has failed, or the process ends: nothing uses the memory any more.
  }
  (void)library().release(device, stream->handle, data);
}

void* Memory::use_in(const std::shared_ptr<Stream>& stream, bool captured) {
  if (stream->handle == last_->handle) return data;
  if (!last_->is_captured()) {
    if (captured) {
      // A graph cannot wait for what is outside of it: this thread does.
      require_device(library().synchronize_stream(device, last_->handle));
    } else {
      stream->wait_for(*last_);
    }
  }
  const auto is_same = [&](const std::shared_ptr<Stream>& other) {
    return other->handle == stream->handle;
  };
  if (owned_ && !is_same(home_) && std::none_of(visited_.begin(), visited_.end(), is_same)) {
    visited_.push_back(stream);
  }
  last_ = stream;
  return data;
}

DeviceCriterion::DeviceCriterion(int32_t of_device, const SpecView& spec) : device(of_device) {
  require_device(library().create_criterion(device, &spec, &criterion_));
}

DeviceCriterion::~DeviceCriterion() { library().destroy_criterion(criterion_); }

Graph::Graph(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {
  require_device(library().begin_capture(stream_->device, stream_->handle));
  capturing_ = true;
}

Graph::~Graph() {
  if (capturing_) (void)library().end_capture(stream_->device, stream_->handle, &graph_);
  if (graph_ && launched_) {
    // Launches of a graph follow one another: with the last one all are done.
    (void)library().synchronize_event(stream_->device, launched_);
    (void)library().destroy_event(stream_->device, launched_);
  }
  if (graph_) (void)library().destroy_graph(stream_->device, graph_);
}

void Graph::end() {
  capturing_ = false;
  require_device(library().end_capture(stream_->device, stream_->handle, &graph_));
}

void Graph::keep(std::shared_ptr<DeviceCriterion> criterion, std::function<void()> bring_state) {
  for (const Captured& other : criteria_) {
    if (other.criterion == criterion) return;
  }
  criteria_.push_back({std::move(criterion), std::move(bring_state)});
}

void Graph::launch(const std::shared_ptr<Stream>& stream) {
  if (!launched_) require_device(library().create_event(stream_->device, 0, &launched_));
  for (const Captured& captured : criteria_) captured.bring_state();
  for (const auto& memory : memories_) (void)memory->use_in(stream);
  for (const Captured& captured : criteria_) {
    require_device(library().enter(captured.criterion->get(), stream->handle));
  }
  require_device(library().launch_graph(stream->device, graph_, stream->handle));
  require_device(library().record_event(stream->device, launched_, stream->handle));
  for (const Captured& captured : criteria_) {
    require_device(library().leave(captured.criterion->get(), stream->handle));
  }
}

}  // namespace efl::node
