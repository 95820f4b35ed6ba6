#include "survey.h"

#include <algorithm>
#include <cstddef>

#include "../core/labels.h"
#include "../core/layout.h"
#include "flush_subnormals.h"
#include "thread_pool.h"

namespace efl::cpu {
namespace {

// The rows of a run that have a class, are background or carry the first ignored label, counted
// without a branch so that the compiler can use vectors: at 80 classes a look at one label after
// the other would take a tenth of the kernel's time.
struct CommonLabels {
  int32_t positives = 0;
  int32_t background = 0;
  int32_t ignored = 0;

  CommonLabels(const efl_label_convention& convention, const int32_t* labels, int32_t count) {
    const auto classes = static_cast<uint32_t>(convention.classes);
    const auto first = static_cast<uint32_t>(convention.first_class);
    const int32_t has_ignored = convention.ignored_count > 0;
    const int32_t ignored_label = has_ignored ? convention.ignored[0] : 0;
    for (int32_t i = 0; i < count; ++i) {
      const int32_t is_class = static_cast<uint32_t>(labels[i]) - first < classes;
      positives += is_class;
      background += (labels[i] == convention.background) & convention.has_background & !is_class;
      ignored += (labels[i] == ignored_label) & has_ignored & !is_class;
    }
  }

  // A label may be named twice, as background and as ignored; then it is for label_column to say.
  bool cover(const efl_label_convention& convention, int32_t count) const {
    const bool distinct = !convention.has_background || convention.ignored_count == 0 ||
                          convention.background != convention.ignored[0];
    return distinct && positives + background + ignored == count;
  }
};

void count_one_by_one(const efl_label_convention& convention, const int32_t* labels, int64_t first,
                      int64_t last, Labels* found) {
  for (int64_t r = first; r < last; ++r) {
    const int32_t column = label_column(convention, labels[r]);
    found->positives += column >= 0;
    found->ignored += column == kIgnored;
    if (column != kInvalid) continue;
    found->bad_row = r;
    return;
  }
}

Labels count_labels(const efl_label_convention& convention, const int32_t* labels, int64_t first,
                    int64_t last) {
  constexpr int64_t kRun = 1024;
  Labels found;
  for (int64_t r = first; r < last && found.bad_row < 0; r += kRun) {
    const auto count = static_cast<int32_t>(std::min(last - r, kRun));
    const CommonLabels common(convention, labels + r, count);
    if (common.cover(convention, count)) {
      found.positives += common.positives;
      found.ignored += common.ignored;
    } else {
      count_one_by_one(convention, labels, r, r + count, &found);
    }
  }
  return found;
}

// What the targets of some rows say.
struct Targets {
  int64_t foreground = 0;   // rows in which a class has a positive's target; objectness is none
  int64_t bad_offset = -1;  // of the first target outside [0, 1]
};

// The column of the row's one hard positive, background, or a constant of dense rows.
int32_t column_of_targets(const efl_problem& problem, const float* targets, const RowPlace& place,
                          Targets* found) {
  const efl_label_convention& convention = problem.convention;
  const int32_t columns = columns_of(convention);
  int32_t column = kBackground;
  bool foreground = false;
  for (int32_t c = 0; c < columns; ++c) {
    const int64_t index = place.offset + c * place.stride;
    const float target = targets[index];
    if (target == 0.0f) continue;
    if (!(target > 0.0f && target <= 1.0f)) {
      if (found->bad_offset < 0 || index < found->bad_offset) found->bad_offset = index;
      return kInvalid;
    }
    foreground |= c < convention.classes && is_positive(problem, target);
    column = column == kBackground && target == 1.0f ? c : kDense;
  }
  found->foreground += foreground;
  // As a label it would say that the objectness column is positive.
  if (column == kBackground && convention.has_objectness) return kDenseBackground;
  return column == kDense && !foreground ? kDenseBackground : column;
}

}  // namespace

DenseColumns::DenseColumns(std::vector<std::vector<int32_t>> columns)
    : columns_(std::move(columns)) {
  for (const std::vector<int32_t>& level : columns_) levels_.push_back(level.data());
}

efl_status Survey::run(efl_survey* survey) {
  // An empty level need not have targets where the others do.
  const bool dense = std::any_of(problem_.levels, problem_.levels + problem_.level_count,
                                 [](const efl_level& level) { return level.targets != nullptr; });
  if (dense) columns_.resize(static_cast<std::size_t>(problem_.level_count));
  for (int32_t i = 0; i < problem_.level_count; ++i) {
    const efl_level& level = problem_.levels[i];
    survey->rows += rows_of(problem_.format, level);
    efl_status status = level.targets ? targets(i, survey) : labels(i, survey);
    if (status == EFL_OK && level.quality) status = qualities(i);
    if (status != EFL_OK) return status;
  }
  return EFL_OK;
}

efl_status Survey::bad(efl_status status, int32_t level, int64_t index, double value) const {
  report_->bad_level = level;
  report_->bad_index = static_cast<double>(index);
  report_->bad_value = value;
  return status;
}

// Parts of many rows are looked at by several threads.
efl_status Survey::labels(int32_t index, efl_survey* survey) {
  constexpr int64_t kRowsPerPart = 16 * 1024;
  const efl_level& level = problem_.levels[index];
  const int64_t rows = rows_of(problem_.format, level);
  const int64_t parts = (rows + kRowsPerPart - 1) / kRowsPerPart;
  if (parts <= 1)
    return add(index, count_labels(problem_.convention, level.labels, 0, rows), survey);
  std::vector<Labels> of_parts(static_cast<std::size_t>(parts));
  const int32_t useful = useful_threads(problem_.threads, rows);
  parallel_for(useful, parts, [&](int64_t part) {
    const int64_t first = part * kRowsPerPart;
    const int64_t last = std::min(rows, first + kRowsPerPart);
    of_parts[static_cast<std::size_t>(part)] =
        count_labels(problem_.convention, level.labels, first, last);
  });
  for (const Labels& of_part : of_parts) {
    const efl_status status = add(index, of_part, survey);
    if (status != EFL_OK) return status;
  }
  return EFL_OK;
}

efl_status Survey::add(int32_t index, const Labels& found, efl_survey* survey) {
  survey->positives += found.positives;
  survey->ignored += found.ignored;
  if (found.bad_row < 0) return EFL_OK;
  const int32_t label = problem_.levels[index].labels[found.bad_row];
  return bad(EFL_BAD_LABEL, index, found.bad_row, label);
}

efl_status Survey::qualities(int32_t index) const {
  const FlushSubnormals flush;  // as the kernels have it, to which a subnormal quality is 0
  const efl_level& level = problem_.levels[index];
  const int64_t rows = rows_of(problem_.format, level);
  for (int64_t r = 0; r < rows; ++r) {
    const float quality = level.quality[r];
    if (quality >= 0.0f && quality <= 1.0f) continue;
    if (label_column(problem_.convention, level.labels[r]) < 0) continue;
    return bad(EFL_BAD_QUALITY, index, r, static_cast<double>(quality));
  }
  return EFL_OK;
}

// Rows are looked at by several threads: there are as many targets as logits.
efl_status Survey::targets(int32_t index, efl_survey* survey) {
  constexpr int64_t kRun = 256;
  const FlushSubnormals flush;  // likewise
  const efl_level& level = problem_.levels[index];
  const int64_t rows = rows_of(problem_.format, level);
  const int32_t columns = columns_of(problem_.convention);
  const int64_t runs = (rows + kRun - 1) / kRun;
  std::vector<int32_t>& found = columns_[static_cast<std::size_t>(index)];
  found.resize(static_cast<std::size_t>(rows));
  std::vector<Targets> of_runs(static_cast<std::size_t>(runs));
  parallel_for(useful_threads(problem_.threads, rows * columns), runs, [&](int64_t run) {
    Targets& of_run = of_runs[static_cast<std::size_t>(run)];
    const int64_t last = std::min(rows, (run + 1) * kRun);
    for (int64_t r = run * kRun; r < last; ++r) {
      const RowPlace place = row_place(problem_.format, level, columns, r);
      found[static_cast<std::size_t>(r)] =
          column_of_targets(problem_, level.targets, place, &of_run);
    }
  });
  int64_t first_bad = -1;
  for (const Targets& of_run : of_runs) {
    const int64_t offset = of_run.bad_offset;
    if (offset >= 0 && (first_bad < 0 || offset < first_bad)) first_bad = offset;
    survey->positives += of_run.foreground;
  }
  if (first_bad >= 0) {
    const auto value = static_cast<double>(level.targets[first_bad]);
    return bad(EFL_BAD_TARGET, index, first_bad, value);
  }
  return EFL_OK;
}

}  // namespace efl::cpu
