#include "criterion_state.h"

#include <algorithm>
#include <new>
#include <utility>

#include "devices.h"

namespace efl::node {

void CriterionState::call_submitted() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++calls_under_way_;
}

void CriterionState::call_done() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (--calls_under_way_ == 0) idle_.notify_all();
}

void CriterionState::wait_for_calls() {
  std::unique_lock<std::mutex> lock(mutex_);
  idle_.wait(lock, [this] { return calls_under_way_ == 0; });
}

std::shared_ptr<DeviceCriterion> CriterionState::on_device(int32_t device) {
  wait_for_calls();
  if (home_ && home_->device == device) return home_;
  const std::shared_ptr<DeviceCriterion> part = part_on(device);
  if (host_.keeps_statistics()) {
    const GradientStatistics now = statistics();
    require_device(device_library()->write_state(part->get(), now.positive().data(),
                                                 now.negative().data(), now.ratio().data(),
                                                 now.steps()));
    const PendingSums pending = host_.pending();
    require_device(device_library()->write_pending(part->get(), pending.positive().data(),
                                                   pending.negative().data(), pending.calls()));
  }
  home_ = part;
  return part;
}

std::shared_ptr<DeviceCriterion> CriterionState::part_on(int32_t device) {
  const auto found = std::find_if(parts_.begin(), parts_.end(),
                                  [&](const auto& part) { return part->device == device; });
  if (found != parts_.end()) return *found;
  parts_.push_back(std::make_shared<DeviceCriterion>(device, spec()));
  return parts_.back();
}

void CriterionState::bring_home() {
  if (!home_) return;
  if (host_.keeps_statistics()) host_.replace(read_from_device(), read_pending_from_device());
  home_ = nullptr;
}

GradientStatistics CriterionState::read_from_device() const {
  const auto classes = static_cast<std::size_t>(spec().convention.classes);
  std::vector<double> positive(classes), negative(classes), ratio(classes);
  int64_t steps = 0;
  require_device(device_library()->read_state(home_->get(), positive.data(), negative.data(),
                                              ratio.data(), &steps));
  GradientStatistics read(spec().rule, spec().convention.classes);
  read.restore(positive.data(), negative.data(), ratio.data(), steps);
  return read;
}

PendingSums CriterionState::read_pending_from_device() const {
  const auto classes = static_cast<std::size_t>(spec().convention.classes);
  std::vector<double> positive(classes), negative(classes);
  int64_t calls = 0;
  require_device(
      device_library()->read_pending(home_->get(), positive.data(), negative.data(), &calls));
  PendingSums read;
  if (calls == 0) return read;
  if (!read.make_room(spec().convention.classes)) throw std::bad_alloc();
  read.restore(positive.data(), negative.data(), calls);
  return read;
}

int64_t CriterionState::pending_calls() const {
  if (home_ && host_.keeps_statistics()) return read_pending_from_device().calls();
  return host_.pending_calls();
}

void CriterionState::commit(void* stream, int32_t threads) {
  wait_for_calls();
  if (home_) {
    require_device(device_library()->commit(home_->get(), stream, nullptr));
  } else {
    (void)host_.commit(threads);  // which only fails with a reducer
  }
}

GradientStatistics CriterionState::statistics() const {
  if (home_ && host_.keeps_statistics()) return read_from_device();
  return host_.statistics();
}

}  // namespace efl::node
