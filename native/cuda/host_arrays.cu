#include "host_arrays.h"

namespace efl::cuda {
namespace {

template <class T>
void upload(const T* to, const T* from, int64_t count, cudaStream_t stream) {
  if (!from || count == 0) return;
  check(cudaMemcpyAsync(const_cast<T*>(to), from, static_cast<std::size_t>(count) * sizeof(T),
                        cudaMemcpyHostToDevice, stream));
}

}  // namespace

HostArrays::HostArrays(int device, cudaStream_t stream, const efl_problem& problem)
    : given(problem), columns(columns_of(problem.convention)) {
  for (int32_t i = 0; i < given.level_count; ++i) {
    const efl_level level = used_level(given, given.levels[i]);
    has_elements |= level.elements != nullptr;
    has_grad_output |= level.grad_output != nullptr;
    has_targets |= level.targets != nullptr;
    levels.push_back(level);
  }
  given.levels = levels.data();
  parts = cut_into_parts(given);
  for (const HostPart& part : parts) most_elements = std::max(most_elements, part.rows * columns);
  Parts needed;
  place(&needed);
  memory_ = DeviceMemory(device, stream, needed.taken());
  Parts memory(memory_.data());
  place(&memory);
}

void HostArrays::place(Parts* memory) {
  whole = {};
  efl_problem& problem = whole.problem;
  problem = given;
  problem.convention.ignored = memory->take<int32_t>(given.convention.ignored_count);
  problem.gamma = memory->take<float>(columns);
  problem.positive_weight = memory->take<float>(columns);
  problem.negative_weight = memory->take<float>(columns);
  if (given.foreground_weight) problem.foreground_weight = memory->take<float>(columns);
  if (given.class_mask) problem.class_mask = memory->take<uint8_t>(given.convention.classes);
  sums = Sums(columns, memory);
  whole.scalars.survey = sums.survey;
  whole.statistics = given.negative_sums != nullptr;
  for (int32_t i = 0; i < given.level_count; ++i) place_level(i, memory);
  dense_columns = memory->take<int32_t>(has_targets ? whole.rows : 0);
  for (PartArrays& arrays : slots) {
    arrays.logits = memory->take<unsigned char>(bytes_of_logits(most_elements));
    arrays.elements = memory->take<float>(has_elements ? most_elements : 0);
    arrays.grad_output = memory->take<float>(has_grad_output ? most_elements : 0);
  }
  std::size_t workspace = 0;
  for (const HostPart& part : parts) {
    Parts needed;
    (void)Workspace(call_of(part, slots[0]), &needed);
    workspace = std::max(workspace, needed.taken());
  }
  workspace_ = memory->take<unsigned char>(static_cast<int64_t>(workspace));
}

void HostArrays::place_level(int32_t index, Parts* memory) {
  efl_level level = levels[static_cast<std::size_t>(index)];
  const int64_t rows = rows_of(given.format, level);
  level.logits = level.gradient = nullptr;
  level.elements = nullptr;
  level.grad_output = nullptr;
  if (level.labels) level.labels = memory->take<int32_t>(rows);
  if (level.quality) level.quality = memory->take<float>(rows);
  if (level.targets) level.targets = memory->take<float>(rows * columns);
  if (level.row_weight) level.row_weight = memory->take<float>(rows);
  if (level.mask) level.mask = memory->take<uint8_t>(rows * columns);
  add_level(&whole, level, index);
}

void HostArrays::upload_whole(cudaStream_t stream) const {
  const efl_problem& to = whole.problem;
  upload(to.convention.ignored, given.convention.ignored, given.convention.ignored_count, stream);
  upload(to.gamma, given.gamma, columns, stream);
  upload(to.positive_weight, given.positive_weight, columns, stream);
  upload(to.negative_weight, given.negative_weight, columns, stream);
  upload(to.foreground_weight, given.foreground_weight, columns, stream);
  upload(to.class_mask, given.class_mask, given.convention.classes, stream);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const efl_level& level = whole.levels[i];
    const int64_t rows = whole.plans[i].rows;
    upload(level.labels, levels[i].labels, rows, stream);
    upload(level.quality, levels[i].quality, rows, stream);
    upload(level.targets, levels[i].targets, rows * columns, stream);
    upload(level.row_weight, levels[i].row_weight, rows, stream);
    upload(level.mask, levels[i].mask, rows * columns, stream);
  }
}

FusedCall HostArrays::call_of(const HostPart& part, const PartArrays& arrays) const {
  FusedCall call{};
  call.problem = whole.problem;
  call.scalars = whole.scalars;
  call.statistics = whole.statistics;
  call.first_part = part.level == 0 && part.first_row == 0;
  if (lies_in_rows(given.format)) {
    call.problem.format.anchors = 1;
    call.problem.format.channel_order = EFL_ANCHOR_MAJOR;
  }
  const efl_level& source = levels[static_cast<std::size_t>(part.level)];
  efl_level level = whole.levels[static_cast<std::size_t>(part.level)];
  level.images = part.images;
  level.positions = part.positions;
  level.logits = arrays.logits;
  if (source.gradient) level.gradient = arrays.logits;
  if (source.elements) level.elements = arrays.elements;
  if (source.grad_output) level.grad_output = arrays.grad_output;
  if (level.labels) level.labels += part.first_row;
  if (level.quality) level.quality += part.first_row;
  if (level.targets) level.targets += part.first_row * columns;
  if (level.row_weight) level.row_weight += part.first_row;
  if (level.mask) level.mask += part.first_row * columns;
  add_level(&call, level, part.level, part.first_row);
  return call;
}

// What rows with targets are has been found out for all of them.
Workspace HostArrays::workspace_of(const FusedCall& call, const HostPart& part) const {
  Parts memory(workspace_);
  Workspace workspace(call, &memory);
  workspace.dense_columns = dense_columns + part.rows_before + part.first_row;
  return workspace;
}

}  // namespace efl::cuda
