// How arrays on the host are cut into parts, which come to a device one after another.
#pragma once

#include <algorithm>
#include <vector>

#include "../core/layout.h"
#include "tuning.h"

namespace efl::cuda {

// A run of rows of a level; in layouts whose rows do not lie side by side, of whole images.
struct HostPart {
  int32_t level;
  int64_t first_row, rows, images, positions;
  int64_t rows_before;  // of the levels before
};

inline std::vector<HostPart> cut_into_parts(const efl_problem& problem) {
  std::vector<HostPart> parts;
  const int64_t rows_of_part = kPartElements / columns_of(problem.convention);
  const bool in_rows = lies_in_rows(problem.format);
  int64_t rows_before = 0;
  for (int32_t i = 0; i < problem.level_count; ++i) {
    const efl_level& level = problem.levels[i];
    const int64_t rows = rows_of(problem.format, level);
    const int64_t image = std::max<int64_t>(1, level.positions * problem.format.anchors);
    const int64_t unit = in_rows ? 1 : image;
    const int64_t step = std::max(unit, rows_of_part / unit * unit);
    int64_t first = 0;
    do {
      const int64_t count = std::min(step, rows - first);
      parts.push_back({i, first, count, in_rows ? 1 : count / unit,
                       in_rows ? count : level.positions, rows_before});
      first += count;
    } while (first < rows);
    rows_before += rows;
  }
  return parts;
}

}  // namespace efl::cuda
