#include "survey.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "../core/labels.h"
#include "../core/layout.h"
#include "../core/selection.h"
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

// What the call says of one row.
struct SurveyedRow {
  const efl_problem& problem;
  const efl_level& level;
  int64_t index;
  RowPlace place;

  bool is_masked(int32_t c) const {
    return efl::is_masked(problem, level, place.offset + c * place.stride, c);
  }
};

// The column of the row's one hard positive, background, or a constant of dense
// rows.
int32_t column_of_targets(const SurveyedRow& row, Selected* found, bool* foreground) {
  const efl_label_convention& convention = row.problem.convention;
  const int32_t columns = columns_of(convention);
  int32_t column = kBackground;
  for (int32_t c = 0; c < columns; ++c) {
    const int64_t index = row.place.offset + c * row.place.stride;
    const float target = row.level.targets[index];
    if (target == 0.0f || row.is_masked(c)) continue;
    if (!(target > 0.0f && target <= 1.0f)) {
      if (found->bad_offset < 0 || index < found->bad_offset) found->bad_offset = index;
      return kInvalid;
    }
    *foreground |= c < convention.classes && is_positive(row.problem, target);
    column = column == kBackground && target == 1.0f ? c : kDense;
  }
  // As a label it would say that the objectness column is positive.
  if (column == kBackground && convention.has_objectness) return kDenseBackground;
  return column == kDense && !*foreground ? kDenseBackground : column;
}

// As label_column says it. A row whose own element is masked still has its negatives.
int32_t column_of_label(const SurveyedRow& row, Selected* found, bool* foreground) {
  const int32_t column = label_column(row.problem.convention, row.level.labels[row.index]);
  if (column == kInvalid && found->bad_row < 0) found->bad_row = row.index;
  const int32_t positive = positive_column(row.problem.convention, column);
  const bool is_masked = positive >= 0 && row.is_masked(positive);
  *foreground = column >= 0 && !is_masked;
  return is_masked ? kMaskedPositive : column;
}

int64_t masked_in(const SurveyedRow& row) {
  const int32_t columns = columns_of(row.problem.convention);
  int64_t masked = 0;
  for (int32_t c = 0; c < columns; ++c) masked += row.is_masked(c);
  return masked;
}

// Rows with labels and weights but no masks, without a branch. False where a label or a weight
// needs to be looked at by itself.
bool weigh_run(const efl_problem& problem, const efl_level& level, int64_t first, int32_t count,
               int32_t* columns, Selected* found) {
  constexpr int32_t kSums = 8;
  constexpr uint32_t kLargest = 0x7f7fffff;  // bits of the largest float
  const float* const weights = level.row_weight + first;
  // As labels say it, without the column of objectness.
  efl_label_convention convention = problem.convention;
  convention.has_objectness = 0;
  if (!label_columns(convention, level.labels + first, 1, count, columns)) return false;
  uint32_t largest = 0;
  int32_t positives = 0, ignored = 0;
  for (int32_t i = 0; i < count; ++i) {
    uint32_t bits;
    std::memcpy(&bits, weights + i, sizeof bits);
    largest = std::max(largest, bits);
    columns[i] = weighs_nothing(weights[i]) ? kIgnored : columns[i];
    positives += columns[i] >= 0;
    ignored += columns[i] == kIgnored;
  }
  float largest_weight;
  std::memcpy(&largest_weight, &largest, sizeof largest);
  if (largest > kLargest || !is_row_weight(problem, largest_weight)) return false;
  double sums[kSums] = {};
  for (int32_t i = 0; i < count; ++i) {
    sums[i % kSums] += columns[i] >= 0 ? static_cast<double>(weights[i]) : 0.0;
  }
  for (const double sum : sums) found->weights += sum;
  found->positives += positives;
  found->ignored += ignored;
  found->largest_weight = std::max(found->largest_weight, largest_weight);
  return true;
}

// Weights are added up in the order of rows and parts, whatever the threads.
void add_part(const Selected& part, Selected* all) {
  const auto keep_first = [](int64_t* first, int64_t other) {
    if (other >= 0 && (*first < 0 || other < *first)) *first = other;
  };
  all->positives += part.positives;
  all->ignored += part.ignored;
  all->masked += part.masked;
  all->weights += part.weights;
  all->largest_weight = std::max(all->largest_weight, part.largest_weight);
  keep_first(&all->bad_row, part.bad_row);
  keep_first(&all->bad_weight, part.bad_weight);
  keep_first(&all->bad_offset, part.bad_offset);
}

}  // namespace

DenseColumns::DenseColumns(std::vector<std::vector<int32_t>> columns)
    : columns_(std::move(columns)) {
  for (const std::vector<int32_t>& level : columns_) levels_.push_back(level.data());
}

efl_status Survey::run(efl_survey* survey) {
  // An empty level need not have targets where the others do.
  const bool selects =
      problem_.class_mask || std::any_of(problem_.levels, problem_.levels + problem_.level_count,
                                         [](const efl_level& level) {
                                           return level.targets || level.row_weight || level.mask;
                                         });
  if (selects) columns_.resize(static_cast<std::size_t>(problem_.level_count));
  survey->largest_weight = 1;
  for (int32_t i = 0; i < problem_.level_count; ++i) {
    const efl_level& level = problem_.levels[i];
    survey->rows += rows_of(problem_.format, level);
    efl_status status = selects ? selected(i, survey) : labels(i, survey);
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
  survey->weights += static_cast<double>(found.positives);
  if (found.bad_row < 0) return EFL_OK;
  const int32_t label = problem_.levels[index].labels[found.bad_row];
  return bad(EFL_BAD_LABEL, index, found.bad_row, label);
}

int32_t Survey::column_of(int32_t index, int64_t row) const {
  return columns_[static_cast<std::size_t>(index)][static_cast<std::size_t>(row)];
}

efl_status Survey::qualities(int32_t index) const {
  const FlushSubnormals flush;  // as the kernels have it, to which a subnormal quality is 0
  const efl_level& level = problem_.levels[index];
  const int64_t rows = rows_of(problem_.format, level);
  for (int64_t r = 0; r < rows; ++r) {
    const float quality = level.quality[r];
    if (quality >= 0.0f && quality <= 1.0f) continue;
    if (label_column(problem_.convention, level.labels[r]) < 0) continue;
    if (weighs_nothing(row_weight_of(level, r))) continue;
    if (!columns_.empty() && column_of(index, r) == kMaskedPositive) continue;
    return bad(EFL_BAD_QUALITY, index, r, static_cast<double>(quality));
  }
  return EFL_OK;
}

// Rows are looked at by several threads: there may be as many targets as logits.
efl_status Survey::selected(int32_t index, efl_survey* survey) {
  const FlushSubnormals flush;  // likewise
  const efl_level& level = problem_.levels[index];
  const int64_t rows = rows_of(problem_.format, level);
  const int32_t columns = columns_of(problem_.convention);
  const bool looks_at_elements =
      level.targets || (level.mask && problem_.reduction == EFL_REDUCTION_MEAN);
  constexpr int64_t kRun = 1024;
  const int64_t rows_per_part = looks_at_elements ? 256 : 16 * kRun;
  const int64_t parts = (rows + rows_per_part - 1) / rows_per_part;
  columns_[static_cast<std::size_t>(index)].resize(static_cast<std::size_t>(rows));
  std::vector<Selected> of_parts(static_cast<std::size_t>(parts));
  const int32_t useful =
      useful_threads(problem_.threads, looks_at_elements ? rows * columns : rows);
  parallel_for(useful, parts, [&](int64_t part) {
    const int64_t last = std::min(rows, (part + 1) * rows_per_part);
    for (int64_t r = part * rows_per_part; r < last; r += kRun) {
      select_run(index, r, std::min(last, r + kRun), &of_parts[static_cast<std::size_t>(part)]);
    }
  });
  Selected found;
  for (const Selected& of_part : of_parts) add_part(of_part, &found);
  survey->positives += found.positives;
  survey->ignored += found.ignored;
  survey->masked += found.masked;
  survey->weights += found.weights;
  survey->largest_weight =
      std::max(survey->largest_weight, static_cast<double>(found.largest_weight));
  if (found.bad_row >= 0)
    return bad(EFL_BAD_LABEL, index, found.bad_row, level.labels[found.bad_row]);
  if (found.bad_offset >= 0) {
    const auto value = static_cast<double>(level.targets[found.bad_offset]);
    return bad(EFL_BAD_TARGET, index, found.bad_offset, value);
  }
  if (found.bad_weight < 0) return EFL_OK;
  const auto weight = static_cast<double>(level.row_weight[found.bad_weight]);
  return bad(EFL_BAD_WEIGHT, index, found.bad_weight, weight);
}

void Survey::select_run(int32_t index, int64_t first, int64_t last, Selected* found) {
  const efl_level& level = problem_.levels[index];
  int32_t* const columns = columns_[static_cast<std::size_t>(index)].data() + first;
  const bool weighs = level.labels && level.row_weight && !has_masks(problem_, level);
  if (weighs &&
      weigh_run(problem_, level, first, static_cast<int32_t>(last - first), columns, found))
    return;
  select_rows(index, first, last, found);
}

void Survey::select_rows(int32_t index, int64_t first, int64_t last, Selected* found) {
  const efl_level& level = problem_.levels[index];
  const int32_t columns = columns_of(problem_.convention);
  const bool by_element = level.targets || level.mask;
  const bool counts_masked = problem_.reduction == EFL_REDUCTION_MEAN && has_masks(problem_, level);
  for (int64_t r = first; r < last; ++r) {
    const SurveyedRow row = {
        problem_, level, r,
        by_element ? row_place(problem_.format, level, columns, r) : RowPlace{}};
    const float weight = row_weight_of(level, r);
    if (!is_row_weight(problem_, weight) && found->bad_weight < 0) found->bad_weight = r;
    bool foreground = false;
    int32_t column = kIgnored;
    if (level.labels) {
      column = column_of_label(row, found, &foreground);
    } else if (!weighs_nothing(weight)) {
      column = column_of_targets(row, found, &foreground);
    }
    if (weighs_nothing(weight)) column = kIgnored;
    columns_[static_cast<std::size_t>(index)][static_cast<std::size_t>(r)] = column;
    found->largest_weight = std::max(found->largest_weight, weight);
    found->ignored += column == kIgnored;
    if (counts_masked && column != kIgnored) found->masked += masked_in(row);
    if (column == kIgnored || !foreground) continue;
    ++found->positives;
    found->weights += static_cast<double>(weight);
  }
}

}  // namespace efl::cpu
