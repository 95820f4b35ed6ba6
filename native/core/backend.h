/* The interface that a backend implements: one table of C functions with an ABI number.
 *
 * A function returns EFL_OK and a whole result, or another status and has written nothing but
 * `result`. No C++ exception leaves it. Every function may be called from several threads at once.
 */
#pragma once

#include "problem.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever a struct of problem.h or the table below changes. */
#define EFL_BACKEND_ABI 3

typedef struct efl_backend {
  uint32_t abi;
  const char* name;   /* "cpu" */
  const char* detail; /* what it uses on this machine: "avx512" */
  efl_status (*focal)(const efl_focal_problem* problem, efl_result* result);
  efl_status (*collect)(const efl_collect_problem* problem, efl_result* result);
  efl_status (*dense)(const efl_dense_problem* problem, efl_result* result); /* or null */
  /* Or null. Calls task(context, 0) ... task(context, count - 1), each once, on at most so many
   * threads, all with the arithmetic of the calling one. The task must not throw, and this does not
   * either. */
  void (*parallel)(int32_t threads, int64_t count, void (*task)(void* context, int64_t index),
                   void* context);
} efl_backend;

#ifdef __cplusplus
}
#endif
