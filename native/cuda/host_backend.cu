#include "host_backend.h"

#include <cstring>
#include <memory>
#include <vector>

#include "host_arrays.h"
#include "pipeline.h"

namespace efl::cuda {
namespace {

// One call, from its survey to its release.
class HostCall {
 public:
  HostCall(int device, const efl_problem& problem);
  // Memory is given back in one stream; on an error others may still use it.
  ~HostCall() { (void)pipeline_->wait(); }
  HostCall(const HostCall&) = delete;

  efl_status survey(efl_survey* survey, efl_report* report);
  void compute(const efl_survey& survey, efl_report* report);

 private:
  efl_status first_bad(efl_report* report) const;
  void start(std::size_t index);
  void finish(std::size_t index);
  void read_sums(const efl_survey& survey, efl_report* report) const;

  Pipeline::Taken pipeline_;
  HostArrays arrays_;
  SurveyTotals found_{};
};

HostCall::HostCall(int device, const efl_problem& problem)
    : pipeline_(Pipeline::take(device)), arrays_(device, pipeline_->compute, problem) {
  const bool wide = arrays_.has_elements || arrays_.has_grad_output;
  const int64_t elements = arrays_.most_elements;
  pipeline_->make_room(static_cast<std::size_t>(arrays_.bytes_of_logits(elements)),
                       wide ? static_cast<std::size_t>(elements) * sizeof(float) : 0);
}

efl_status HostCall::survey(efl_survey* survey, efl_report* report) {
  const cudaStream_t stream = pipeline_->compute;
  arrays_.upload_whole(stream);
  enqueue_survey(arrays_.whole, arrays_.sums, arrays_.dense_columns, stream);
  check(
      cudaMemcpyAsync(&found_, arrays_.sums.survey, sizeof found_, cudaMemcpyDeviceToHost, stream));
  check(cudaStreamSynchronize(stream));
  survey->rows = static_cast<int64_t>(found_.rows);
  survey->positives = static_cast<int64_t>(found_.positives);
  survey->ignored = static_cast<int64_t>(found_.ignored);
  survey->weights = found_.weights;
  survey->masked = static_cast<int64_t>(found_.masked);
  return first_bad(report);
}

// In the first level that has any; there labels, or else targets, come first, then weights.
efl_status HostCall::first_bad(efl_report* report) const {
  efl_status status = EFL_OK;
  unsigned long long first = kNothingBad;
  const auto consider = [&](unsigned long long place, efl_status kind) {
    if (place >> kPlaceBits >= first >> kPlaceBits) return;
    first = place;
    status = kind;
  };
  consider(found_.bad.label, EFL_BAD_LABEL);
  consider(found_.bad.target, EFL_BAD_TARGET);
  consider(found_.bad.weight, EFL_BAD_WEIGHT);
  consider(found_.bad.quality, EFL_BAD_QUALITY);
  if (status == EFL_OK) return status;
  const auto index = static_cast<std::size_t>(first & ((1ull << kPlaceBits) - 1));
  const efl_level& level = arrays_.levels[first >> kPlaceBits];
  report->bad_level = static_cast<double>(first >> kPlaceBits);
  report->bad_index = static_cast<double>(index);
  report->bad_value = status == EFL_BAD_LABEL     ? level.labels[index]
                      : status == EFL_BAD_QUALITY ? static_cast<double>(level.quality[index])
                      : status == EFL_BAD_WEIGHT  ? static_cast<double>(level.row_weight[index])
                                                  : static_cast<double>(level.targets[index]);
  return status;
}

void HostCall::compute(const efl_survey& survey, efl_report* report) {
  const SurveyTotals all = {static_cast<unsigned long long>(survey.rows),
                            static_cast<unsigned long long>(survey.positives),
                            static_cast<unsigned long long>(survey.ignored),
                            static_cast<unsigned long long>(survey.masked),
                            survey.weights,
                            found_.bad};
  // Those of several processes, which the divisor follows from.
  if (std::memcmp(&all, &found_, sizeof all) != 0) {
    check(cudaMemcpyAsync(arrays_.sums.survey, &all, sizeof all, cudaMemcpyHostToDevice,
                          pipeline_->compute));
  }
  const std::size_t count = arrays_.parts.size();
  for (std::size_t i = 0; i < count; ++i) start(i);
  for (std::size_t i = count > 2 ? count - 2 : 0; i < count; ++i) finish(i);
  read_sums(survey, report);
}

// Copies of a part's arrays, by way of pinned memory.
void HostCall::start(std::size_t index) {
  if (index >= 2) finish(index - 2);
  const HostPart& part = arrays_.parts[index];
  const efl_level& source = arrays_.levels[static_cast<std::size_t>(part.level)];
  const PartArrays& arrays = arrays_.slots[index % 2];
  Pipeline::Slot& slot = pipeline_->slots[index % 2];
  const int64_t first = part.first_row * arrays_.columns, count = part.rows * arrays_.columns;
  const int64_t bytes = arrays_.bytes_of_logits(count), wide_bytes = count * sizeof(float);
  slot.bring(pipeline_->in, arrays.logits,
             static_cast<const unsigned char*>(source.logits) + arrays_.bytes_of_logits(first),
             slot.narrow, bytes);
  if (source.grad_output) {
    slot.bring(pipeline_->in, arrays.grad_output, source.grad_output + first, slot.wide,
               wide_bytes);
  }
  check(cudaEventRecord(slot.arrived, pipeline_->in));
  check(cudaStreamWaitEvent(pipeline_->compute, slot.arrived, 0));
  const FusedCall call = arrays_.call_of(part, arrays);
  enqueue(call, arrays_.workspace_of(call, part), arrays_.sums, pipeline_->compute);
  check(cudaEventRecord(slot.computed, pipeline_->compute));
  check(cudaStreamWaitEvent(pipeline_->out, slot.computed, 0));
  if (source.gradient) slot.send(pipeline_->out, slot.narrow, arrays.logits, bytes);
  if (source.elements) slot.send(pipeline_->out, slot.wide, arrays.elements, wide_bytes);
  check(cudaEventRecord(slot.returned, pipeline_->out));
}

// The part's results have come back; its slot is free.
void HostCall::finish(std::size_t index) {
  const HostPart& part = arrays_.parts[index];
  const efl_level& source = arrays_.levels[static_cast<std::size_t>(part.level)];
  Pipeline::Slot& slot = pipeline_->slots[index % 2];
  const int64_t first = part.first_row * arrays_.columns, count = part.rows * arrays_.columns;
  check(cudaEventSynchronize(slot.returned));
  if (count == 0) return;
  if (source.gradient) {
    std::memcpy(static_cast<unsigned char*>(source.gradient) + arrays_.bytes_of_logits(first),
                slot.narrow, static_cast<std::size_t>(arrays_.bytes_of_logits(count)));
  }
  if (source.elements) {
    std::memcpy(source.elements + first, slot.wide,
                static_cast<std::size_t>(count) * sizeof(float));
  }
}

void HostCall::read_sums(const efl_survey& survey, efl_report* report) const {
  CallTotals totals{};
  const auto columns = static_cast<std::size_t>(arrays_.columns);
  std::vector<double> sums(2 * columns);
  const auto read = [&](void* to, const void* from, std::size_t bytes) {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, pipeline_->compute));
  };
  read(&totals, arrays_.sums.totals, sizeof totals);
  read(sums.data(), arrays_.sums.of_columns, sums.size() * sizeof(double));
  check(cudaStreamSynchronize(pipeline_->compute));
  const efl_problem& given = arrays_.given;
  const Scales scales = scales_of(
      given, {survey.rows, survey.positives, survey.ignored, survey.weights, survey.masked});
  report->loss = totals.loss * scales.loss;
  report->non_finite = static_cast<double>(totals.non_finite);
  for (std::size_t c = 0; given.negative_sums && c < columns; ++c) {
    given.positive_sums[c] = sums[c] * scales.statistics;
    given.negative_sums[c] = sums[columns + c] * scales.statistics;
  }
}

// As a status of a call; of an error of the runtime the report has the number.
template <class Body>
efl_status reported(void* self, efl_report* report, const Body& body) noexcept {
  efl_status status = EFL_OK;
  const efl_device_error error = guarded([&] {
    check(cudaSetDevice(*static_cast<int*>(self)));
    status = body();
  });
  if (error == 0) return status;
  report->bad_index = error;
  return error == EFL_DEVICE_OUT_OF_MEMORY ? EFL_OUT_OF_MEMORY : EFL_DEVICE_ERROR;
}

efl_status survey(void* self, const efl_problem* problem, efl_survey* survey, efl_report* report) {
  return reported(self, report, [&] {
    auto call = std::make_unique<HostCall>(*static_cast<int*>(self), *problem);
    const efl_status status = call->survey(survey, report);
    survey->found = call.release();
    return status;
  });
}

efl_status compute(void* self, const efl_problem*, const efl_survey* survey, efl_report* report) {
  return reported(self, report, [&] {
    static_cast<HostCall*>(survey->found)->compute(*survey, report);
    return EFL_OK;
  });
}

void release(void*, efl_survey* survey) { delete static_cast<HostCall*>(survey->found); }

struct HostBackend {
  int device;
  efl_backend table;
};

std::vector<HostBackend> host_backends() {
  int count = 0;
  check(cudaGetDeviceCount(&count));
  std::vector<HostBackend> all(static_cast<std::size_t>(count));
  for (int device = 0; device < count; ++device) {
    HostBackend& backend = all[static_cast<std::size_t>(device)];
    backend.device = device;
    backend.table = {&backend.device, "cuda", "host arrays", survey, compute, release, nullptr};
  }
  return all;
}

}  // namespace

const efl_backend* host_backend(int32_t device) {
  const efl_backend* found = nullptr;
  (void)guarded([&] {
    // Made once, where there are devices, and never destroyed: a criterion may outlive the
    // library's own objects.
    static auto& all = *new std::vector<HostBackend>(host_backends());
    if (device >= 0 && device < static_cast<int32_t>(all.size())) {
      found = &all[static_cast<std::size_t>(device)].table;
    }
  });
  return found;
}

}  // namespace efl::cuda
