// The library for GPUs on a model of the CUDA runtime: its table, as the addon uses it, against the
// CPU backend.

#include <cstdlib>
#include <cstring>

#include "../../native/core/device_library.h"
#include "../../native/core/host_criterion.h"
#include "../../native/cpu/cpu_backend.h"
#include "check.h"
#include "compute.h"
#include "cuda_runtime_on_host.h"
#include "formats.h"
#include "problem_builder.h"

extern "C" const efl_device_library* efl_device_table(void);

namespace {

using test::close;

const efl_device_library& library() { return *efl_device_table(); }

// Arrays of the host come in parts: the problem is larger than one.
void host_arrays_have_the_results_of_the_cpu(uint32_t seed, const efl_format& format,
                                             int64_t images, int64_t positions, int32_t classes) {
  test::Problem given(images * positions * format.anchors, classes, seed, false);
  given.problem.normalizer = EFL_NORMALIZER_POSITIVES;
  given.problem.reduction = EFL_REDUCTION_SUM;
  test::Arranged on_cpu(given, format, images, positions);
  test::Problem same(images * positions * format.anchors, classes, seed, false);
  same.problem.normalizer = EFL_NORMALIZER_POSITIVES;
  same.problem.reduction = EFL_REDUCTION_SUM;
  test::Arranged on_device(same, format, images, positions);
  on_cpu.problem.threads = 1;
  efl_report expected{}, result{};
  CHECK(test::compute(efl::cpu::backends().front(), &on_cpu.problem, &expected) == EFL_OK);
  CHECK(test::compute(library().backend(1), &on_device.problem, &result) == EFL_OK);
  CHECK(close(result.loss, expected.loss, 1e-5));
  CHECK(result.positives == expected.positives && result.ignored == expected.ignored);
  CHECK(result.non_finite == expected.non_finite);
  bool gradient = true, elements = true, sums = true;
  const double tolerance = format.dtype == EFL_FLOAT32   ? 2e-5
                           : format.dtype == EFL_FLOAT16 ? 2e-3
                                                         : 1e-2;
  for (std::size_t i = 0; i < on_cpu.elements.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    const double wanted = efl::load(format.dtype, on_cpu.level.gradient, at);
    const double actual = efl::load(format.dtype, on_device.level.gradient, at);
    gradient &= close(actual, wanted, tolerance) || std::fabs(actual - wanted) < 1e-7;
    elements &= close(on_device.elements[i], on_cpu.elements[i], 2e-5) ||
                std::fabs(on_device.elements[i] - on_cpu.elements[i]) < 1e-30f;
  }
  for (std::size_t c = 0; c < on_cpu.positive_sums.size(); ++c) {
    sums &= close(on_device.positive_sums[c], on_cpu.positive_sums[c], 1e-5);
    sums &= close(on_device.negative_sums[c], on_cpu.negative_sums[c], 1e-5);
  }
  CHECK(gradient);
  CHECK(elements);
  CHECK(sums);
}

// Memory of device 0, filled in a stream of its own.
class OnDevice {
 public:
  OnDevice(const void* from, std::size_t bytes, void* stream) : stream_(stream) {
    CHECK(library().allocate(0, stream, std::max<std::size_t>(bytes, 1), &memory_) == 0);
    if (from) CHECK(library().copy(0, stream, memory_, from, bytes, EFL_COPY_TO_DEVICE) == 0);
  }
  ~OnDevice() { (void)library().release(0, stream_, memory_); }
  OnDevice(const OnDevice&) = delete;
  template <class T>
  T* as() const {
    return static_cast<T*>(memory_);
  }

 private:
  void* stream_;
  void* memory_ = nullptr;
};

class Stream {
 public:
  Stream() { CHECK(library().create_stream(0, &stream_) == 0); }
  ~Stream() { CHECK(library().destroy_stream(0, stream_) == 0); }
  Stream(const Stream&) = delete;
  operator void*() const { return stream_; }

 private:
  void* stream_ = nullptr;
};

constexpr int32_t kClasses = 6;
// Twice as many are cut into the same blocks twice, whose sums in float32 are then the same.
constexpr int64_t kRows = 256;

efl::Spec spec_of(efl_reduction reduction = EFL_REDUCTION_SUM) {
  efl_settings settings = efl::default_settings(EFL_EQUALIZED_FOCAL_LOSS);
  settings.classes = kClasses;
  settings.reduction = reduction;
  return efl::Spec(settings);
}

template <class T>
std::vector<T> repeated(const std::vector<T>& values, int times) {
  std::vector<T> all;
  for (int i = 0; i < times; ++i) all.insert(all.end(), values.begin(), values.end());
  return all;
}

// The rows of a problem, so many times over, as a call on device 0.
class DeviceCall {
 public:
  DeviceCall(const test::Problem& given, const std::vector<float>& targets, int times, void* stream)
      : size_(given.logits.size() * times),
        logits_(repeated(given.logits, times).data(), size_ * 4, stream),
        labels_(repeated(given.labels, times).data(), given.labels.size() * times * 4, stream),
        targets_(repeated(targets, times).data(), targets.size() * times * 4, stream),
        gradient_(nullptr, size_ * 4, stream),
        report_(nullptr, sizeof(efl_device_report), stream) {
    level_.images = 1;
    level_.positions = static_cast<int64_t>(given.labels.size()) * times;
    level_.logits = logits_.as<void>();
    level_.gradient = gradient_.as<void>();
    if (targets.empty()) level_.labels = labels_.as<int32_t>();
    if (!targets.empty()) level_.targets = targets_.as<float>();
    call.call = efl::default_call();
    call.call.levels = &level_;
    call.call.level_count = 1;
    call.report = report_.as<efl_device_report>();
    call.stream = stream;
  }
  DeviceCall(const DeviceCall&) = delete;

  std::vector<float> gradient() const {
    std::vector<float> values(size_);
    read(values.data(), gradient_, size_ * 4);
    return values;
  }
  efl_device_report report() const {
    efl_device_report seen{};
    read(&seen, report_, sizeof seen);
    return seen;
  }

  efl_device_call call{};

 private:
  void read(void* to, const OnDevice& from, std::size_t bytes) const {
    CHECK(library().copy(0, call.stream, to, from.as<void>(), bytes, EFL_COPY_TO_HOST) == 0);
    CHECK(library().synchronize_stream(0, call.stream) == 0);
  }

  std::size_t size_;
  OnDevice logits_, labels_, targets_, gradient_, report_;
  efl_level level_{};
};

struct State {
  std::vector<double> positive, negative, ratio;
  int64_t steps = 0;
};

class DeviceCriterion {
 public:
  explicit DeviceCriterion(const efl::SpecView& spec) {
    CHECK(library().create_criterion(0, &spec, &criterion_) == 0);
  }
  ~DeviceCriterion() { library().destroy_criterion(criterion_); }
  DeviceCriterion(const DeviceCriterion&) = delete;
  operator efl_device_criterion*() const { return criterion_; }

  State state() const {
    State state;
    for (auto* array : {&state.positive, &state.negative, &state.ratio}) array->resize(kClasses);
    CHECK(library().read_state(criterion_, state.positive.data(), state.negative.data(),
                               state.ratio.data(), &state.steps) == 0);
    return state;
  }

 private:
  efl_device_criterion* criterion_ = nullptr;
};

// A call in a graph, or, where that is not wanted, as it is.
class Step {
 public:
  Step(const DeviceCriterion& criterion, const efl_device_call& call, bool captured)
      : criterion_(criterion), call_(call) {
    if (!captured) return;
    CHECK(library().begin_capture(0, call.stream) == 0);
    CHECK(library().compute(criterion, &call) == 0);
    CHECK(library().end_capture(0, call.stream, &graph_) == 0);
  }
  ~Step() {
    if (graph_) CHECK(library().destroy_graph(0, graph_) == 0);
  }
  Step(const Step&) = delete;

  void run() const {
    if (!graph_) {
      CHECK(library().compute(criterion_, &call_) == 0);
      return;
    }
    CHECK(library().enter(criterion_, call_.stream) == 0);
    CHECK(library().launch_graph(0, graph_, call_.stream) == 0);
    CHECK(library().leave(criterion_, call_.stream) == 0);
  }

 private:
  const DeviceCriterion& criterion_;
  const efl_device_call& call_;
  void* graph_ = nullptr;
};

void a_criterion_on_the_device_learns_as_on_the_host(bool captured) {
  const test::Problem given(kRows, kClasses, 5, false);
  const efl::Spec spec = spec_of();
  const DeviceCriterion criterion(spec);
  const Stream stream, other;
  DeviceCall call(given, {}, 1, stream);
  CHECK(library().synchronize_stream(0, stream) == 0);
  const Step step(criterion, call.call, captured);
  if (captured) CHECK(call.report().report.status == EFL_NOT_COMPUTED);
  constexpr int kSteps = 4;
  for (int i = 0; i < kSteps; ++i) {
    // Nobody but the criterion orders its calls in two streams.
    if (!captured) call.call.stream = i % 2 ? other : stream;
    step.run();
  }
  const State state = criterion.state();
  const efl_device_report seen = call.report();
  CHECK(seen.report.status == EFL_OK && std::isfinite(seen.loss));
  CHECK(seen.loss == static_cast<float>(seen.report.loss));
  CHECK(state.steps == kSteps);
  efl::HostCriterion on_host(spec_of(), efl::cpu::backends().front());
  test::Problem same(kRows, kClasses, 5, false);
  efl_call on_host_call = efl::default_call();
  on_host_call.levels = &same.level;
  on_host_call.level_count = 1;
  efl_report report{};
  for (int i = 0; i < kSteps; ++i) {
    CHECK(on_host.compute(on_host_call, false, 1, &report) == EFL_OK);
  }
  CHECK(close(seen.report.loss, report.loss, 1e-5));
  const efl::GradientStatistics expected = on_host.statistics();
  bool alike = true;
  for (int32_t j = 0; j < kClasses; ++j) {
    alike &= close(state.positive[j], expected.positive()[j], 1e-5);
    alike &= close(state.negative[j], expected.negative()[j], 1e-5);
    alike &= close(state.ratio[j], expected.ratio()[j], 1e-4);
  }
  CHECK(alike);
}

// A reducer that plays a second process with the same data, and what it was given last.
struct Twin {
  static efl_status sum(void* self, double* values, int64_t count, void* stream) {
    Twin* const twin = static_cast<Twin*>(self);
    ++twin->turns;
    // On a device in the order of the stream.
    const auto add = [=] {
      (count == efl::kReducedCounts ? twin->counts : twin->sums).assign(values, values + count);
      for (int64_t i = 0; i < count; ++i) values[i] *= 2;
      if (count == efl::kReducedCounts) values[efl::kFailedSurveys] += twin->survey_fails;
      if (count != efl::kReducedCounts) values[count - 1] += twin->computation_fails;
    };
    twin->on_host ? add() : cuda_on_host::enqueue(stream, add);
    return twin->status;
  }

  double failed_flag() const { return sums.empty() ? -1 : sums.back(); }

  bool on_host = false, survey_fails = false, computation_fails = false;
  efl_status status = EFL_OK;
  int turns = 0;
  std::vector<double> counts, sums;
  efl_reducer reducer{this, sum};
};
static_assert(efl::kFailedFlag == efl::kReducedFlags - 1, "the last of all values");

std::vector<float> some_targets(test::Problem* given) {
  std::vector<float> targets(given->logits.size());
  for (float& target : targets) {
    target = given->random() % 8 ? 0.0f : 0.25f * static_cast<float>(1 + given->random() % 4);
  }
  return targets;
}

bool same_state(const State& a, const State& b) {
  bool same = a.steps == b.steps;
  for (int32_t j = 0; j < kClasses; ++j) {
    same &= close(a.positive[j], b.positive[j], 1e-12);
    same &= close(a.negative[j], b.negative[j], 1e-12);
    same &= close(a.ratio[j], b.ratio[j], 1e-12);
  }
  return same;
}

void two_processes_learn_as_one_with_all_rows(efl_reduction reduction, bool dense, bool captured) {
  test::Problem given(kRows, kClasses, 11, false);
  const std::vector<float> targets = dense ? some_targets(&given) : std::vector<float>();
  const efl::Spec spec = spec_of(reduction);
  const DeviceCriterion shared(spec), whole(spec);
  const Stream stream;
  DeviceCall half(given, targets, 1, stream), both(given, targets, 2, stream);
  Twin twin;
  half.call.reducer = &twin.reducer;
  const double normalizer = reduction == EFL_REDUCTION_SUM ? EFL_NORMALIZER_POSITIVES : 1;
  half.call.call.normalizer = both.call.call.normalizer = normalizer;
  CHECK(library().synchronize_stream(0, stream) == 0);
  const Step of_half(shared, half.call, captured), of_both(whole, both.call, captured);
  for (int i = 0; i < 3; ++i) {
    of_half.run();
    of_both.run();
    const efl_report a = half.report().report, b = both.report().report;
    CHECK(a.status == EFL_OK && b.status == EFL_OK);
    CHECK(close(2 * a.loss, b.loss, 1e-6));
    CHECK(a.positives > 0 && 2 * a.positives == b.positives && 2 * a.ignored == b.ignored);
    CHECK(twin.counts[efl::kReducedPositives] == a.positives);
    const std::vector<float> gradient = half.gradient(), expected = both.gradient();
    bool same = true;
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      same &= close(gradient[i], expected[i], 1e-6);
    }
    CHECK(same);
    CHECK(same_state(shared.state(), whole.state()));
  }
  CHECK(twin.turns == (captured ? 2 : 6));
}

// Work in a graph, or, where that is not wanted, as it is.
template <class Work>
void run_in(void* stream, const DeviceCriterion& criterion, bool captured, const Work& work) {
  if (!captured) return work();
  void* graph = nullptr;
  CHECK(library().begin_capture(0, stream) == 0);
  work();
  CHECK(library().end_capture(0, stream, &graph) == 0);
  CHECK(library().enter(criterion, stream) == 0);
  CHECK(library().launch_graph(0, graph, stream) == 0);
  CHECK(library().leave(criterion, stream) == 0);
  CHECK(library().synchronize_stream(0, stream) == 0);
  CHECK(library().destroy_graph(0, graph) == 0);
}

State state_of(const efl::HostCriterion& criterion) {
  const efl::GradientStatistics statistics = criterion.statistics();
  return {statistics.positive(), statistics.negative(), statistics.ratio(), statistics.steps()};
}

void expect_alike(const State& a, const State& b) {
  CHECK(a.steps == b.steps);
  for (int32_t j = 0; j < kClasses; ++j) {
    CHECK(close(a.positive[j], b.positive[j], 1e-5));
    CHECK(close(a.negative[j], b.negative[j], 1e-5));
    CHECK(close(a.ratio[j], b.ratio[j], 1e-4));
  }
}

int64_t pending_calls(const DeviceCriterion& criterion) {
  std::vector<double> positive(kClasses), negative(kClasses);
  int64_t calls = -1;
  CHECK(library().read_pending(criterion, positive.data(), negative.data(), &calls) == 0);
  return calls;
}

// The same rows on a device and on the host, for a loss that forgets and starts late.
struct Sides {
  explicit Sides(uint32_t seed, double half_life, int32_t start_after, int32_t collect)
      : given(kRows, kClasses, seed, false),
        same(kRows, kClasses, seed, false),
        spec(spec_with(half_life, start_after)),
        device(spec),
        host(spec_with(half_life, start_after), efl::cpu::backends().front()),
        device_call(given, {}, 1, stream) {
    host_call.levels = &same.level;
    host_call.level_count = 1;
    host_call.collect = device_call.call.call.collect = collect;
    CHECK(library().synchronize_stream(0, stream) == 0);
  }
  static efl::Spec spec_with(double half_life, int32_t start_after) {
    efl_settings settings = efl::default_settings(EFL_EQUALIZED_FOCAL_LOSS);
    settings.classes = kClasses;
    settings.half_life = half_life;
    settings.start_after = start_after;
    return efl::Spec(settings);
  }

  test::Problem given, same;
  const efl::Spec spec;
  const DeviceCriterion device;
  efl::HostCriterion host;
  const Stream stream;
  DeviceCall device_call;
  efl_call host_call = efl::default_call();
  efl_report report{};
};

void deferred_calls_on_the_device_learn_as_on_the_host(bool captured, bool reduced) {
  Sides sides(37, 2, 2, EFL_COLLECT_DEFER);
  Twin twin, host_twin;
  host_twin.on_host = true;
  const efl_reducer* const reducer = reduced ? &twin.reducer : nullptr;
  const efl_reducer* const host_reducer = reduced ? &host_twin.reducer : nullptr;
  sides.device_call.call.reducer = reducer;
  for (int step = 1; step <= 4; ++step) {
    run_in(sides.stream, sides.device, captured, [&] {
      for (int part = 0; part < 2; ++part) {
        CHECK(library().compute(sides.device, &sides.device_call.call) == 0);
      }
    });
    CHECK(pending_calls(sides.device) == 2 && sides.device.state().steps == step - 1);
    run_in(sides.stream, sides.device, captured,
           [&] { CHECK(library().commit(sides.device, sides.stream, reducer) == 0); });
    for (int part = 0; part < 2; ++part) {
      CHECK(sides.host.compute(sides.host_call, false, 1, &sides.report, host_reducer) == EFL_OK);
    }
    CHECK(sides.host.commit(1, host_reducer) == EFL_OK);
    CHECK(pending_calls(sides.device) == 0);
    expect_alike(sides.device.state(), state_of(sides.host));
    CHECK((sides.device.state().ratio != std::vector<double>(kClasses, 1.0)) == (step > 2));
  }
  // Nothing is pending.
  CHECK(library().commit(sides.device, sides.stream, nullptr) == 0);
  CHECK(sides.device.state().steps == 4);
  CHECK(twin.turns == (reduced ? 12 : 0));
}

void sums_on_the_device_decay_and_start_late_as_on_the_host() {
  Sides sides(41, 0.7, 1, EFL_COLLECT_NOW);
  for (int step = 0; step < 3; ++step) {
    CHECK(library().compute(sides.device, &sides.device_call.call) == 0);
    CHECK(sides.host.compute(sides.host_call, false, 1, &sides.report) == EFL_OK);
    expect_alike(sides.device.state(), state_of(sides.host));
  }
  // At the base parameters the loss does not depend on what was learnt.
  const auto loss = [&](const DeviceCriterion& of, int32_t equalize) {
    DeviceCall forward(sides.given, {}, 1, sides.stream);
    efl_level level = *forward.call.call.levels;
    level.gradient = nullptr;
    forward.call.call.levels = &level;
    forward.call.call.equalize = equalize;
    CHECK(library().compute(of, &forward.call) == 0);
    return forward.report().report.loss;
  };
  const DeviceCriterion fresh(sides.spec);
  CHECK(loss(sides.device, 0) == loss(fresh, 1) && loss(sides.device, 1) != loss(fresh, 1));
  CHECK(sides.device.state().steps == 3);
}

void a_commit_that_cannot_be_added_up_changes_nothing() {
  Sides sides(43, 0, 0, EFL_COLLECT_DEFER);
  CHECK(library().compute(sides.device, &sides.device_call.call) == 0);
  const auto is_pending = [&](int64_t calls) {
    return pending_calls(sides.device) == calls && sides.device.state().steps == 1 - calls;
  };
  Twin twin;
  twin.computation_fails = true;
  CHECK(library().commit(sides.device, sides.stream, &twin.reducer) == 0);
  CHECK(is_pending(1));
  twin.status = EFL_OUT_OF_MEMORY;
  CHECK(library().commit(sides.device, sides.stream, &twin.reducer) == EFL_DEVICE_OUT_OF_MEMORY);
  CHECK(is_pending(1));
  CHECK(library().commit(sides.device, sides.stream, nullptr) == 0);
  CHECK(is_pending(0));
}

void nothing_is_learnt_where_another_process_has_failed(bool in_survey) {
  const test::Problem given(kRows, kClasses, 13, false);
  const efl::Spec spec = spec_of();
  const DeviceCriterion criterion(spec);
  const Stream stream;
  DeviceCall call(given, {}, 1, stream);
  Twin twin;
  twin.survey_fails = in_survey;
  twin.computation_fails = !in_survey;
  call.call.reducer = &twin.reducer;
  CHECK(library().compute(criterion, &call.call) == 0);
  const efl_device_report report = call.report();
  CHECK(report.report.status == EFL_PEER_FAILED && std::isnan(report.loss));
  CHECK(twin.turns == 2 && twin.failed_flag() == (in_survey ? 1 : 0));
  const State state = criterion.state();
  CHECK(state.steps == 0 && state.negative == std::vector<double>(kClasses, 0.0));
  // Also without statistics.
  call.call.call.collect = 0;
  CHECK(library().compute(criterion, &call.call) == 0);
  CHECK(call.report().report.status == (in_survey ? EFL_PEER_FAILED : EFL_OK));
  CHECK(twin.turns == 3);
}

void a_process_that_fails_says_so() {
  test::Problem given(kRows, kClasses, 17, false);
  given.labels[7] = kClasses + 1;
  const efl::Spec spec = spec_of();
  const DeviceCriterion criterion(spec);
  const Stream stream;
  DeviceCall call(given, {}, 1, stream);
  Twin twin;
  call.call.reducer = &twin.reducer;
  CHECK(library().compute(criterion, &call.call) == 0);
  const efl_report report = call.report().report;
  CHECK(report.status == EFL_BAD_LABEL && report.bad_index == 7);
  CHECK(report.bad_value == kClasses + 1);
  CHECK(twin.counts[efl::kFailedSurveys] == 1 && twin.failed_flag() == 1);
  // A call that cannot be made, either: nobody must wait for this process in vain.
  std::vector<efl_level> levels(70000);
  levels[0].gradient = const_cast<void*>(call.call.call.levels->logits);
  call.call.call.levels = levels.data();
  call.call.call.level_count = static_cast<int32_t>(levels.size());
  twin.counts = twin.sums = {};
  twin.turns = 0;
  CHECK(library().compute(criterion, &call.call) != 0);
  CHECK(library().synchronize_stream(0, stream) == 0);
  CHECK(twin.turns == 2);
  std::vector<double> none(efl::kReducedCounts, 0.0);
  none[efl::kFailedSurveys] = 1;
  CHECK(twin.counts == none && twin.failed_flag() == 1);
  CHECK(criterion.state().steps == 0);
}

void a_reducer_that_fails_is_an_error() {
  const test::Problem given(kRows, kClasses, 19, false);
  const efl::Spec spec = spec_of();
  const DeviceCriterion criterion(spec);
  const Stream stream;
  DeviceCall call(given, {}, 1, stream);
  Twin twin;
  twin.status = EFL_OUT_OF_MEMORY;
  call.call.reducer = &twin.reducer;
  CHECK(library().compute(criterion, &call.call) == EFL_DEVICE_OUT_OF_MEMORY);
  CHECK(library().synchronize_stream(0, stream) == 0);
  CHECK(criterion.state().steps == 0);
  CHECK(twin.turns == 2);
}

// The backend for arrays on the host takes the counts of all processes to the device.
void host_arrays_are_divided_by_the_counts_of_all_processes() {
  test::Problem on_cpu(kRows, kClasses, 23, false), on_device(kRows, kClasses, 23, false);
  efl::HostCriterion cpu(spec_of(), efl::cpu::backends().front());
  efl::HostCriterion device(spec_of(), library().backend(0));
  Twin twin;
  twin.on_host = true;
  efl_call call = efl::default_call();
  call.normalizer = EFL_NORMALIZER_POSITIVES;
  call.level_count = 1;
  efl_report expected{}, report{};
  call.levels = &on_cpu.level;
  CHECK(cpu.compute(call, false, 1, &expected, &twin.reducer) == EFL_OK);
  call.levels = &on_device.level;
  CHECK(device.compute(call, false, 1, &report, &twin.reducer) == EFL_OK);
  CHECK(close(report.loss, expected.loss, 1e-5) && report.positives == expected.positives);
  bool same = true;
  for (std::size_t i = 0; i < on_cpu.gradient.size(); ++i) {
    same &= close(on_device.gradient[i], on_cpu.gradient[i], 2e-5);
  }
  for (int32_t j = 0; j < kClasses; ++j) {
    same &= close(device.statistics().positive()[j], cpu.statistics().positive()[j], 1e-5);
    same &= close(device.statistics().negative()[j], cpu.statistics().negative()[j], 1e-5);
  }
  CHECK(same);
}

// Of given gradients the statistics alone are wanted, whatever else the levels have.
void host_arrays_of_gradients_have_the_statistics_of_the_cpu() {
  test::Problem on_cpu(kRows, kClasses, 29, true), on_device(kRows, kClasses, 29, true);
  const std::vector<float> before = on_device.gradient;
  efl::HostCriterion cpu(spec_of(), efl::cpu::backends().front());
  efl::HostCriterion device(spec_of(), library().backend(0));
  efl_call call = efl::default_call();
  call.loss_scale = -8;
  call.level_count = 1;
  efl_report expected{}, report{};
  call.levels = &on_cpu.level;
  CHECK(cpu.compute(call, true, 1, &expected) == EFL_OK);
  call.levels = &on_device.level;
  CHECK(device.compute(call, true, 1, &report) == EFL_OK);
  CHECK(test::identical(report, expected) && report.non_finite > 0);
  CHECK(on_device.gradient == before);
  bool same = true;
  for (int32_t j = 0; j < kClasses; ++j) {
    same &= close(device.statistics().positive()[j], cpu.statistics().positive()[j], 1e-6);
    same &= close(device.statistics().negative()[j], cpu.statistics().negative()[j], 1e-6);
  }
  CHECK(same);
}

void host_arrays_are_not_touched_where_something_is_bad() {
  test::Problem given(kRows, kClasses, 31, false);
  given.labels[100] = kClasses + 7;
  const std::vector<float> before = given.gradient;
  efl_report report{};
  CHECK(test::compute(library().backend(0), &given.problem, &report) == EFL_BAD_LABEL);
  CHECK(report.bad_level == 0 && report.bad_index == 100 && report.bad_value == kClasses + 7);
  CHECK(given.gradient == before);
}

void all_memory_comes_back() {
  for (int32_t device = 0; device < 2; ++device) {
    CHECK(library().synchronize(device) == 0);
    efl_device_memory memory{};
    CHECK(library().memory(device, &memory) == 0);
    CHECK(memory.in_use == 0);
  }
}

void more_memory_than_there_is_is_an_error_and_no_end() {
  void* memory = nullptr;
  CHECK(library().allocate(0, nullptr, std::size_t{1} << 40, &memory) == EFL_DEVICE_OUT_OF_MEMORY);
  CHECK(library().self_test(0) == 0);
  CHECK(library().self_test(9) != 0);
  CHECK(library().backend(9) == nullptr);
}

}  // namespace

int main() {
  uint32_t seed = 1;
  CHECK(library().layout == EFL_DEVICE_LAYOUT && std::strlen(library().version) > 0);
  for (const efl_format& format : test::every_format()) {
    host_arrays_have_the_results_of_the_cpu(seed++, format, 3, 70, 7);
  }
  host_arrays_have_the_results_of_the_cpu(99, {EFL_FLOAT32, EFL_LAYOUT_NHWC, EFL_ANCHOR_MAJOR, 1},
                                          1, 900, 33);
  host_arrays_have_the_results_of_the_cpu(98, {EFL_FLOAT32, EFL_LAYOUT_NHWC, EFL_ANCHOR_MAJOR, 1},
                                          0, 0, 3);
  a_criterion_on_the_device_learns_as_on_the_host(false);
  a_criterion_on_the_device_learns_as_on_the_host(true);
  host_arrays_are_divided_by_the_counts_of_all_processes();
  host_arrays_of_gradients_have_the_statistics_of_the_cpu();
  host_arrays_are_not_touched_where_something_is_bad();
  for (const bool captured : {false, true}) {
    for (const bool dense : {false, true}) {
      two_processes_learn_as_one_with_all_rows(EFL_REDUCTION_SUM, dense, captured);
      two_processes_learn_as_one_with_all_rows(EFL_REDUCTION_MEAN, dense, captured);
    }
  }
  for (const bool captured : {false, true}) {
    deferred_calls_on_the_device_learn_as_on_the_host(captured, false);
    deferred_calls_on_the_device_learn_as_on_the_host(captured, true);
  }
  sums_on_the_device_decay_and_start_late_as_on_the_host();
  a_commit_that_cannot_be_added_up_changes_nothing();
  nothing_is_learnt_where_another_process_has_failed(false);
  nothing_is_learnt_where_another_process_has_failed(true);
  a_process_that_fails_says_so();
  a_reducer_that_fails_is_an_error();
  more_memory_than_there_is_is_an_error_and_no_end();
  all_memory_comes_back();
  std::printf("library for GPUs: %d checks, %d failed\n", test::checks, test::failures);
  return test::failures == 0 ? 0 : 1;
}
