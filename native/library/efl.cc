// The functions of efl.h: arguments are checked, then core does the work.
#include "../include/efl.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "../core/class_rule.h"
#include "../cpu/cpu_backend.h"
#include "calls.h"
#include "errors.h"
#include "settings.h"

using efl::ClassFactors;
using efl::GradientStatistics;
using efl::Rule;
using efl::library::fail;
using efl::library::guarded;
using efl::library::reject;

struct efl_criterion {
  efl_criterion(efl::CriterionSettings settings, const efl_backend* backend, int32_t threads)
      : host(std::move(settings), backend), threads(threads) {}

  efl::HostCriterion host;
  const int32_t threads;
  std::mutex one_call;
};

namespace {

void check_abi(const char* of, uint32_t abi, uint32_t size, std::size_t expected_size) {
  if (abi == EFL_ABI && size == expected_size) return;
  throw efl::library::Failure{fail(
      EFL_ABI_MISMATCH, "%s: the library has interface %u with %zu bytes, the caller %u with %u",
      of, EFL_ABI, expected_size, abi, size)};
}

template <class Value>
void require(const Value* value, const char* argument) {
  if (!value) reject(argument, "not null");
}

void require_statistics(const efl_criterion& criterion) {
  if (criterion.host.keeps_statistics()) return;
  reject("criterion", "one of an equalized loss, which has statistics");
}

void check_sums(const char* argument, const double* values, int32_t count, double most,
                const std::vector<double>* added_to) {
  require(values, argument);
  for (int32_t j = 0; j < count; ++j) {
    const double sum = added_to ? values[j] + (*added_to)[static_cast<std::size_t>(j)] : values[j];
    if (values[j] >= 0 && sum <= most) continue;
    char place[32];
    (void)std::snprintf(place, sizeof place, "%s[%d]", argument, j);
    reject(place, most == 1 ? "a number in [0, 1]" : "a number >= 0 within the range of double",
           values[j]);
  }
}

void check_steps(int64_t steps) {
  if (steps >= 0 && steps <= efl::kMostSteps) return;
  reject("steps", "an integer from 0 to 2^53 - 1", static_cast<double>(steps));
}

void copy_out(const std::vector<double>& from, double* to) {
  if (to) std::copy(from.begin(), from.end(), to);
}

// Says of a result with a bad value where it is.
efl_status explained(efl_status status, const efl_result& result) {
  const char* field = nullptr;
  const char* expected = "a number in [0, 1]";
  switch (status) {
    case EFL_BAD_LABEL:
      field = "labels";
      expected = "a class, background or an ignored label";
      break;
    case EFL_BAD_TARGET:
      field = "targets";
      break;
    case EFL_BAD_QUALITY:
      field = "quality";
      break;
    case EFL_OUT_OF_MEMORY:
      return fail(status, "the workspace could not be allocated");
    default:
      return status;
  }
  return fail(status, "call.levels[%lld].%s[%lld]: expected %s, received %.9g",
              static_cast<long long>(result.bad_level), field,
              static_cast<long long>(result.bad_index), expected, result.bad_value);
}

template <class Check, class Compute>
efl_status run(efl_criterion* criterion, const efl_call* call, efl_result* result,
               const Check& check, const Compute& compute) {
  return guarded([&] {
    require(criterion, "criterion");
    require(call, "call");
    require(result, "result");
    check_abi("call", call->abi, call->size, sizeof(efl_call));
    auto problem = check(*call, criterion->host);
    problem.threads = criterion->threads;
    const std::lock_guard<std::mutex> lock(criterion->one_call);
    return explained(compute(problem), *result);
  });
}

}  // namespace

uint32_t efl_abi(void) { return EFL_ABI; }

const char* efl_version(void) { return EFL_VERSION; }

const char* efl_error_text(void) { return efl::library::error_text(); }

const char* efl_kernels(int32_t index) {
  const char* name = nullptr;
  (void)guarded([&] {
    const std::vector<const efl_backend*> usable = efl::cpu::backends();
    const auto wanted = static_cast<std::size_t>(index);
    if (index >= 0 && wanted < usable.size()) name = usable[wanted]->detail;
    return EFL_OK;
  });
  return name;
}

efl_status efl_settings_init(efl_settings* settings, uint32_t abi, uint32_t size, int32_t family) {
  return guarded([&] {
    require(settings, "settings");
    check_abi("settings", abi, size, sizeof(efl_settings));
    *settings = efl::library::default_settings(family);
    return EFL_OK;
  });
}

efl_status efl_call_init(efl_call* call, uint32_t abi, uint32_t size) {
  return guarded([&] {
    require(call, "call");
    check_abi("call", abi, size, sizeof(efl_call));
    *call = efl::library::default_call();
    return EFL_OK;
  });
}

efl_status efl_criterion_create(const efl_settings* settings, efl_criterion** criterion) {
  return guarded([&] {
    require(criterion, "criterion");
    *criterion = nullptr;
    require(settings, "settings");
    check_abi("settings", settings->abi, settings->size, sizeof(efl_settings));
    *criterion = new efl_criterion(efl::library::checked_settings(*settings),
                                   efl::library::chosen_backend(*settings),
                                   efl::library::chosen_threads(*settings));
    return EFL_OK;
  });
}

void efl_criterion_destroy(efl_criterion* criterion) { delete criterion; }

int32_t efl_criterion_columns(const efl_criterion* criterion) {
  return criterion ? criterion->host.columns() : 0;
}

int32_t efl_criterion_threads(const efl_criterion* criterion) {
  return criterion ? criterion->threads : 0;
}

const char* efl_criterion_kernels(const efl_criterion* criterion) {
  return criterion ? criterion->host.backend().detail : nullptr;
}

efl_status efl_criterion_compute(efl_criterion* criterion, const efl_call* call,
                                 efl_result* result) {
  return run(criterion, call, result, efl::library::checked_compute,
             [&](const efl_problem& problem) {
               return criterion->host.compute(problem, call->collect != 0, result);
             });
}

efl_status efl_criterion_collect(efl_criterion* criterion, const efl_call* call,
                                 efl_result* result) {
  const auto check = [](const efl_call& given, const efl::HostCriterion& host) {
    if (!host.keeps_statistics()) reject("criterion", "one of an equalized loss");
    return efl::library::checked_collect(given, host);
  };
  return run(criterion, call, result, check, [&](const efl_collect_problem& problem) {
    return criterion->host.compute(problem, result);
  });
}

efl_status efl_criterion_read_state(const efl_criterion* criterion, double* positive,
                                    double* negative, double* ratio, int64_t* steps) {
  return guarded([&] {
    require(criterion, "criterion");
    require_statistics(*criterion);
    const GradientStatistics state = criterion->host.statistics();
    copy_out(state.positive(), positive);
    copy_out(state.negative(), negative);
    copy_out(state.ratio(), ratio);
    if (steps) *steps = state.steps();
    return EFL_OK;
  });
}

efl_status efl_criterion_read_factors(const efl_criterion* criterion, double* first,
                                      double* second) {
  return guarded([&] {
    require(criterion, "criterion");
    require_statistics(*criterion);
    const auto& parameters = criterion->host.settings().parameters;
    const std::vector<double> ratio = criterion->host.statistics().ratio();
    const bool v2 = parameters.rule == Rule::kEqualizationV2;
    for (std::size_t j = 0; j < ratio.size(); ++j) {
      const ClassFactors factors = efl::class_factors(parameters, ratio[j]);
      if (first) first[j] = v2 ? factors.negative : factors.gamma;
      if (second) second[j] = factors.positive;
    }
    return EFL_OK;
  });
}

efl_status efl_criterion_write_state(efl_criterion* criterion, const double* positive,
                                     const double* negative, const double* ratio, int64_t steps) {
  return guarded([&] {
    require(criterion, "criterion");
    require_statistics(*criterion);
    constexpr double kLargest = std::numeric_limits<double>::max();
    const efl::CriterionSettings& settings = criterion->host.settings();
    const bool v2 = settings.parameters.rule == Rule::kEqualizationV2;
    check_sums("positive", positive, settings.classes, kLargest, nullptr);
    check_sums("negative", negative, settings.classes, kLargest, nullptr);
    check_sums("ratio", ratio, settings.classes, v2 ? kLargest : 1, nullptr);
    check_steps(steps);
    const std::lock_guard<std::mutex> lock(criterion->one_call);
    criterion->host.restore(positive, negative, ratio, steps);
    return EFL_OK;
  });
}

efl_status efl_criterion_merge_state(efl_criterion* criterion, const double* positive,
                                     const double* negative, int64_t steps) {
  return guarded([&] {
    require(criterion, "criterion");
    require_statistics(*criterion);
    constexpr double kLargest = std::numeric_limits<double>::max();
    const int32_t classes = criterion->host.settings().classes;
    const std::lock_guard<std::mutex> lock(criterion->one_call);
    const GradientStatistics own = criterion->host.statistics();
    check_sums("positive", positive, classes, kLargest, &own.positive());
    check_sums("negative", negative, classes, kLargest, &own.negative());
    check_steps(steps);
    criterion->host.merge(positive, negative, steps);
    return EFL_OK;
  });
}

efl_status efl_criterion_reset_state(efl_criterion* criterion) {
  return guarded([&] {
    require(criterion, "criterion");
    require_statistics(*criterion);
    const std::lock_guard<std::mutex> lock(criterion->one_call);
    criterion->host.reset();
    return EFL_OK;
  });
}
