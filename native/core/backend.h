// The interface of a backend for arrays on the host: one table of functions, which a library of
// another compiler may offer, too.
//
// A call takes two steps: the survey looks at every label, target, weight and quality, the
// computation writes. Between them, and between the computation and the state, the numbers of
// several processes may be added up: see efl_reducer.
//
// Both steps return EFL_OK, or another status; a survey has then written nothing but the report,
// nor has a computation whose memory could not be had. No exception leaves them. Every function may
// be called from several threads at once.
#pragma once

#include "problem.h"
#include "report.h"

// What the labels of all levels say; `found` is what the backend keeps of it for the computation.
typedef struct efl_survey {
  int64_t rows;
  int64_t positives;
  int64_t ignored;
  double weights;  // of the rows that are positives, added up
  int64_t masked;  // elements left out in rows that are not ignored; counted for the mean only
  double largest_weight;  // of a row
  void* found;
} efl_survey;

typedef struct efl_backend {
  void* self;          // the first argument of every function
  const char* name;    // "cpu"
  const char* detail;  // what it uses on this machine: "avx512"
  // `survey` and `report` are zeros. A bad label, target, weight or quality has its place in the
  // report.
  efl_status (*survey)(void* self, const efl_problem* problem, efl_survey* survey,
                       efl_report* report);
  // With the counts of the survey, which may be those of several processes by now.
  efl_status (*compute)(void* self, const efl_problem* problem, const efl_survey* survey,
                        efl_report* report);
  // Frees what the survey found, also after one that failed.
  void (*release)(void* self, efl_survey* survey);
  // Or null. Calls task(context, 0) ... task(context, count - 1), each once, on at most so many
  // threads, all with the arithmetic of the calling one. The task must not throw, and this does not
  // either.
  void (*parallel)(int32_t threads, int64_t count, void (*task)(void* context, int64_t index),
                   void* context);
} efl_backend;

// Whoever adds up the numbers of several processes. `sum` puts the sum over all of them in the
// place of the values: on the host before it returns, on a device, where the values are then, in
// the order of the stream. A call with a reducer takes kReducedCounts values there after its
// survey, and, where its statistics enter the state, two sums for each column and kReducedFlags
// values after its computation: whatever became of it in this process, so that no other one waits.
// Those of a deferred call wait for a commit, which takes them there once for all such calls.
typedef struct efl_reducer {
  void* self;
  efl_status (*sum)(void* self, double* values, int64_t count, void* stream);
} efl_reducer;

namespace efl {

// Places of the counts, and, behind the sums of all columns, of the flags.
enum ReducedCount {
  kReducedRows,
  kReducedPositives,
  kReducedIgnored,
  kReducedWeights,
  kReducedMasked,
  kFailedSurveys,
  kReducedCounts
};
enum ReducedFlag {
  kSeenFlag,    // processes in which a class has seen a gradient
  kFailedFlag,  // processes that could not compute
  kReducedFlags
};

}  // namespace efl
