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

#include "../core/host_criterion.h"
#include "../cpu/available_processors.h"
#include "../cpu/cpu_backend.h"
#include "errors.h"

using efl::GradientStatistics;
using efl::Rule;
using efl::c::fail;
using efl::c::guarded;
using efl::c::reject;

struct efl_criterion {
  efl_criterion(efl::Spec spec, const efl_backend* backend, int32_t threads)
      : host(std::move(spec), backend), threads(threads) {}

  efl::HostCriterion host;
  const int32_t threads;
  std::mutex one_call;
};

namespace {

void check_abi(const char* of, uint32_t abi, uint32_t size, std::size_t expected_size) {
  if (abi == EFL_ABI && size == expected_size) return;
  throw efl::c::Failure{fail(
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
    const char* const expected =
        most == 1 ? "a number in [0, 1]" : "a number >= 0 within the range of double";
    throw efl::c::Failure{fail(EFL_BAD_ARGUMENT, "%s[%d]: expected %s, received %.17g", argument, j,
                               expected, values[j])};
  }
}

void check_steps(int64_t steps) {
  if (steps >= 0 && steps <= efl::kMostSteps) return;
  throw efl::c::Failure{fail(EFL_BAD_ARGUMENT,
                             "steps: expected an integer from 0 to 2^53 - 1, received %lld",
                             static_cast<long long>(steps))};
}

void copy_out(const std::vector<double>& from, double* to) {
  if (to) std::copy(from.begin(), from.end(), to);
}

// Says of a report with a bad value where it is.
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
    case EFL_BAD_WEIGHT:
      field = "row_weight";
      expected = result.bad_value >= 0 && std::isfinite(result.bad_value)
                     ? "a number whose product with the weights of the classes is finite in float32"
                     : "a finite number >= 0";
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

efl_result result_of(const efl_report& report) {
  return {report.loss,
          static_cast<int64_t>(report.positives),
          static_cast<int64_t>(report.ignored),
          static_cast<int64_t>(report.non_finite),
          static_cast<int64_t>(report.bad_level),
          static_cast<int64_t>(report.bad_index),
          report.bad_value};
}

efl_status run(efl_criterion* criterion, const efl_call* call, efl_result* result,
               bool gradients_given) {
  return guarded("call", [&] {
    require(criterion, "criterion");
    require(call, "call");
    require(result, "result");
    check_abi("call", call->abi, call->size, sizeof(efl_call));
    if (gradients_given) require_statistics(*criterion);
    efl::check_levels(*call, criterion->host.spec(), gradients_given);
    efl::check_numbers(*call, criterion->host.spec(), gradients_given,
                       efl::is_counted_normalizer(call->normalizer));
    efl_report report{};
    const std::lock_guard<std::mutex> lock(criterion->one_call);
    const efl_status status =
        criterion->host.compute(*call, gradients_given, criterion->threads, &report);
    *result = result_of(report);
    return explained(status, *result);
  });
}

const efl_backend* chosen_backend(const efl_settings& given) {
  const std::vector<const efl_backend*> usable = efl::cpu::backends();
  if (!given.kernels) return usable.front();
  for (const efl_backend* backend : usable) {
    if (std::strcmp(backend->detail, given.kernels) == 0) return backend;
  }
  throw efl::c::Failure{fail(EFL_BAD_ARGUMENT,
                             "settings.kernels: expected one of efl_kernels, received %s",
                             given.kernels)};
}

int32_t chosen_threads(const efl_settings& given) {
  if (given.threads < 0) {
    throw efl::ArgumentError{"threads", "an integer >= 0", static_cast<double>(given.threads)};
  }
  return given.threads > 0 ? given.threads : efl::cpu::available_processors();
}

}  // namespace

uint32_t efl_abi(void) { return EFL_ABI; }

const char* efl_version(void) { return EFL_VERSION; }

const char* efl_error_text(void) { return efl::c::error_text(); }

const char* efl_kernels(int32_t index) {
  const char* name = nullptr;
  (void)guarded("settings", [&] {
    const std::vector<const efl_backend*> usable = efl::cpu::backends();
    const auto wanted = static_cast<std::size_t>(index);
    if (index >= 0 && wanted < usable.size()) name = usable[wanted]->detail;
    return EFL_OK;
  });
  return name;
}

efl_status efl_settings_init(efl_settings* settings, uint32_t abi, uint32_t size, int32_t family) {
  return guarded("settings", [&] {
    require(settings, "settings");
    check_abi("settings", abi, size, sizeof(efl_settings));
    *settings = efl::default_settings(family);
    return EFL_OK;
  });
}

efl_status efl_call_init(efl_call* call, uint32_t abi, uint32_t size) {
  return guarded("settings", [&] {
    require(call, "call");
    check_abi("call", abi, size, sizeof(efl_call));
    *call = efl::default_call();
    return EFL_OK;
  });
}

efl_status efl_criterion_create(const efl_settings* settings, efl_criterion** criterion) {
  return guarded("settings", [&] {
    require(criterion, "criterion");
    *criterion = nullptr;
    require(settings, "settings");
    check_abi("settings", settings->abi, settings->size, sizeof(efl_settings));
    *criterion = new efl_criterion(efl::Spec(*settings), chosen_backend(*settings),
                                   chosen_threads(*settings));
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
  return run(criterion, call, result, false);
}

efl_status efl_criterion_collect(efl_criterion* criterion, const efl_call* call,
                                 efl_result* result) {
  return run(criterion, call, result, true);
}

efl_status efl_criterion_commit(efl_criterion* criterion) {
  return guarded("settings", [&] {
    require(criterion, "criterion");
    require_statistics(*criterion);
    const std::lock_guard<std::mutex> lock(criterion->one_call);
    return criterion->host.commit(criterion->threads);
  });
}

efl_status efl_criterion_read_state(const efl_criterion* criterion, double* positive,
                                    double* negative, double* ratio, int64_t* steps) {
  return guarded("settings", [&] {
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
  return guarded("settings", [&] {
    require(criterion, "criterion");
    require_statistics(*criterion);
    efl::read_factors(criterion->host.spec(), criterion->host.statistics(), first, second);
    return EFL_OK;
  });
}

efl_status efl_criterion_write_state(efl_criterion* criterion, const double* positive,
                                     const double* negative, const double* ratio, int64_t steps) {
  return guarded("settings", [&] {
    require(criterion, "criterion");
    require_statistics(*criterion);
    constexpr double kLargest = std::numeric_limits<double>::max();
    const efl::SpecView& spec = criterion->host.spec();
    const int32_t classes = spec.convention.classes;
    const bool v2 = spec.rule.rule == Rule::kEqualizationV2;
    check_sums("positive", positive, classes, kLargest, nullptr);
    check_sums("negative", negative, classes, kLargest, nullptr);
    check_sums("ratio", ratio, classes, v2 ? kLargest : 1, nullptr);
    check_steps(steps);
    const std::lock_guard<std::mutex> lock(criterion->one_call);
    criterion->host.restore(positive, negative, ratio, steps);
    return EFL_OK;
  });
}

efl_status efl_criterion_merge_state(efl_criterion* criterion, const double* positive,
                                     const double* negative, int64_t steps) {
  return guarded("settings", [&] {
    require(criterion, "criterion");
    require_statistics(*criterion);
    constexpr double kLargest = std::numeric_limits<double>::max();
    const int32_t classes = criterion->host.spec().convention.classes;
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
  return guarded("settings", [&] {
    require(criterion, "criterion");
    require_statistics(*criterion);
    const std::lock_guard<std::mutex> lock(criterion->one_call);
    criterion->host.reset();
    return EFL_OK;
  });
}
