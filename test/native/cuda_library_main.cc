// The library for GPUs on a model of the CUDA runtime: its table, as the addon uses it, against the
// CPU backend.

#include <cstdlib>
#include <cstring>

#include "../../native/core/device_library.h"
#include "../../native/cpu/cpu_backend.h"
#include "check.h"
#include "formats.h"
#include "problem_builder.h"

extern "C" const efl_device_library* efl_device_library_table(void);

namespace {

using test::close;

const efl_device_library& library() { return *efl_device_library_table(); }

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
  efl_result expected{}, result{};
  CHECK(efl::cpu::backends().front()->focal(&on_cpu.problem, &expected) == EFL_OK);
  CHECK(library().backend(1)->focal(&on_device.problem, &result) == EFL_OK);
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
    CHECK(library().allocate(0, stream, bytes, &memory_) == 0);
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

void a_criterion_on_the_device_learns_as_on_the_host(bool captured) {
  constexpr int32_t kClasses = 6;
  constexpr int64_t kRows = 90;
  test::Problem given(kRows, kClasses, 5, false);
  const std::vector<double> weights(kClasses, 1.0);
  efl_device_settings settings{};
  settings.rule = {1, 2, 8, 0, 0, 0};
  settings.convention = given.problem.convention;
  settings.reduction = EFL_REDUCTION_SUM;
  settings.loss_weight = 1;
  settings.positive_weight = settings.negative_weight = weights.data();
  efl_device_criterion* criterion = nullptr;
  CHECK(library().create_criterion(0, &settings, &criterion) == 0);
  void *stream = nullptr, *other = nullptr, *graph = nullptr;
  CHECK(library().create_stream(0, &stream) == 0);
  CHECK(library().create_stream(0, &other) == 0);
  {
    const OnDevice logits(given.logits.data(), given.logits.size() * 4, stream);
    const OnDevice labels(given.labels.data(), given.labels.size() * 4, stream);
    const OnDevice gradient(nullptr, given.logits.size() * 4, stream);
    const OnDevice report(nullptr, sizeof(efl_report), stream);
    efl_level level{};
    level.images = 1;
    level.positions = kRows;
    level.logits = logits.as<void>();
    level.gradient = gradient.as<void>();
    level.labels = labels.as<int32_t>();
    efl_device_call call{};
    call.format.anchors = 1;
    call.levels = &level;
    call.level_count = 1;
    call.normalizer = call.upstream = call.loss_scale = 1;
    call.collect = 1;
    call.report = report.as<efl_report>();
    call.stream = stream;
    constexpr int kSteps = 4;
    CHECK(library().synchronize_stream(0, stream) == 0);
    for (int step = 0; step < kSteps; ++step) {
      // Nobody but the criterion orders its calls in two streams.
      if (!captured) call.stream = step % 2 ? other : stream;
      if (!captured || step == 0) {
        CHECK(library().compute(criterion, &call) == 0);
        continue;
      }
      if (!graph) {
        CHECK(library().begin_capture(0, stream) == 0);
        CHECK(library().compute(criterion, &call) == 0);
        CHECK(library().end_capture(0, stream, &graph) == 0);
      }
      CHECK(library().enter(criterion, stream) == 0);
      CHECK(library().launch_graph(0, graph, stream) == 0);
      CHECK(library().leave(criterion, stream) == 0);
    }
    std::vector<double> positive(kClasses), negative(kClasses), ratio(kClasses);
    int64_t steps = 0;
    CHECK(library().read_state(criterion, positive.data(), negative.data(), ratio.data(), &steps) ==
          0);
    efl_report seen{};
    CHECK(library().copy(0, stream, &seen, report.as<void>(), sizeof seen, EFL_COPY_TO_HOST) == 0);
    CHECK(library().synchronize_stream(0, stream) == 0);
    CHECK(seen.status == EFL_OK && std::isfinite(seen.loss));
    CHECK(steps == kSteps);
    bool unequal = false, in_range = true;
    for (const double g : ratio) {
      unequal |= g < 1;
      in_range &= g >= 0 && g <= 1;
    }
    CHECK(unequal && in_range);
  }
  if (graph) CHECK(library().destroy_graph(0, graph) == 0);
  library().destroy_criterion(criterion);
  CHECK(library().destroy_stream(0, stream) == 0);
  CHECK(library().destroy_stream(0, other) == 0);
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
  for (const efl_format& format : test::every_format()) {
    host_arrays_have_the_results_of_the_cpu(seed++, format, 3, 70, 7);
  }
  host_arrays_have_the_results_of_the_cpu(99, {EFL_FLOAT32, EFL_LAYOUT_NHWC, EFL_ANCHOR_MAJOR, 1},
                                          1, 900, 33);
  host_arrays_have_the_results_of_the_cpu(98, {EFL_FLOAT32, EFL_LAYOUT_NHWC, EFL_ANCHOR_MAJOR, 1},
                                          0, 0, 3);
  a_criterion_on_the_device_learns_as_on_the_host(false);
  a_criterion_on_the_device_learns_as_on_the_host(true);
  more_memory_than_there_is_is_an_error_and_no_end();
  all_memory_comes_back();
  std::printf("library for GPUs: %d checks, %d failed\n", test::checks, test::failures);
  return test::failures == 0 ? 0 : 1;
}
