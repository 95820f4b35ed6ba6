#include "fused_call.h"

#include <algorithm>

#include "../core/call.h"

namespace efl::cuda {
namespace {

bool starts_at_vector(const void* array) { return reinterpret_cast<uintptr_t>(array) % 16 == 0; }

int64_t partial_floats(const LevelPlan& plan, int32_t columns) {
  return plan.in_rows ? plan.rows_plan.partial_floats : plan.planes_plan.units * 2 * columns;
}

int64_t blocks_of(const LevelPlan& plan) {
  return plan.in_rows ? blocks_of(plan.rows_plan) : blocks_of(plan.planes_plan);
}

void set_plan(const LevelPlan& plan, RowsParams* params) { params->plan = plan.rows_plan; }
void set_plan(const LevelPlan& plan, PlanesParams* params) { params->plan = plan.planes_plan; }

// What the kernels of each level are told, each with its own part of the workspace.
template <class Params>
std::vector<Params> level_params(const FusedCall& call, Workspace workspace) {
  const int32_t columns = efl::columns_of(call.problem.convention);
  std::vector<Params> all;
  for (std::size_t i = 0; i < call.levels.size(); ++i) {
    const LevelPlan& plan = call.plans[i];
    Params params{};
    set_plan(plan, &params);
    params.problem = call.problem;
    params.level = call.levels[i];
    params.scalars = call.scalars;
    params.rows = plan.rows;
    params.totals = workspace.blocks;
    workspace.blocks += blocks_of(plan);
    if (call.statistics) {
      params.partial = workspace.partial;
      workspace.partial += partial_floats(plan, columns);
    }
    if (params.level.targets) {
      params.dense_columns = workspace.dense_columns;
      workspace.dense_columns += plan.rows;
    }
    all.push_back(params);
  }
  return all;
}

template <class Params>
void launch_collect(const std::vector<Params>& levels, cudaStream_t stream) {
  PyramidParams<Params> pyramid{};
  for (const Params& level : levels) {
    if (add_level(&pyramid, level)) continue;
    launch_collect(pyramid, stream);
    pyramid = {};
    (void)add_level(&pyramid, level);
  }
  launch_collect(pyramid, stream);
}

template <class Params>
void launch_finish(const FusedCall& call, const std::vector<Params>& levels, const Sums& sums,
                   cudaStream_t stream) {
  FinishParams finish{};
  finish.columns = efl::columns_of(call.problem.convention);
  finish.first = call.first_part;
  finish.statistics = call.statistics;
  finish.survey = call.scalars.survey ? sums.survey : nullptr;
  finish.negative_sums = sums.negative();
  finish.positive_sums = sums.positive();
  finish.totals = sums.totals;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const LevelPlan& plan = call.plans[i];
    finish.levels[finish.level_count++] = {partial_of(levels[i]), levels[i].level, plan.level_index,
                                           plan.rows_before};
    if (finish.level_count < kMostLevelsOfLaunch && i + 1 < levels.size()) continue;
    launch_finish(finish, stream);
    finish.level_count = 0;
    finish.first = false;
  }
}

template <class Params>
void enqueue_levels(const FusedCall& call, const Workspace& workspace, const Sums& sums,
                    cudaStream_t stream) {
  const std::vector<Params> levels = level_params<Params>(call, workspace);
  if (call.problem.gradients_given) {
    launch_collect(levels, stream);
  } else {
    for (const Params& level : levels) launch(level, stream);
  }
  launch_finish(call, levels, sums, stream);
}

}  // namespace

Workspace::Workspace(const FusedCall& call, Parts* parts) {
  const int32_t columns = efl::columns_of(call.problem.convention);
  int64_t floats = 0, block_count = 0, dense_rows = 0;
  for (std::size_t i = 0; i < call.plans.size(); ++i) {
    floats += partial_floats(call.plans[i], columns);
    block_count += blocks_of(call.plans[i]);
    if (call.levels[i].targets) dense_rows += call.plans[i].rows;
  }
  partial = parts->take<float>(call.statistics ? floats : 0);
  blocks = parts->take<BlockTotals>(block_count);
  dense_columns = parts->take<int32_t>(dense_rows);
}

Sums::Sums(int32_t columns, Parts* parts)
    : columns(columns),
      of_columns(parts->take<double>(count())),
      totals(parts->take<CallTotals>(1)),
      survey(parts->take<SurveyTotals>(1)),
      survey_weights(parts->take<double>(kMostSurveyBlocks)) {}

int32_t bytes_of(efl_dtype dtype) { return dtype == EFL_FLOAT32 ? 4 : 2; }

efl_level used_level(const efl_problem& problem, const efl_level& level) {
  efl_level used = level;
  if (!problem.gradients_given) return used;
  used.gradient = nullptr;
  used.elements = nullptr;
  used.grad_output = nullptr;
  return used;
}

void add_level(FusedCall* call, const efl_level& level, int32_t level_index, int64_t rows_before) {
  const efl_format& format = call->problem.format;
  const int32_t columns = efl::columns_of(call->problem.convention);
  const bool aligned = starts_at_vector(level.logits) && starts_at_vector(level.gradient);
  LevelPlan plan{};
  plan.in_rows = efl::lies_in_rows(format);
  plan.rows = efl::rows_of(format, level);
  plan.rows_before = rows_before;
  plan.level_index = level_index;
  if (plan.in_rows) {
    plan.rows_plan = plan_rows(plan.rows, columns, bytes_of(format.dtype), aligned);
  } else {
    plan.planes_plan = plan_planes(format, level, columns, aligned);
  }
  if (blocks_of(plan) > INT32_MAX || level_index >= kMostLevels) {
    throw CudaError{cudaErrorInvalidConfiguration};
  }
  call->levels.push_back(level);
  call->plans.push_back(plan);
  call->rows += plan.rows;
}

bool needs_survey(const FusedCall& call) {
  if (call.problem.gradients_given) return false;
  const efl_problem& problem = call.problem;
  if (problem.reduction == EFL_REDUCTION_MEAN) return true;
  if (problem.reduction == EFL_REDUCTION_SUM && !call.scalars.normalizer &&
      is_counted_normalizer(problem.normalizer)) {
    return true;
  }
  return std::any_of(call.levels.begin(), call.levels.end(), [](const efl_level& level) {
    return level.targets || level.quality || level.row_weight;
  });
}

void enqueue_survey(const FusedCall& call, const Sums& sums, int32_t* dense_columns,
                    cudaStream_t stream) {
  launch_clear_survey(sums.survey, stream);
  for (std::size_t i = 0; i < call.levels.size(); ++i) {
    const LevelPlan& plan = call.plans[i];
    const bool weighed = call.problem.normalizer == EFL_NORMALIZER_WEIGHTS;
    launch_survey({call.problem, call.levels[i], plan.level_index, plan.rows, dense_columns,
                   sums.survey, weighed ? sums.survey_weights : nullptr},
                  stream);
    if (call.levels[i].targets) dense_columns += plan.rows;
  }
  check_launches();
}

void enqueue(const FusedCall& call, const Workspace& workspace, const Sums& sums,
             cudaStream_t stream) {
  if (efl::lies_in_rows(call.problem.format)) {
    enqueue_levels<RowsParams>(call, workspace, sums, stream);
  } else {
    enqueue_levels<PlanesParams>(call, workspace, sums, stream);
  }
  check_launches();
}

}  // namespace efl::cuda
