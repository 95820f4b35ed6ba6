// A look at every label, target and quality of a call before anything is written: a bad one must
// find all as it was. Counts what the normalizer needs, and says of each row with dense targets
// what a label would say, where one could.
#pragma once

#include <cstdint>
#include <vector>

#include "../core/problem.h"
#include "../core/reduction.h"

namespace efl::cpu {

// What the labels of some rows say.
struct Labels {
  int64_t positives = 0;
  int64_t ignored = 0;
  int64_t bad_row = -1;  // the first with a label that names nothing
};

class Survey {
 public:
  Survey(const efl_focal_problem& problem, int32_t threads);

  // Fills in the counts of the result, or the place of the first bad value.
  efl_status run(efl_result* result);

  const RowCounts& counts() const { return counts_; }
  // Null where there are labels.
  const int32_t* const* dense_columns() const { return dense_.empty() ? nullptr : dense_.data(); }

 private:
  efl_status labels(int32_t level, efl_result* result);
  efl_status add(int32_t level, const Labels& found, efl_result* result);
  efl_status qualities(int32_t level, efl_result* result) const;
  efl_status targets(int32_t level, efl_result* result);

  const efl_focal_problem& problem_;
  const int32_t threads_;
  RowCounts counts_;
  std::vector<std::vector<int32_t>> columns_;  // of each level
  std::vector<const int32_t*> dense_;
};

}  // namespace efl::cpu
