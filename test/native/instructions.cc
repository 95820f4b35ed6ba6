// efl_instructions KERNELS WHAT TIMES: computes a problem so many times, for a tool that counts
// instructions.
//
// The difference between two runs that differ in TIMES alone is what one computation costs, without
// the start of the program.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "../../native/cpu/cpu_backend.h"
#include "compute.h"

namespace {

constexpr int64_t kRows = 200;
constexpr int32_t kClasses = 800;  // whole registers, of which one in a hundred holds a positive

const efl_backend* backend_named(const char* kernels) {
  for (const efl_backend* backend : efl::cpu::backends()) {
    if (std::strcmp(backend->detail, kernels) == 0) return backend;
  }
  return nullptr;
}

struct Arrays {
  Arrays()
      : logits(kRows * kClasses),
        gradient(kRows * kClasses),
        labels(kRows),
        gamma(kClasses, 3.0f),
        weight(kClasses, 0.5f),
        positive_sums(kClasses),
        negative_sums(kClasses) {
    for (std::size_t i = 0; i < logits.size(); ++i) {
      logits[i] = static_cast<float>(i % 97) * -0.1f + 1.0f;
    }
    for (int64_t r = 0; r < kRows; ++r) labels[r] = r % 4 == 0 ? static_cast<int32_t>(r % 700) : 0;
  }

  std::vector<float> logits, gradient;
  std::vector<int32_t> labels;
  std::vector<float> gamma, weight;
  std::vector<double> positive_sums, negative_sums;
  efl_level level{};
};

efl_problem problem_of(Arrays* arrays, const std::string& what) {
  if (what == "square") arrays->gamma.assign(kClasses, 2.0f);
  efl_problem problem{};
  problem.convention = {kClasses, 1, 0, 1, 0, nullptr, 0};
  problem.format = {EFL_FLOAT32, EFL_LAYOUT_NHWC, EFL_ANCHOR_MAJOR, 1};
  problem.levels = &arrays->level;
  problem.level_count = 1;
  arrays->level.images = 1;
  arrays->level.positions = kRows;
  arrays->level.logits = arrays->logits.data();
  arrays->level.labels = arrays->labels.data();
  problem.gamma = arrays->gamma.data();
  problem.positive_weight = problem.negative_weight = arrays->weight.data();
  problem.range = {arrays->gamma[0], arrays->gamma[0], arrays->weight[0]};
  problem.normalizer = problem.loss_weight = problem.upstream = problem.loss_scale = 1.0;
  problem.threads = 1;
  if (what != "forward") arrays->level.gradient = arrays->gradient.data();
  if (what == "statistics" || what == "square") {
    problem.positive_sums = arrays->positive_sums.data();
    problem.negative_sums = arrays->negative_sums.data();
  }
  return problem;
}

}  // namespace

int main(int argc, char** argv) {
  const efl_backend* backend = argc == 4 ? backend_named(argv[1]) : nullptr;
  if (!backend) {
    std::fprintf(stderr,
                 "usage: efl_instructions KERNELS forward|gradient|statistics|square TIMES\n");
    return 2;
  }
  Arrays arrays;
  const efl_problem problem = problem_of(&arrays, argv[2]);
  efl_report report{};
  for (long times = std::atol(argv[3]); times > 0; --times) {
    if (test::compute(backend, &problem, &report) != EFL_OK) return 1;
  }
  std::printf("%zu elements, loss %.9g\n", arrays.logits.size(), report.loss);
  return 0;
}
