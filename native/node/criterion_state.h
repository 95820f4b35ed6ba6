// What a criterion is, apart from JavaScript: the one on the host, its parts on devices, and the
// calls it has under way.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "../core/host_criterion.h"
#include "device_resources.h"

namespace efl::node {

class CriterionState {
 public:
  CriterionState(Spec spec, const efl_backend* backend) : host_(std::move(spec), backend) {}

  const SpecView& spec() const { return host_.spec(); }
  // Has the state where no device has it.
  HostCriterion& host() { return host_; }

  // The calls that are under way on the executor.
  void call_submitted();
  void call_done();
  void wait_for_calls();

  // The criterion's part on a device, to which the state moves; calls under way are waited for.
  // Throws DeviceError, and the state is where it was.
  std::shared_ptr<DeviceCriterion> on_device(int32_t device);
  // The state moves back to the host; before a call there, and before something is added to it.
  void bring_home();
  // The state is that of the host; what a device has is out of date.
  void leave_device() { home_ = nullptr; }

  // Copies, consistent in themselves, from wherever the state is.
  GradientStatistics statistics() const;
  int64_t pending_calls() const;

  // Folds in what deferred calls have kept aside, where the state is; the stream, of the device
  // that has it, may be null.
  void commit(void* stream, int32_t threads);

 private:
  std::shared_ptr<DeviceCriterion> part_on(int32_t device);
  GradientStatistics read_from_device() const;
  PendingSums read_pending_from_device() const;

  HostCriterion host_;

  // Of the JavaScript thread.
  std::vector<std::shared_ptr<DeviceCriterion>> parts_;  // one for each device that was used
  std::shared_ptr<DeviceCriterion> home_;                // where the state is; null: the host

  std::mutex mutex_;
  std::condition_variable idle_;
  int32_t calls_under_way_ = 0;
};

}  // namespace efl::node
