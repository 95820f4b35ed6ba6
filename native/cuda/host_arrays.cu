#include "host_arrays.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "fused_call.h"
#include "pipeline.h"

namespace efl::cuda {
namespace {

// Elements of a part: large enough for the copies, small enough that they soon overlap. Tests have
// less of them, so that their problems come in parts, too.
#if !defined(EFL_PART_ELEMENTS)
#define EFL_PART_ELEMENTS (1 << 22)
#endif
constexpr int64_t kPartElements = EFL_PART_ELEMENTS;

// What comes in parts from the host, and goes back.
struct PartArrays {
  void* logits;  // and, in their place, the gradient
  float* elements;
  float* grad_output;
};

class HostCall {
 public:
  HostCall(int device, const efl_problem& given, bool gradients_given)
      : device_(device), given_(given), pipeline_(Pipeline::take(device)) {
    columns_ = efl::columns_of(given.convention);
    element_bytes_ = bytes_of(given.format.dtype);
    whole_.gradients_given = gradients_given;
    whole_.statistics = given.negative_sums != nullptr;
    whole_.largest_gamma =
        gradients_given ? 0 : *std::max_element(given.gamma, given.gamma + columns_);
    has_elements_ = has(&efl_level::elements);
    has_grad_output_ = has(&efl_level::grad_output);
    in_rows_ = efl::lies_in_rows(given.format);
    cut();
    place_arrays();
  }
  // Memory is given back in one stream; on an error others may still use it.
  ~HostCall() { (void)pipeline_->wait(); }
  HostCall(const HostCall&) = delete;

  efl_status run(efl_result* result) {
    upload_whole_arrays();
    const efl_status status = look_at_labels(result);
    if (status != EFL_OK) return status;
    for (std::size_t i = 0; i < parts_.size(); ++i) start(i);
    for (std::size_t i = parts_.size() > 2 ? parts_.size() - 2 : 0; i < parts_.size(); ++i) {
      finish(i);
    }
    return read_sums(result);
  }

 private:
  // A run of rows of a level; in layouts whose rows do not lie side by side, of whole images.
  struct Part {
    int32_t level;
    int64_t first_row, rows, images, positions;
  };

  template <class Array>
  bool has(Array efl_level::* array) const {
    return std::any_of(given_.levels, given_.levels + given_.level_count,
                       [array](const efl_level& level) { return level.*array != nullptr; });
  }

  void cut() {
    for (int32_t i = 0; i < given_.level_count; ++i) {
      const efl_level& level = given_.levels[i];
      const int64_t rows = efl::rows_of(given_.format, level);
      const int64_t unit =
          in_rows_ ? 1 : std::max<int64_t>(1, level.positions * given_.format.anchors);
      const int64_t step = std::max(unit, kPartElements / columns_ / unit * unit);
      int64_t first = 0;
      do {
        const int64_t part = std::min(step, rows - first);
        parts_.push_back(
            {i, first, part, in_rows_ ? 1 : part / unit, in_rows_ ? part : level.positions});
        first += part;
      } while (first < rows);
      for (const Part& part : parts_)
        most_elements_ = std::max(most_elements_, part.rows * columns_);
    }
  }

  FusedCall call_of(const Part& part, const PartArrays& arrays) const {
    FusedCall call = whole_;
    call.levels.clear();
    call.plans.clear();
    call.first_part = false;
    if (in_rows_) {
      call.problem.format.anchors = 1;
      call.problem.format.channel_order = EFL_ANCHOR_MAJOR;
    }
    const efl_level& source = given_.levels[part.level];
    efl_level level = device_levels_[static_cast<std::size_t>(part.level)];
    level.images = part.images;
    level.positions = part.positions;
    level.logits = arrays.logits;
    level.gradient = source.gradient ? arrays.logits : nullptr;
    level.elements = source.elements ? arrays.elements : nullptr;
    level.grad_output = source.grad_output ? arrays.grad_output : nullptr;
    level.labels = level.labels ? level.labels + part.first_row : nullptr;
    level.quality = level.quality ? level.quality + part.first_row : nullptr;
    level.targets = level.targets ? level.targets + part.first_row * columns_ : nullptr;
    add_level(&call, level, part.level, part.first_row);
    return call;
  }

  // All device memory is taken before anything is written.
  void place_arrays() {
    Parts needed;
    place(&needed);
    memory_ = DeviceMemory(device_, pipeline_->compute, needed.taken());
    Parts parts(memory_.data());
    place(&parts);
    const int64_t wide = most_elements_ * ((has_elements_ || has_grad_output_) ? 4 : 0);
    pipeline_->make_room(static_cast<std::size_t>(most_elements_ * element_bytes_),
                         static_cast<std::size_t>(wide));
  }

  void place(Parts* parts) {
    efl_problem& problem = whole_.problem;
    problem = given_;
    ignored_ = parts->take<int32_t>(given_.convention.ignored_count);
    problem.convention.ignored = ignored_;
    problem.gamma = gamma_ = parts->take<float>(columns_);
    problem.positive_weight = positive_weight_ = parts->take<float>(columns_);
    problem.negative_weight = negative_weight_ = parts->take<float>(columns_);
    foreground_weight_ = given_.foreground_weight ? parts->take<float>(columns_) : nullptr;
    problem.foreground_weight = foreground_weight_;
    sums_ = std::make_unique<Sums>(columns_, parts);
    whole_.levels.clear();
    whole_.plans.clear();
    whole_.rows = 0;
    whole_.first_part = true;
    whole_.scalars.survey = sums_->survey;
    device_levels_.clear();
    for (int32_t i = 0; i < given_.level_count; ++i) place_level(i, parts);
    dense_columns_ = parts->take<int32_t>(has(&efl_level::targets) ? whole_.rows : 0);
    for (PartArrays& arrays : slots_) {
      arrays.logits = parts->take<unsigned char>(most_elements_ * element_bytes_);
      arrays.elements = parts->take<float>(has_elements_ ? most_elements_ : 0);
      arrays.grad_output = parts->take<float>(has_grad_output_ ? most_elements_ : 0);
    }
    for (const Part& part : parts_)
      workspace_bytes_ = std::max(workspace_bytes_, workspace_of(part));
    workspace_memory_ = parts->take<unsigned char>(static_cast<int64_t>(workspace_bytes_));
  }

  std::size_t workspace_of(const Part& part) const {
    Parts needed;
    (void)Workspace(call_of(part, slots_[0]), &needed);
    return needed.taken();
  }

  // Labels and what else decides whether the call is good are on the device as a whole.
  void place_level(int32_t index, Parts* parts) {
    const efl_level& source = given_.levels[index];
    const int64_t rows = efl::rows_of(given_.format, source);
    efl_level level = source;
    level.logits = nullptr;
    level.gradient = nullptr;
    level.elements = nullptr;
    level.grad_output = nullptr;
    level.labels = source.labels ? parts->take<int32_t>(rows) : nullptr;
    level.quality = source.quality ? parts->take<float>(rows) : nullptr;
    level.targets = source.targets ? parts->take<float>(rows * columns_) : nullptr;
    device_levels_.push_back(level);
    add_level(&whole_, level, index);
  }

  template <class T>
  void upload(const T* to, const T* from, int64_t count) {
    if (!from || count == 0) return;
    check(cudaMemcpyAsync(const_cast<T*>(to), from, static_cast<std::size_t>(count) * sizeof(T),
                          cudaMemcpyHostToDevice, pipeline_->compute));
  }

  void upload_whole_arrays() {
    upload(ignored_, given_.convention.ignored, given_.convention.ignored_count);
    upload(gamma_, given_.gamma, columns_);
    upload(positive_weight_, given_.positive_weight, columns_);
    upload(negative_weight_, given_.negative_weight, columns_);
    if (foreground_weight_) upload(foreground_weight_, given_.foreground_weight, columns_);
    for (int32_t i = 0; i < given_.level_count; ++i) {
      const efl_level& source = given_.levels[i];
      const efl_level& level = device_levels_[static_cast<std::size_t>(i)];
      const int64_t rows = whole_.plans[static_cast<std::size_t>(i)].rows;
      upload(level.labels, source.labels, rows);
      upload(level.quality, source.quality, rows);
      upload(level.targets, source.targets, rows * columns_);
    }
  }

  efl_status look_at_labels(efl_result* result) {
    enqueue_survey(whole_, *sums_, dense_columns_, pipeline_->compute);
    check(cudaMemcpyAsync(&survey_, sums_->survey, sizeof survey_, cudaMemcpyDeviceToHost,
                          pipeline_->compute));
    check(cudaStreamSynchronize(pipeline_->compute));
    efl_status status = EFL_OK;
    unsigned long long first = kNothingBad;
    const auto consider = [&](unsigned long long place, efl_status kind) {
      if (place == kNothingBad ||
          (status != EFL_OK && place >> kPlaceBits >= first >> kPlaceBits)) {
        return;
      }
      first = place;
      status = kind;
    };
    consider(survey_.bad.label, EFL_BAD_LABEL);
    consider(survey_.bad.quality, EFL_BAD_QUALITY);
    consider(survey_.bad.target, EFL_BAD_TARGET);
    if (status == EFL_OK) return status;
    result->bad_level = static_cast<int64_t>(first >> kPlaceBits);
    result->bad_index = static_cast<int64_t>(first & ((1ull << kPlaceBits) - 1));
    const efl_level& level = given_.levels[result->bad_level];
    result->bad_value = status == EFL_BAD_LABEL ? level.labels[result->bad_index]
                        : status == EFL_BAD_QUALITY
                            ? static_cast<double>(level.quality[result->bad_index])
                            : static_cast<double>(level.targets[result->bad_index]);
    return status;
  }

  int64_t elements_of(const Part& part) const { return part.rows * columns_; }

  // Copies of a part's arrays, by way of pinned memory.
  void start(std::size_t index) {
    if (index >= 2) finish(index - 2);
    const Part& part = parts_[index];
    const efl_level& source = given_.levels[part.level];
    const PartArrays& arrays = slots_[index % 2];
    Pipeline::Slot& slot = pipeline_->slots[index % 2];
    const int64_t first = part.first_row * columns_, count = elements_of(part);
    slot.bring(pipeline_->in, arrays.logits,
               static_cast<const unsigned char*>(source.logits) + first * element_bytes_,
               slot.narrow, count * element_bytes_);
    if (source.grad_output) {
      slot.bring(pipeline_->in, arrays.grad_output, source.grad_output + first, slot.wide,
                 count * 4);
    }
    check(cudaEventRecord(slot.arrived, pipeline_->in));
    check(cudaStreamWaitEvent(pipeline_->compute, slot.arrived, 0));
    compute(part, arrays, index == 0);
    check(cudaEventRecord(slot.computed, pipeline_->compute));
    check(cudaStreamWaitEvent(pipeline_->out, slot.computed, 0));
    if (source.gradient) {
      slot.send(pipeline_->out, slot.narrow, arrays.logits, count * element_bytes_);
    }
    if (source.elements) slot.send(pipeline_->out, slot.wide, arrays.elements, count * 4);
    check(cudaEventRecord(slot.returned, pipeline_->out));
  }

  void compute(const Part& part, const PartArrays& arrays, bool first_part) {
    FusedCall call = call_of(part, arrays);
    call.first_part = first_part;
    Parts parts(workspace_memory_);
    Workspace workspace(call, &parts);
    // What rows with targets are has been found out for all of them.
    int64_t rows_before = 0;
    for (int32_t i = 0; i < part.level; ++i)
      rows_before += whole_.plans[static_cast<std::size_t>(i)].rows;
    workspace.dense_columns = dense_columns_ + rows_before + part.first_row;
    enqueue(call, workspace, *sums_, pipeline_->compute);
  }

  // The part's results have come back; its slot is free.
  void finish(std::size_t index) {
    const Part& part = parts_[index];
    const efl_level& source = given_.levels[part.level];
    Pipeline::Slot& slot = pipeline_->slots[index % 2];
    const int64_t first = part.first_row * columns_, count = elements_of(part);
    check(cudaEventSynchronize(slot.returned));
    if (count == 0) return;
    if (source.gradient) {
      std::memcpy(static_cast<unsigned char*>(source.gradient) + first * element_bytes_,
                  slot.narrow, static_cast<std::size_t>(count * element_bytes_));
    }
    if (source.elements) {
      std::memcpy(source.elements + first, slot.wide, static_cast<std::size_t>(count) * 4);
    }
  }

  efl_status read_sums(efl_result* result) {
    CallTotals totals{};
    std::vector<double> negative(static_cast<std::size_t>(columns_)), positive(negative);
    const auto read = [&](void* to, const void* from, std::size_t bytes) {
      check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, pipeline_->compute));
    };
    read(&totals, sums_->totals, sizeof totals);
    read(negative.data(), sums_->negative, negative.size() * sizeof(double));
    read(positive.data(), sums_->positive, positive.size() * sizeof(double));
    check(cudaStreamSynchronize(pipeline_->compute));
    RowCounts counts;
    counts.rows = static_cast<int64_t>(survey_.rows);
    counts.positives = static_cast<int64_t>(survey_.positives);
    counts.ignored = static_cast<int64_t>(survey_.ignored);
    const Scales scales = scales_of(given_, counts);
    result->loss = totals.loss * scales.loss;
    result->positives = counts.positives;
    result->ignored = counts.ignored;
    result->non_finite = totals.non_finite;
    for (int32_t c = 0; given_.negative_sums && c < columns_; ++c) {
      given_.negative_sums[c] = negative[static_cast<std::size_t>(c)] * scales.statistics;
      given_.positive_sums[c] = positive[static_cast<std::size_t>(c)] * scales.statistics;
    }
    return EFL_OK;
  }

  const int device_;
  const efl_problem& given_;
  Pipeline::Taken pipeline_;
  int32_t columns_ = 0;
  int64_t element_bytes_ = 0;
  bool has_elements_ = false, has_grad_output_ = false, in_rows_ = false;
  FusedCall whole_{};
  std::vector<Part> parts_;
  int64_t most_elements_ = 0;
  DeviceMemory memory_;
  SurveyTotals survey_{};

  // In the device memory.
  int32_t* ignored_ = nullptr;
  float *gamma_ = nullptr, *positive_weight_ = nullptr, *negative_weight_ = nullptr;
  float* foreground_weight_ = nullptr;
  std::unique_ptr<Sums> sums_;
  std::vector<efl_level> device_levels_;
  int32_t* dense_columns_ = nullptr;
  PartArrays slots_[2] = {};
  std::size_t workspace_bytes_ = 0;
  unsigned char* workspace_memory_ = nullptr;
};

}  // namespace

efl_status compute_host_arrays(int device, const efl_problem& problem, efl_result* result) {
  check(cudaSetDevice(device));
  return HostCall(device, problem, false).run(result);
}

efl_status collect_host_arrays(int device, const efl_collect_problem& given, efl_result* result) {
  check(cudaSetDevice(device));
  std::vector<efl_level> levels(given.levels, given.levels + given.level_count);
  for (efl_level& level : levels) level.gradient = nullptr;
  const std::vector<float> ones(static_cast<std::size_t>(efl::columns_of(given.convention)), 1.0f);
  efl_problem problem{};
  problem.convention = given.convention;
  problem.format = given.format;
  problem.levels = levels.data();
  problem.level_count = given.level_count;
  problem.gamma = problem.positive_weight = problem.negative_weight = ones.data();
  problem.reduction = EFL_REDUCTION_SUM;
  problem.normalizer = problem.loss_weight = problem.loss_scale = 1;
  problem.upstream = given.scale;
  problem.positive_sums = given.positive_sums;
  problem.negative_sums = given.negative_sums;
  return HostCall(device, problem, true).run(result);
}

}  // namespace efl::cuda
