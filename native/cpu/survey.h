// A look at every label, target, weight and quality of a call before anything is written: a bad one
// must find all as it was. Counts what the normalizer needs, and says of each row with dense
// targets what a label would say, where one could. Rows that weigh nothing are ignored ones from
// here on.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "../core/backend.h"

namespace efl::cpu {

// What the labels of some rows say.
struct Labels {
  int64_t positives = 0;
  int64_t ignored = 0;
  int64_t bad_row = -1;  // the first with a label that names nothing
};

// What the labels or targets of some rows say of those rows and elements that count.
struct Selected {
  int64_t positives = 0;  // rows in which a class has a target > 0; objectness is none
  int64_t ignored = 0;
  int64_t masked = 0;
  double weights = 0;
  float largest_weight = 0;
  int64_t bad_row = -1;     // the first with a label that names nothing,
  int64_t bad_weight = -1;  // or with a weight that is none
  int64_t bad_offset = -1;  // of the first target outside [0, 1]
};

// With dense targets, weights or masks: what each row is, as label_column says it, or kDense.
class DenseColumns {
 public:
  explicit DenseColumns(std::vector<std::vector<int32_t>> columns);
  // A list with one array for each level.
  const int32_t* const* of_levels() const { return levels_.data(); }

 private:
  std::vector<std::vector<int32_t>> columns_;
  std::vector<const int32_t*> levels_;
};

class Survey {
 public:
  // The place of the first bad value goes into the report.
  Survey(const efl_problem& problem, efl_report* report) : problem_(problem), report_(report) {}

  // Fills in the counts.
  efl_status run(efl_survey* survey);

  bool is_dense() const { return !columns_.empty(); }
  std::vector<std::vector<int32_t>> take() { return std::move(columns_); }

 private:
  efl_status labels(int32_t level, efl_survey* survey);
  efl_status add(int32_t level, const Labels& found, efl_survey* survey);
  int32_t column_of(int32_t level, int64_t row) const;
  efl_status qualities(int32_t level) const;
  efl_status selected(int32_t level, efl_survey* survey);
  void select_run(int32_t level, int64_t first, int64_t last, Selected* found);
  void select_rows(int32_t level, int64_t first, int64_t last, Selected* found);
  efl_status bad(efl_status status, int32_t level, int64_t index, double value) const;

  const efl_problem& problem_;
  efl_report* const report_;
  std::vector<std::vector<int32_t>> columns_;  // of each level
};

}  // namespace efl::cpu
