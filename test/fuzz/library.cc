// A fuzzer of the C interface: a criterion with any settings, and any calls on it one after
// another, against reference.h. What has to hold, whatever the bytes:
//
//   - a wrong argument is refused with its status, and with a text that names it,
//   - a refused call has changed neither an array nor the state,
//   - loss, elements, gradient, counts and state of the others are those of the reference,
//   - the state is finite, whatever finite numbers have come in,
//   - no memory is touched but that of the call, and nothing of it but its outputs.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "input.h"
#include "reference.h"

namespace {

using fuzz::Approximate;
using fuzz::Call;
using fuzz::Input;
using fuzz::LevelArrays;
using fuzz::Output;
using fuzz::Reference;
using fuzz::Settings;
using fuzz::State;
using fuzz::Verdict;

constexpr int kMostCalls = 5;
constexpr int64_t kMostSteps = (int64_t{1} << 53) - 1;

__attribute__((format(printf, 2, 3))) void require(bool holds, const char* format, ...) {
  if (holds) return;
  va_list arguments;
  va_start(arguments, format);
  (void)std::fputs("Not so: ", stderr);
  (void)std::vfprintf(stderr, format, arguments);
  (void)std::fputs("\n", stderr);
  va_end(arguments);
  std::abort();
}

bool names(const char* what) {
  return std::strncmp(efl_error_text(), what, std::strlen(what)) == 0;
}

void require_verdict(Verdict verdict, efl_status status, const char* what) {
  if (status == EFL_BAD_ARGUMENT || status == EFL_ABI_MISMATCH) {
    require(verdict != Verdict::kGood, "good %s are refused: %s", what, efl_error_text());
    require(names(what) || names("criterion"), "the text of %s is: %s", what, efl_error_text());
  } else {
    require(verdict != Verdict::kBad, "bad %s are taken", what);
  }
}

bool is_close(double actual, const Approximate& expected, double largest) {
  const double value = expected.value, error = expected.error;
  if (std::isnan(error)) return true;
  if (std::isnan(value)) return std::isnan(actual);
  if (std::isinf(value)) return actual == value;
  // What does not fit the type, or may not, is infinite.
  if (std::isinf(actual)) {
    return std::fabs(value) + error >= largest && std::signbit(actual) == std::signbit(value);
  }
  return std::fabs(actual - value) <= error ||
         (std::fabs(value) > largest && std::fabs(actual) >= largest * (1 - fuzz::kRelative));
}

// A call by the library beside the same by the reference.
class Session {
 public:
  Session(Input* input, const Settings& settings, efl_criterion* criterion)
      : input_(input), settings_(settings), criterion_(criterion), reference_(settings.given) {}

  void run() {
    const int32_t columns = efl_criterion_columns(criterion_);
    require(columns == reference_.columns(), "%d columns", columns);
    for (int i = 0; i < kMostCalls && (i == 0 || input_->has_more()); ++i) step();
  }

 private:
  void step() {
    const State before = read_state();
    const int32_t choice = input_->integer(0, 15);
    if (choice == 12) return replace(before);
    if (choice == 13) return merge(before);
    if (choice == 14) return reset();
    call(before, choice == 15);
  }

  void call(const State& before, bool collects) {
    Call call(input_, settings_, collects);
    const std::vector<LevelArrays> arrays = call.arrays;
    const bool exists = !collects || reference_.equalized();
    Output expected;
    const Verdict verdict =
        !exists ? Verdict::kBad : call.verdict(settings_.given, collects, moderate());
    // Before the call: it may overwrite its logits.
    if (verdict != Verdict::kBad) {
      expected = collects ? reference_.collect(call.given) : reference_.compute(call.given, before);
    }
    efl_result result{};
    const efl_status status = collects ? efl_criterion_collect(criterion_, &call.given, &result)
                                       : efl_criterion_compute(criterion_, &call.given, &result);
    require_verdict(verdict, status, "call");
    if (status == EFL_OK && expected.status == EFL_OK) {
      return compare(call, arrays, result, expected, before, collects);
    }
    const bool refused = status == EFL_BAD_ARGUMENT || status == EFL_ABI_MISMATCH;
    if (!refused) compare_place(status, result, expected);
    require_unchanged(call, arrays);
    require_same(read_state(), before);
  }

  bool moderate() const { return input_->is_moderate(); }

  void compare_place(efl_status status, const efl_result& result, const Output& expected) {
    require(status == expected.status, "status %d in place of %d", status, expected.status);
    const efl_result& place = expected.result;
    require(result.bad_level == place.bad_level && result.bad_index == place.bad_index,
            "bad value at [%lld][%lld] in place of [%lld][%lld]",
            static_cast<long long>(result.bad_level), static_cast<long long>(result.bad_index),
            static_cast<long long>(place.bad_level), static_cast<long long>(place.bad_index));
    require(std::memcmp(&result.bad_value, &place.bad_value, sizeof(double)) == 0 ||
                std::isnan(place.bad_value),
            "bad value %g in place of %g", result.bad_value, place.bad_value);
    require(names("call.levels["), "the text is: %s", efl_error_text());
  }

  void compare(const Call& call, const std::vector<LevelArrays>& arrays, const efl_result& result,
               const Output& expected, const State& before, bool collects) {
    require(result.positives == expected.result.positives &&
                result.ignored == expected.result.ignored &&
                result.non_finite == expected.result.non_finite,
            "counts %lld %lld %lld in place of %lld %lld %lld",
            static_cast<long long>(result.positives), static_cast<long long>(result.ignored),
            static_cast<long long>(result.non_finite),
            static_cast<long long>(expected.result.positives),
            static_cast<long long>(expected.result.ignored),
            static_cast<long long>(expected.result.non_finite));
    require_inputs_unchanged(call, arrays, collects);
    if (moderate() && !collects) {
      compare_loss(result, expected);
      for (std::size_t i = 0; i < call.levels.size(); ++i) compare_level(call, i, expected);
    }
    const bool gradient = std::any_of(call.levels.begin(), call.levels.end(),
                                      [](const efl_level& level) { return level.gradient; });
    compare_state(before, expected,
                  reference_.equalized() && (collects || (call.given.collect && gradient)));
  }

  static void compare_loss(const efl_result& result, const Output& expected) {
    require(is_close(result.loss, expected.loss, HUGE_VAL), "loss %.9g in place of %.9g +- %g",
            result.loss, expected.loss.value, expected.loss.error);
  }

  void compare_level(const Call& call, std::size_t index, const Output& expected) {
    const efl_level& level = call.levels[index];
    const fuzz::LevelOutput& wanted = expected.levels[index];
    const efl_dtype dtype = call.given.format.dtype;
    for (std::size_t i = 0; i < wanted.gradient.size(); ++i) {
      const auto at = static_cast<int64_t>(i);
      if (level.gradient) {
        Approximate gradient = wanted.gradient[i];
        gradient.error += fuzz::rounding_of(dtype, gradient.value);
        const double actual = fuzz::value_at(dtype, level.gradient, at);
        require(is_close(actual, gradient, fuzz::largest_of(dtype)),
                "gradient[%zu][%zu] %.9g in place of %.9g +- %g", index, i, actual, gradient.value,
                gradient.error);
      }
      if (level.elements) {
        require(is_close(level.elements[i], wanted.elements[i], fuzz::largest_of(EFL_FLOAT32)),
                "elements[%zu][%zu] %.9g in place of %.9g +- %g", index, i,
                static_cast<double>(level.elements[i]), wanted.elements[i].value,
                wanted.elements[i].error);
      }
    }
  }

  // A call whose gradients are all 0 teaches nothing, and one whose gradients may be need not.
  void compare_state(const State& before, const Output& expected, bool collects) {
    const State after = read_state();
    // Factors beyond all measure may make something of nothing, and the other way round.
    bool is_nothing = moderate(), is_something = false;
    for (const auto* sums : {&expected.positive, &expected.negative}) {
      for (const Approximate& sum : *sums) {
        is_nothing &= sum.value == 0;
        is_something |= moderate() && sum.value > sum.error;
      }
    }
    if (!collects || is_nothing || (!is_something && after.steps == before.steps)) {
      return require_same(after, before);
    }
    require(after.steps == std::min(before.steps + 1, kMostSteps), "%lld steps after %lld",
            static_cast<long long>(after.steps), static_cast<long long>(before.steps));
    for (std::size_t j = 0; j < after.ratio.size(); ++j) {
      compare_sum("positive", j, after.positive[j], before.positive[j], expected.positive[j]);
      compare_sum("negative", j, after.negative[j], before.negative[j], expected.negative[j]);
    }
    compare_ratios(after);
  }

  void compare_sum(const char* which, std::size_t j, double after, double before,
                   const Approximate& added) {
    require(after >= before, "%s sum %zu fell from %.17g to %.17g", which, j, before, after);
    if (!moderate()) return;
    const double sum = before + added.value;
    const double error = added.error + 1e-14 * sum;
    require(std::fabs(after - sum) <= error, "%s sum %zu is %.9g in place of %.9g + %.9g +- %g",
            which, j, after, before, added.value, error);
  }

  // What follows from the sums.
  void compare_ratios(const State& state) {
    for (std::size_t j = 0; j < state.ratio.size(); ++j) {
      const double ratio = reference_.ratio_of(state.positive[j], state.negative[j]);
      require(std::fabs(state.ratio[j] - ratio) <= 1e-14 * ratio, "ratio %zu is %.17g, not %.17g",
              j, state.ratio[j], ratio);
    }
    std::vector<double> first(state.ratio.size()), second(state.ratio.size());
    require(efl_criterion_read_factors(criterion_, first.data(), second.data()) == EFL_OK,
            "no factors");
    for (std::size_t j = 0; j < state.ratio.size(); ++j) {
      const auto [one, other] = reference_.factors(state.ratio[j]);
      // A share of 1e-308 and one of 0 are the same: neither is anything in float32.
      require(is_close(first[j], {one, 1e-12 * std::fabs(one) + 1e-300}, HUGE_VAL) &&
                  is_close(second[j], {other, 1e-12 * std::fabs(other) + 1e-300}, HUGE_VAL),
              "factors of %zu are %.17g %.17g, not %.17g %.17g", j, first[j], second[j], one,
              other);
    }
  }

  // Every function on the state of a loss without one.
  bool refuses_state(efl_status status) {
    if (reference_.equalized()) return false;
    require(status == EFL_BAD_ARGUMENT, "status %d for a loss without a state", status);
    return true;
  }

  void replace(const State& before) {
    const State given = any_state();
    const efl_status status = efl_criterion_write_state(
        criterion_, given.positive.data(), given.negative.data(), given.ratio.data(), given.steps);
    if (refuses_state(status)) return;
    const double most = reference_.is_v2() ? std::numeric_limits<double>::max() : 1;
    const bool good = are_sums(given.positive) && are_sums(given.negative) &&
                      are_sums(given.ratio, most) && are_steps(given.steps);
    require(status == (good ? EFL_OK : EFL_BAD_ARGUMENT), "status %d of write_state", status);
    require_same(read_state(), good ? given : before);
  }

  void merge(const State& before) {
    const State given = any_state();
    const efl_status status = efl_criterion_merge_state(criterion_, given.positive.data(),
                                                        given.negative.data(), given.steps);
    if (refuses_state(status)) return;
    State sum = before;
    bool good = are_steps(given.steps) && are_sums(given.positive) && are_sums(given.negative);
    if (good) sum.steps = std::min(before.steps + given.steps, kMostSteps);
    bool nothing = true;  // Sums without a gradient say nothing of the balance.
    for (std::size_t j = 0; j < sum.ratio.size(); ++j) {
      sum.positive[j] += given.positive[j];
      sum.negative[j] += given.negative[j];
      nothing = nothing && given.positive[j] == 0 && given.negative[j] == 0;
    }
    good = good && are_sums(sum.positive) && are_sums(sum.negative);
    require(status == (good ? EFL_OK : EFL_BAD_ARGUMENT), "status %d of merge_state", status);
    const State after = read_state();
    if (!good || nothing) return require_same(after, before);
    sum.ratio = after.ratio;
    require_same(after, sum);
    compare_ratios(after);
  }

  void reset() {
    if (refuses_state(efl_criterion_reset_state(criterion_))) return;
    const State after = read_state();
    for (std::size_t j = 0; j < after.ratio.size(); ++j) {
      require(after.positive[j] == 0 && after.negative[j] == 0 &&
                  after.ratio[j] == (reference_.is_v2() ? 100 : 1),
              "class %zu is not as new", j);
    }
    require(after.steps == 0, "%lld steps", static_cast<long long>(after.steps));
  }

  State any_state() {
    const auto classes = static_cast<std::size_t>(settings_.given.classes);
    // A state may be of any size without making the calls after it so.
    Input& input = *input_;
    State state;
    state.positive = input.numbers<double>(classes, 0, 10, true);
    state.negative = input.numbers<double>(classes, 0, 10, true);
    state.ratio = input.numbers<double>(classes, 0, 1, true);
    state.steps = input.steps();
    return state;
  }

  static bool are_sums(const std::vector<double>& values,
                       double most = std::numeric_limits<double>::max()) {
    return std::all_of(values.begin(), values.end(),
                       [most](double value) { return value >= 0 && value <= most; });
  }

  static bool are_steps(int64_t steps) { return steps >= 0 && steps <= kMostSteps; }

  State read_state() {
    const auto classes = static_cast<std::size_t>(settings_.given.classes);
    State state{std::vector<double>(classes), std::vector<double>(classes),
                std::vector<double>(classes), 0};
    if (refuses_state(efl_criterion_read_state(criterion_, state.positive.data(),
                                               state.negative.data(), state.ratio.data(),
                                               &state.steps))) {
      return state;
    }
    const double most = reference_.is_v2() ? std::numeric_limits<double>::max() : 1;
    require(are_sums(state.positive) && are_sums(state.negative) && are_sums(state.ratio, most) &&
                are_steps(state.steps),
            "the state is one that cannot be written");
    return state;
  }

  static void require_same(const State& actual, const State& expected) {
    require(actual.steps == expected.steps, "%lld steps in place of %lld",
            static_cast<long long>(actual.steps), static_cast<long long>(expected.steps));
    for (std::size_t j = 0; j < actual.ratio.size(); ++j) {
      require(actual.positive[j] == expected.positive[j] &&
                  actual.negative[j] == expected.negative[j] &&
                  actual.ratio[j] == expected.ratio[j],
              "class %zu has %.17g %.17g %.17g in place of %.17g %.17g %.17g", j,
              actual.positive[j], actual.negative[j], actual.ratio[j], expected.positive[j],
              expected.negative[j], expected.ratio[j]);
    }
  }

  template <class Value>
  static bool same(const std::vector<Value>& one, const std::vector<Value>& other) {
    return one.size() == other.size() &&
           (one.empty() || std::memcmp(one.data(), other.data(), one.size() * sizeof(Value)) == 0);
  }

  static void require_unchanged(const Call& call, const std::vector<LevelArrays>& before) {
    for (std::size_t i = 0; i < before.size(); ++i) {
      const LevelArrays& now = call.arrays[i];
      require(same(now.gradient, before[i].gradient) &&
                  same(now.gradient16, before[i].gradient16) &&
                  same(now.elements, before[i].elements) && same(now.logits, before[i].logits) &&
                  same(now.logits16, before[i].logits16) &&
                  same(now.grad_output, before[i].grad_output),
              "a refused call has changed level %zu", i);
    }
    require_inputs_unchanged(call, before, false);
  }

  static void require_inputs_unchanged(const Call& call, const std::vector<LevelArrays>& before,
                                       bool collects) {
    for (std::size_t i = 0; i < before.size(); ++i) {
      const LevelArrays& now = call.arrays[i];
      const void* const written = collects ? nullptr : call.levels[i].gradient;
      require(same(now.labels, before[i].labels) && same(now.targets, before[i].targets) &&
                  same(now.quality, before[i].quality),
              "labels or targets of level %zu have changed", i);
      require(written == now.logits.data() || same(now.logits, before[i].logits),
              "logits of level %zu have changed", i);
      require(written == now.logits16.data() || same(now.logits16, before[i].logits16),
              "logits of level %zu have changed", i);
      require(written == now.grad_output.data() || same(now.grad_output, before[i].grad_output),
              "grad_output of level %zu has changed", i);
    }
  }

  Input* const input_;
  const Settings& settings_;
  efl_criterion* const criterion_;
  const Reference reference_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  Input input(data, size);
  const Settings settings(&input);
  efl_criterion* criterion = nullptr;
  const efl_status status = efl_criterion_create(&settings.given, &criterion);
  require_verdict(settings.verdict(input.is_moderate()), status, "settings");
  require((criterion != nullptr) == (status == EFL_OK), "a criterion with status %d", status);
  if (status == EFL_OK) Session(&input, settings, criterion).run();
  efl_criterion_destroy(criterion);
  return 0;
}
