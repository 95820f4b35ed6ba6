// One call on the device: which kernels in which order, and the memory they need beside their own.
#pragma once

#include <vector>

#include "launch.cuh"
#include "memory.h"

namespace efl::cuda {

// How a level is computed.
struct LevelPlan {
  bool in_rows;  // its rows lie side by side
  RowsPlan rows_plan;
  PlanesPlan planes_plan;
  int64_t rows;
  int64_t rows_before;  // of this level, in earlier parts of it
  int32_t level_index;
};

struct FusedCall {
  efl_problem problem;  // all pointers on the device, but `levels`, which is not read
  std::vector<efl_level> levels;
  std::vector<LevelPlan> plans;
  DeviceScalars scalars;
  bool statistics;  // whether sums are wanted
  int64_t rows;     // of all levels

  // Where one level after another comes in parts, only sums and totals stay from part to part.
  bool first_part = true;
};

// What the kernels of a call leave for one another.
struct Workspace {
  Workspace(const FusedCall& call, Parts* parts);

  float* partial;
  BlockTotals* blocks;
  int32_t* dense_columns;  // one for each row of levels with targets
};

// What a call leaves.
struct Sums {
  Sums() = default;
  Sums(int32_t columns, Parts* parts);
  double* positive() const { return of_columns; }
  double* negative() const { return of_columns + columns; }
  double* flags() const { return of_columns + 2 * columns; }
  int64_t count() const { return 2 * int64_t{columns} + kReducedFlags; }

  int32_t columns = 0;
  // Positive, negative, and the flags of a reducer, which adds up all at once.
  double* of_columns = nullptr;
  CallTotals* totals = nullptr;
  SurveyTotals* survey = nullptr;
  double* survey_weights = nullptr;  // of each block of a survey
};

int32_t bytes_of(efl_dtype dtype);

// A level as a call uses it: of gradients that are given nothing is written but the statistics.
efl_level used_level(const efl_problem& problem, const efl_level& level);

void add_level(FusedCall* call, const efl_level& level, int32_t level_index,
               int64_t rows_before = 0);

// Whether labels and targets of this process have to be looked at before anything is computed.
bool needs_survey(const FusedCall& call);
void enqueue_survey(const FusedCall& call, const Sums& sums, int32_t* dense_columns,
                    cudaStream_t stream);
// Loss, gradient and sums of all levels.
void enqueue(const FusedCall& call, const Workspace& workspace, const Sums& sums,
             cudaStream_t stream);

}  // namespace efl::cuda
