// What the C interface has to compute, in float64 and written from the papers: slow, plain, and
// with nothing of native/ but the words of efl.h. The TypeScript of test/reference says the same.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "../../native/include/efl.h"

namespace fuzz {

// Below it results of the kernels are 0.
constexpr double kSmallest = 0x1p-126;
// Of elements and gradients, relative to the terms they are the sum of. What a sum of elements adds
// is less than that.
constexpr double kRelative = 2e-5;

// What float32 may not hold the sum of.
constexpr double kNearInfinity = 1e35;

// A number, and by how much float32 may miss it; an error of NaN allows anything.
struct Approximate {
  double value = 0;
  double error = 0;
};

// Smaller numbers count as 0 in what is given, too.
inline double flushed(float value) { return std::fabs(value) < kSmallest ? 0.0 : value; }

inline double softplus(double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); }

inline double sigmoid(double x) {
  const double e = std::exp(-std::fabs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

// Weights and gamma of a column.
struct Column {
  double gamma, positive, negative;
};

// Loss and dL/dx, and the sizes of the terms that were added up to get them.
struct Element {
  double loss, gradient, loss_scale, gradient_scale;
};

// L = w sigma(u)^gamma softplus(u) of a target of 0 or 1.
inline Element hard_element(double x, bool positive, double gamma, double weight) {
  const double u = positive ? -x : x;
  const double entropy = softplus(u);
  const double modulator = gamma == 0 ? 1 : std::exp(-gamma * softplus(-u));
  const double decay = u == std::numeric_limits<double>::infinity() ? 0 : sigmoid(-u) * entropy;
  const double gradient = weight * modulator * (sigmoid(u) + gamma * decay);
  const double loss = weight * modulator * entropy;
  return {loss, positive ? -gradient : gradient, loss, gradient};
}

inline double cross_entropy(double x, double y) { return (1 - y) * softplus(x) + y * softplus(-x); }

// Focal Loss of a target between 0 and 1: alpha_t BCE (1 - p_t)^gamma.
inline Element soft_element(double x, double y, const Column& column) {
  const double p = sigmoid(x), q = sigmoid(-x);
  const double miss = p * (1 - y) + q * y;
  const double entropy = cross_entropy(x, y);
  const double factor =
      (column.positive * y + column.negative * (1 - y)) * std::pow(miss, column.gamma);
  const double slope =
      std::isinf(entropy) ? 0 : column.gamma * p * q * (1 - 2 * y) * entropy / miss;
  const double loss = factor * entropy;
  return {loss, factor * ((1 - y) * p - y * q + slope), loss,
          factor * ((1 - y) * p + y * q + std::fabs(slope))};
}

// Quality Focal Loss of a quality between 0 and 1: |y - p|^gamma BCE.
inline Element quality_element(double x, double y, const Column& column) {
  const double gamma = column.gamma, weight = y * column.positive + (1 - y) * column.negative;
  const double raised = y * sigmoid(-x), lowered = (1 - y) * sigmoid(x);
  const double entropy = cross_entropy(x, y);
  const double curve = std::isinf(entropy) ? 0 : gamma * sigmoid(x) * sigmoid(-x) * entropy;
  const double d = raised - lowered, size = std::fabs(d), uncertain = raised + lowered;
  const double resolved = std::fmax(size, 1e-7 * uncertain);
  return {weight * std::pow(size, gamma) * entropy,
          -std::copysign(1, d) * weight * std::pow(size, gamma - 1) * (d * d + curve),
          weight * std::pow(resolved, gamma - 1) * uncertain * entropy,
          weight * std::pow(resolved, gamma - 2) * uncertain * (resolved * resolved + curve)};
}

// weight BCE(x, y).
inline Element entropy_element(double x, double y, double weight) {
  const double raised = y * sigmoid(-x), lowered = (1 - y) * sigmoid(x);
  const double on_positive = y > 0 ? y * softplus(-x) : 0;
  const double loss = weight * (on_positive + (y < 1 ? (1 - y) * softplus(x) : 0));
  return {loss, weight * (lowered - raised), loss, weight * (lowered + raised)};
}

// A negative whose modulator the gradient takes for a constant.
inline Element detached_element(double x, double gamma, double weight) {
  const double loss = hard_element(x, false, gamma, weight).loss;
  const double gradient = weight * std::exp(-(gamma + 1) * softplus(-x));
  return {loss, gradient, loss, gradient};
}

// ASL: w h^g (-y log p - (1 - y) log(1 - p_m)), h = y (1 - p) + (1 - y) p_m.
inline Element asymmetric_element(double x, double y, const Column& column,
                                  const efl_settings& of) {
  const double m = static_cast<float>(of.margin), p = sigmoid(x), q = sigmoid(-x);
  const double weight = y * column.positive + (1 - y) * column.negative;
  const double gamma = y * of.gamma_positive + (1 - y) * column.gamma;
  const double uncertain = p + m;
  const double least = m > 0 ? 1e-6 * uncertain : 0;  // of the score that is left, in float32
  const auto at = [&](double score) {
    const double rest = m > 0 ? q + m : q;
    const double negative =
        m > 0 ? (score < 0.5 ? -std::log1p(-score) : -std::log(rest)) : softplus(x);
    const double entropy = (y > 0 ? y * softplus(-x) : 0) + (y < 1 ? (1 - y) * negative : 0);
    const double h = y * q + (1 - y) * score;
    const double log_h = y == 1 ? -softplus(x) : m == 0 && y == 0 ? -softplus(-x) : std::log(h);
    const double modulator = gamma == 0 ? 1 : std::exp(gamma * log_h);
    const double counts = p > m ? 1 - y : 0;
    const double lowered = m > 0 ? counts * p * q / rest : counts * p;
    const double share = y == 1 ? -p : m == 0 && y == 0 ? q : p * q * (counts - y) / h;
    const bool flat = of.detach_weight || gamma == 0 || std::isinf(entropy) || h == 0;
    const double turn = flat ? 0 : gamma * share * entropy;
    const double loss = weight * modulator * entropy;
    return Element{loss, weight * modulator * (lowered - y * q + turn), loss,
                   weight * modulator * (lowered + y * q + std::fabs(turn))};
  };
  if (std::isnan(x)) return {x, x, x, x};
  Element element = at(std::fmax(0, p - m));
  if (m == 0 || y > 0) return element;
  const double left = std::fmax(p - m, least);
  const bool near = p > m - least;
  const Element loose = near ? at(left) : Element{};
  if (p <= m) element.loss = element.gradient = 0;
  element.loss_scale = loose.loss * uncertain / left;
  element.gradient_scale =
      std::fmax(loose.gradient_scale, weight * std::pow(left, gamma) * p * q / (q + m)) *
      (near ? uncertain / left : 0);
  return element;
}

inline double half_value(efl_dtype dtype, uint16_t bits) {
  const int fraction_bits = dtype == EFL_FLOAT16 ? 10 : 7, bias = dtype == EFL_FLOAT16 ? 15 : 127;
  const int exponent = (bits & 0x7fff) >> fraction_bits;
  const int fraction = bits & ((1 << fraction_bits) - 1);
  double size = std::ldexp(fraction, 1 - bias - fraction_bits);
  if (exponent > 0)
    size = std::ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
  if (exponent == 2 * bias + 1) size = fraction ? std::nan("") : HUGE_VAL;
  return bits & 0x8000 ? -size : size;
}

inline double value_at(efl_dtype dtype, const void* values, int64_t index) {
  const auto at = static_cast<std::size_t>(index);
  if (dtype == EFL_FLOAT32) return static_cast<const float*>(values)[at];
  return half_value(dtype, static_cast<const uint16_t*>(values)[at]);
}

// The largest number of a type, and what rounding to it does to a number.
inline double largest_of(efl_dtype dtype) {
  return dtype == EFL_FLOAT16 ? 65504 : std::numeric_limits<float>::max();
}

inline double rounding_of(efl_dtype dtype, double value) {
  if (dtype == EFL_FLOAT16) return 0x1p-11 * std::fabs(value) + 0x1p-25;
  if (dtype == EFL_BFLOAT16) return 0x1p-8 * std::fabs(value);
  return 0;
}

inline int64_t rows_of(const efl_format& format, const efl_level& level) {
  return level.images * level.positions * format.anchors;
}

// Where the element of a row is. Rows are ordered images x positions x anchors.
inline int64_t place_of(const efl_format& format, const efl_level& level, int32_t columns,
                        int64_t row, int32_t column) {
  const int64_t anchor = row % format.anchors, cell = row / format.anchors;
  const int64_t position = cell % level.positions, image = cell / level.positions;
  const int64_t channels = int64_t{format.anchors} * columns;
  const int64_t channel = format.channel_order == EFL_ANCHOR_MAJOR
                              ? anchor * columns + column
                              : int64_t{column} * format.anchors + anchor;
  return format.layout == EFL_LAYOUT_NHWC
             ? (image * level.positions + position) * channels + channel
             : (image * channels + channel) * level.positions + position;
}

struct State {
  std::vector<double> positive, negative, ratio;
  int64_t steps = 0;
};

struct LevelOutput {
  std::vector<Approximate> gradient, elements;
};

struct Output {
  efl_status status = EFL_OK;
  efl_result result{};  // counts, or the place of a bad value
  Approximate loss;
  std::vector<LevelOutput> levels;
  std::vector<Approximate> positive, negative;  // sums of the call, of each class
};

// What labels or targets say of a row.
struct Row {
  enum { kClass, kBackground, kIgnored, kInvalid } kind;
  int32_t column;  // of the positive; negative where there is none or the targets say it
};

class Reference {
 public:
  explicit Reference(const efl_settings& settings) : given_(settings) {}

  bool equalized() const {
    return given_.family == EFL_EQUALIZED_FOCAL_LOSS ||
           given_.family == EFL_EQUALIZED_QUALITY_FOCAL_LOSS ||
           given_.family == EFL_EQUALIZED_VARIFOCAL_LOSS || is_v2();
  }
  bool is_varifocal() const {
    return given_.family == EFL_VARIFOCAL_LOSS || given_.family == EFL_EQUALIZED_VARIFOCAL_LOSS;
  }
  bool is_class_margin() const { return given_.family == EFL_EFFECTIVE_CLASS_MARGIN_LOSS; }
  bool is_v2() const { return given_.family == EFL_EQUALIZATION_LOSS_V2; }
  bool of_quality() const {
    return given_.family == EFL_QUALITY_FOCAL_LOSS ||
           given_.family == EFL_EQUALIZED_QUALITY_FOCAL_LOSS || is_varifocal() ||
           given_.family == EFL_IOU_AWARE_BCE_LOSS || given_.family == EFL_MATCHABILITY_AWARE_LOSS;
  }
  bool has_objectness() const { return (is_v2() || is_class_margin()) && given_.objectness; }
  int32_t columns() const { return given_.classes + has_objectness(); }

  double ratio_of(double positive, double negative) const {
    const double ratio = positive / (negative + 1e-10);
    return is_v2() ? ratio : std::fmin(1, ratio);
  }

  // gamma_j and the factor on the weights; of Equalization Loss v2 those on negatives and
  // positives.
  std::pair<double, double> factors(double ratio) const {
    if (is_v2()) {
      const double share =
          1 / (1 + std::exp(-given_.map_steepness * (ratio - given_.map_midpoint)));
      return {share, 1 + given_.positive_gain * (1 - share)};
    }
    const double gamma = given_.gamma + given_.scale_factor * (1 - ratio);
    return {gamma, gamma / given_.gamma};
  }

  Output compute(const efl_call& call, const State& state) const {
    Output output = survey(call);
    if (output.status != EFL_OK) return output;
    double divisor = call.normalizer;
    const int64_t rows = counted_rows(call, output);
    if (given_.reduction == EFL_REDUCTION_NONE) divisor = 1;
    if (given_.reduction == EFL_REDUCTION_MEAN) divisor = static_cast<double>(rows * columns());
    // Of rows that all weigh 1.
    if (call.normalizer == EFL_NORMALIZER_POSITIVES || call.normalizer == EFL_NORMALIZER_WEIGHTS) {
      divisor = static_cast<double>(output.result.positives);
    }
    if (divisor == 0) divisor = 1;
    for (int32_t i = 0; i < call.level_count; ++i) add_level(call, i, state, divisor, &output);
    return output;
  }

  Output collect(const efl_call& call) const {
    Output output = survey(call);
    if (output.status != EFL_OK) return output;
    for (int32_t i = 0; i < call.level_count; ++i) {
      const efl_level& level = call.levels[i];
      for (int64_t r = 0; r < rows_of(call.format, level); ++r) {
        const Row row = labelled(level.labels[r]);
        for (int32_t c = 0; row.kind != Row::kIgnored && c < columns(); ++c) {
          const double gradient = value_at(call.format.dtype, level.logits,
                                           place_of(call.format, level, columns(), r, c));
          output.result.non_finite += !std::isfinite(gradient);
          if (!std::isfinite(gradient) || c >= given_.classes) continue;
          const double size = std::fabs(gradient / call.loss_scale);
          add(&(row.column == c ? output.positive : output.negative)[index(c)], size,
              kRelative * size + kSmallest / std::fabs(call.loss_scale));
        }
      }
    }
    return output;
  }

 private:
  static std::size_t index(int64_t i) { return static_cast<std::size_t>(i); }

  static void add(Approximate* sum, double value, double error) {
    sum->value += value;
    sum->error += error;
  }

  int32_t label_of_background() const {
    return given_.background == EFL_BACKGROUND_FIRST ? 0 : given_.classes;
  }

  Row labelled(int32_t label) const {
    for (int32_t i = 0; i < given_.ignored_count; ++i) {
      if (given_.ignored[i] == label) return {Row::kIgnored, -1};
    }
    if (given_.background != EFL_BACKGROUND_NONE && label == label_of_background()) {
      return {Row::kBackground, has_objectness() ? given_.classes : -1};
    }
    const int64_t column = int64_t{label} - (given_.background == EFL_BACKGROUND_FIRST);
    if (column < 0 || column >= given_.classes) return {Row::kInvalid, -1};
    return {Row::kClass, static_cast<int32_t>(column)};
  }

  // Of dense targets. A target of objectness does not make a row one with a class.
  Row dense(const efl_format& format, const efl_level& level, int64_t row) const {
    for (int32_t c = 0; c < given_.classes; ++c) {
      const float target = level.targets[index(place_of(format, level, columns(), row, c))];
      if (is_positive(target)) return {Row::kClass, -1};
    }
    return {Row::kBackground, -1};
  }

  bool is_positive(float target) const {
    return flushed(target) > flushed(static_cast<float>(given_.positive_threshold));
  }

  static bool is_share(float value) { return flushed(value) >= 0 && value <= 1; }

  // The first bad value, and what the rows are.
  Output survey(const efl_call& call) const {
    Output output;
    output.positive.resize(index(given_.classes));
    output.negative.resize(index(given_.classes));
    for (int32_t i = 0; i < call.level_count && output.status == EFL_OK; ++i) {
      const efl_level& level = call.levels[i];
      const int64_t rows = rows_of(call.format, level);
      const auto bad = [&](efl_status status, int64_t at, double value) {
        if (output.status != EFL_OK) return;
        output.status = status;
        output.result.bad_level = i;
        output.result.bad_index = at;
        output.result.bad_value = value;
      };
      if (level.targets) {
        for (int64_t at = 0; at < rows * columns(); ++at) {
          if (!is_share(level.targets[at])) bad(EFL_BAD_TARGET, at, level.targets[at]);
        }
      }
      for (int64_t r = 0; r < rows; ++r) {
        const Row row = level.targets ? dense(call.format, level, r) : labelled(level.labels[r]);
        if (row.kind == Row::kInvalid) bad(EFL_BAD_LABEL, r, level.labels[r]);
        output.result.positives += row.kind == Row::kClass;
        output.result.ignored += row.kind == Row::kIgnored;
      }
      for (int64_t r = 0; level.quality && r < rows; ++r) {
        if (labelled(level.labels[r]).kind == Row::kClass && !is_share(level.quality[r])) {
          bad(EFL_BAD_QUALITY, r, level.quality[r]);
        }
      }
    }
    return output;
  }

  static int64_t counted_rows(const efl_call& call, const Output& output) {
    int64_t rows = -output.result.ignored;
    for (int32_t i = 0; i < call.level_count; ++i) rows += rows_of(call.format, call.levels[i]);
    return rows;
  }

  Column column_of(int32_t c, Row row, double logit, const State& state) const {
    if (is_class_margin()) return margin_of(c);
    if (c == given_.classes) return {0, 1, 1};
    const double weight = given_.class_weight ? given_.class_weight[c] : 1;
    const double of_positives =
        given_.class_pos_weight ? given_.class_pos_weight[c] : given_.pos_weight;
    Column column = {0, weight, weight};
    if (given_.family <= EFL_EQUALIZED_QUALITY_FOCAL_LOSS) {
      const double alpha = given_.class_alpha ? given_.class_alpha[c] : given_.alpha;
      if (alpha >= 0) column = {0, weight * alpha, weight * (1 - alpha)};
    }
    if (is_varifocal() || given_.family == EFL_MATCHABILITY_AWARE_LOSS) {
      column.negative *= given_.alpha;
    }
    if (given_.family <= EFL_EQUALIZED_QUALITY_FOCAL_LOSS ||
        (of_quality() && given_.family >= EFL_VARIFOCAL_LOSS)) {
      column.gamma = given_.gamma;
    }
    if (given_.family == EFL_ASYMMETRIC_LOSS) column.gamma = given_.gamma_negative;
    column.positive *= of_positives;
    if (equalized()) {
      const auto [first, second] = factors(state.ratio[index(c)]);
      if (!is_v2()) column.gamma = first;
      column.positive *= second;
      column.negative *= is_v2() ? first : second;
    }
    const bool foreground = row.kind == Row::kClass;
    if (given_.family == EFL_EQUALIZATION_LOSS && foreground &&
        given_.class_frequencies[c] < given_.frequency_threshold) {
      column.negative = 0;
    }
    if (given_.family == EFL_ADAPTIVE_CLASS_SUPPRESSION_LOSS) {
      const double score = given_.score_threshold;
      const auto threshold = static_cast<float>(std::log(score) - std::log1p(-score));
      if (foreground && logit < static_cast<double>(threshold)) column.negative = 0;
      if (!foreground && given_.background_weight) column.negative *= given_.background_weight[c];
    }
    return column;
  }

  // Of ECM: the shift stands in the place of gamma.
  Column margin_of(int32_t c) const {
    double classes = 0;
    for (int32_t j = 0; j < given_.classes; ++j) classes += given_.class_counts[j];
    const double background = given_.background_ratio * classes;
    const bool is_class = c < given_.classes;
    const double count = is_class ? given_.class_counts[c] : background;
    const double ratio = (classes + background - count) / count;
    const double own = is_class && given_.class_weight ? given_.class_weight[c] : 1;
    const double weight = own * ratio * std::log1p(1 / ratio);
    double of_positives = is_class ? given_.pos_weight : 1;
    if (is_class && given_.class_pos_weight) of_positives = given_.class_pos_weight[c];
    return {-std::log(ratio) / 4, weight * of_positives, weight};
  }

  void add_level(const efl_call& call, int32_t i, const State& state, double divisor,
                 Output* output) const {
    const efl_level& level = call.levels[i];
    const int64_t rows = rows_of(call.format, level);
    output->levels.emplace_back();
    LevelOutput& out = output->levels.back();
    out.gradient.resize(index(rows * columns()));
    out.elements.resize(index(rows * columns()));
    const double factor = given_.loss_weight * call.upstream / divisor;
    for (int64_t r = 0; r < rows; ++r) {
      const Row row = level.targets ? dense(call.format, level, r) : labelled(level.labels[r]);
      for (int32_t c = 0; row.kind != Row::kIgnored && c < columns(); ++c) {
        const std::size_t at = index(place_of(call.format, level, columns(), r, c));
        const double x = value_at(call.format.dtype, level.logits, static_cast<int64_t>(at));
        const Column column = column_of(c, row, x, state);
        const double given = target_of(level, row, r, c, at);
        const bool is_match = level.targets ? given > 0 : row.column == c;
        const double y = smoothed(given, c);
        const Element element = element_of(x, y, is_match, column);
        // What is lost where a factor underflows before the others are multiplied in.
        const double most = std::fmax(1, std::fmax(column.positive, column.negative));
        const double underflow = 4 * kSmallest * most * (1 + std::fabs(column.gamma));
        const double entropy = std::isfinite(x) ? 1 + std::fabs(x) : 1;
        const double upstream = level.grad_output ? flushed(level.grad_output[at]) : 1;

        double loss_error = kRelative * element.loss_scale + underflow * entropy;
        // Infinite in float32 before or after the factors, which may be 0, or with others like it.
        const bool overflows = element.loss_scale > kNearInfinity && std::isfinite(x);
        if (overflows || is_undecided(x, y, column.gamma)) loss_error = std::nan("");
        const double lw = std::fabs(given_.loss_weight);
        out.elements[at] = {element.loss * given_.loss_weight,
                            loss_error * lw + kSmallest * std::fmax(1, lw)};
        add(&output->loss, element.loss * given_.loss_weight / divisor, loss_error * lw / divisor);

        const double size = std::fabs(factor * upstream);
        const double error = kRelative * element.gradient_scale + underflow;
        const double scale = std::fabs(call.loss_scale);
        out.gradient[at] = {element.gradient * factor * upstream * call.loss_scale,
                            error * size * scale + kSmallest * std::fmax(1, std::fabs(upstream)) *
                                                       std::fmax(1, std::fabs(factor) * scale)};
        output->result.non_finite += !std::isfinite(x);
        if (!std::isfinite(x) || c >= given_.classes) continue;
        const bool is_zero = is_varifocal() && given == 0;
        const bool positive =
            level.targets ? is_positive(level.targets[at]) : row.column == c && !is_zero;
        const double share = !positive ? 0 : of_quality() || !level.targets ? 1 : given;
        const double gradient = std::fabs(element.gradient) * size;
        add(&output->positive[index(c)], share * gradient, share * error * size + kSmallest);
        add(&output->negative[index(c)], (1 - share) * gradient,
            (1 - share) * error * size + kSmallest);
      }
    }
  }

  double target_of(const efl_level& level, Row row, int64_t r, int32_t c, std::size_t at) const {
    if (level.targets) return flushed(level.targets[at]);
    if (row.column != c) return 0;
    return c < given_.classes && level.quality ? flushed(level.quality[r]) : 1;
  }

  double smoothed(double y, int32_t c) const {
    const bool has_option =
        !of_quality() && !is_class_margin() && given_.family != EFL_ASYMMETRIC_LOSS;
    if (!has_option || c == given_.classes) return y;
    const double smoothing = given_.label_smoothing;
    return (1 - smoothing) * y + smoothing / given_.classes;
  }

  // Whether a power that vanishes meets an infinite entropy: infinity or NaN, by the last bit of
  // it.
  static bool is_undecided(double x, double y, double gamma) {
    return std::isinf(x) && y > 0 && y < 1 && -gamma * std::log(x > 0 ? 1 - y : y) > 80;
  }

  // Of the families whose positives are not their negatives turned round.
  Element element_apart(double x, double y, bool is_match, const Column& column) const {
    if (is_class_margin()) {
      const double weight = y * column.positive + (1 - y) * column.negative;
      const Element element = entropy_element(2 * x + column.gamma, y, weight);
      return {element.loss, 2 * element.gradient, element.loss_scale, 2 * element.gradient_scale};
    }
    if (given_.family == EFL_ASYMMETRIC_LOSS) return asymmetric_element(x, y, column, given_);
    const bool is_matchability = given_.family == EFL_MATCHABILITY_AWARE_LOSS;
    if (!is_match || (is_varifocal() && y == 0 && !given_.ignore_zero_quality)) {
      return is_matchability || (is_varifocal() && given_.detach_weight)
                 ? detached_element(x, column.gamma, column.negative)
                 : hard_element(x, false, column.gamma, column.negative);
    }
    if (is_varifocal()) {
      if (y == 0) return {0, 0, 0, 0};
      return entropy_element(x, y, column.positive * (given_.iou_weighted ? y : 1));
    }
    if (is_matchability) return entropy_element(x, std::pow(y, column.gamma), column.positive);
    const double score = given_.alpha == 0 ? 1 : std::exp(-given_.alpha * softplus(-x));
    const double target = std::fmax(0.01, score * std::pow(y, 1 - given_.alpha));
    return entropy_element(x, std::isnan(x) ? x : target, column.positive);
  }

  Element element_of(double x, double y, bool is_match, const Column& column) const {
    if (given_.family >= EFL_VARIFOCAL_LOSS) return element_apart(x, y, is_match, column);
    if (y == 0 || y == 1) {
      return hard_element(x, y == 1, column.gamma, y == 1 ? column.positive : column.negative);
    }
    return of_quality() ? quality_element(x, y, column) : soft_element(x, y, column);
  }

  const efl_settings& given_;
};

}  // namespace fuzz
