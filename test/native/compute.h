// A call of a backend in one go: survey, computation, release, as a criterion makes it.
#pragma once

#include "../../native/core/backend.h"

namespace test {

inline efl_status compute(const efl_backend* backend, const efl_problem* problem,
                          efl_report* report) {
  *report = {};
  efl_survey survey{};
  efl_status status = backend->survey(backend->self, problem, &survey, report);
  if (status == EFL_OK) {
    report->positives = static_cast<double>(survey.positives);
    report->ignored = static_cast<double>(survey.ignored);
    status = backend->compute(backend->self, problem, &survey, report);
  }
  backend->release(backend->self, &survey);
  report->status = status;
  return status;
}

}  // namespace test
