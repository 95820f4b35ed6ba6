// efl_many_cores [WAKE_UP_US] [GB_PER_S]: what a call has for many cores to do, measured on one
// thread, and a model of its time on them.
//
// This program brings its own parallel_for, which the linker takes in place of the pool's. It runs
// all tasks on the one thread there is and measures them: what is left of the call's time is what
// only one thread does.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>
#include <vector>

#include "../../native/core/host_criterion.h"
#include "../../native/cpu/cpu_backend.h"
#include "../../native/cpu/thread_pool.h"

namespace {

double now() {
  using std::chrono::duration;
  return duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A stretch of a call that several threads share; times in microseconds.
struct Region {
  int32_t threads;
  std::vector<double> tasks;

  double work() const { return std::accumulate(tasks.begin(), tasks.end(), 0.0); }
  double longest() const { return *std::max_element(tasks.begin(), tasks.end()); }
};

std::vector<Region> regions;

// Helpers that are awake wake four others each: how many steps from the caller helper i is.
int32_t steps_to(int32_t helper) {
  int32_t steps = 0;
  for (; helper > 0; helper = (helper - 1) / 4) ++steps;
  return steps;
}

// Whoever is awake takes tasks, so what is lost is the sum of the times until helpers are. The last
// task ends after the others by half its time, and no region is done before its longest.
double time_on(const Region& region, int32_t cores, double wake_up) {
  const auto tasks = static_cast<int32_t>(region.tasks.size());
  const int32_t threads = std::min({region.threads, cores, tasks});
  const double work = region.work();
  if (threads == 1) return work;
  double asleep = 0;
  for (int32_t helper = 1; helper < threads; ++helper) asleep += steps_to(helper) * wake_up;
  return std::max(region.longest(), (work + asleep) / threads + work / tasks / 2);
}

struct Call {
  double serial = 0;
  std::vector<Region> parallel;
};

efl::Spec spec_of(int32_t classes) {
  efl_settings settings = efl::default_settings(EFL_EQUALIZED_FOCAL_LOSS);
  settings.classes = classes;
  return efl::Spec(settings);
}

Call measure(int64_t rows, int32_t classes) {
  const std::size_t size = static_cast<std::size_t>(rows) * classes;
  std::minstd_rand random(1);
  std::vector<float> logits(size), gradient(size);
  std::vector<int32_t> labels(rows);
  for (float& x : logits) x = -4.0f + static_cast<float>(random() % 1000) / 250.0f;
  for (int32_t& label : labels) {
    label = random() % 4 ? 0 : 1 + static_cast<int32_t>(random() % classes);
  }
  efl_level level{};
  level.images = 1;
  level.positions = rows;
  level.logits = logits.data();
  level.labels = labels.data();
  level.gradient = gradient.data();
  efl_call call = efl::default_call();
  call.levels = &level;
  call.level_count = 1;
  constexpr int32_t kThreads = 1024;
  efl::HostCriterion criterion(spec_of(classes), efl::cpu::backends().front());
  Call least;
  const auto rounds = static_cast<int>(std::clamp<std::size_t>(400000000 / size, 10, 2000));
  for (int round = 0; round < rounds; ++round) {
    regions.clear();
    efl_report report{};
    const double start = now();
    if (criterion.compute(call, false, kThreads, &report) != EFL_OK) std::exit(1);
    double serial = now() - start;
    for (const Region& region : regions) serial -= region.work();
    if (round == 0) least = {serial, regions};
    // The least of each: whatever disturbs a call makes it longer.
    least.serial = std::min(least.serial, serial);
    for (std::size_t i = 0; i < regions.size(); ++i) {
      std::vector<double>& tasks = least.parallel[i].tasks;
      std::transform(tasks.begin(), tasks.end(), regions[i].tasks.begin(), tasks.begin(),
                     [](double a, double b) { return std::min(a, b); });
    }
  }
  return least;
}

}  // namespace

namespace efl::cpu {

void parallel_for(int32_t threads, int64_t count, void (*task)(void*, int64_t), void* context) {
  if (threads <= 1 || count <= 1) {
    for (int64_t i = 0; i < count; ++i) task(context, i);
    return;
  }
  Region region = {threads, std::vector<double>(static_cast<std::size_t>(count))};
  double before = now();
  for (int64_t i = 0; i < count; ++i) {
    task(context, i);
    const double after = now();
    region.tasks[static_cast<std::size_t>(i)] = after - before;
    before = after;
  }
  regions.push_back(region);
}

}  // namespace efl::cpu

int main(int argc, char** argv) {
  const double wake_up = argc > 1 ? std::atof(argv[1]) : 25;
  const double bandwidth = argc > 2 ? std::atof(argv[2]) : 200;
  constexpr int32_t kCores[] = {1, 8, 16, 32, 64, 128};
  std::printf("kernels %s; model: %.0f us to wake a helper, %.0f GB/s\n",
              efl::cpu::backends().front()->detail, wake_up, bandwidth);
  std::printf("%-16s %10s %12s %6s", "rows x classes", "serial us", "parallel us", "tiles");
  for (const int32_t cores : kCores) std::printf(" %7d", cores);
  std::printf("  cores: us, from the memory at best\n");
  const std::pair<int64_t, int32_t> shapes[] = {{100, 80},    {831, 1203},   {20000, 1203},
                                                {200000, 80}, {2000, 10000}, {200, 100000}};
  for (const auto& [rows, classes] : shapes) {
    const Call call = measure(rows, classes);
    double work = 0;
    int64_t tiles = 1;
    for (const Region& region : call.parallel) {
      work += region.work();
      tiles = std::max(tiles, static_cast<int64_t>(region.tasks.size()));
    }
    char shape[40];
    std::snprintf(shape, sizeof shape, "%lld x %d", static_cast<long long>(rows), classes);
    std::printf("%-16s %10.1f %12.1f %6lld", shape, call.serial, work,
                static_cast<long long>(tiles));
    for (const int32_t cores : kCores) {
      double time = call.serial;
      for (const Region& region : call.parallel) time += time_on(region, cores, wake_up);
      std::printf(" %7.0f", time);
    }
    // Logits are read, and the lines of the gradient read and written.
    std::printf("  %.0f\n", static_cast<double>(rows) * classes * 12 / (bandwidth * 1000));
  }
  return 0;
}
