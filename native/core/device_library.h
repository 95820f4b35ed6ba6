/* What a library for GPUs offers: one table of C functions. The addon opens such a library when a
 * GPU is asked for, and has nothing of CUDA in itself.
 *
 * Functions that return an efl_device_error return 0, or a number of the runtime's (cudaError_t)
 * that error_name and error_text explain; they have then changed nothing. No C++ exception leaves
 * them. Every function may be called from several threads at once, but what concerns one criterion
 * from one at a time. */
#pragma once

#include <stddef.h>

#include "backend.h"
#include "spec.h"

typedef int32_t efl_device_error;
#define EFL_DEVICE_OUT_OF_MEMORY 2 /* cudaErrorMemoryAllocation */

typedef struct efl_device_description {
  char name[256];
  int32_t major, minor; /* compute capability */
  int32_t multiprocessors;
} efl_device_description;

typedef struct efl_device_memory {
  int64_t total, free;      /* of the device, whoever uses it */
  int64_t reserved, in_use; /* by this library: kept in its pool, and given out */
} efl_device_memory;

typedef enum efl_copy { EFL_COPY_TO_DEVICE, EFL_COPY_TO_HOST, EFL_COPY_ON_DEVICE } efl_copy;

/* A criterion's state, parameters and workspace on one device. */
typedef struct efl_device_criterion efl_device_criterion;

/* One call. All arrays of the levels, and the pointers here, are on the device; the list of levels
 * is on the host. */
typedef struct efl_device_call {
  efl_call call;
  int32_t gradients_given;   /* the logits are gradients: only their statistics are wanted */
  const float* normalizer;   /* or null; in place of the call's */
  const float* upstream;     /* or null; in place of the call's */
  efl_device_report* report; /* or null */
  void* stream;
  const efl_reducer* reducer; /* or null; on the host */
} efl_device_call;

typedef struct efl_device_library {
  /* Addon and library have to be of one version, and to know the same of what they exchange. */
  const char* version;
  size_t layout;             /* EFL_DEVICE_LAYOUT */
  const char* name;          /* "cuda"; "emulated" where the kernels run on the host, for tests */
  const char* architectures; /* compute capabilities with code of their own: "75 80 90" */
  const char* (*error_name)(efl_device_error error);
  const char* (*error_text)(efl_device_error error);
  efl_device_error (*versions)(int32_t* driver, int32_t* runtime);
  efl_device_error (*device_count)(int32_t* count);
  efl_device_error (*describe)(int32_t device, efl_device_description* description);
  /* Runs a kernel and looks at what it did; 0 where it did that. */
  efl_device_error (*self_test)(int32_t device);
  efl_device_error (*synchronize)(int32_t device);

  /* Memory is taken from and given back to a pool, in the order of the stream. */
  efl_device_error (*allocate)(int32_t device, void* stream, size_t bytes, void** memory);
  efl_device_error (*release)(int32_t device, void* stream, void* memory);
  efl_device_error (*memory)(int32_t device, efl_device_memory* memory);
  /* Host memory may be used again when the function returns; only with `pinned` memory a copy to
   * the device reads it later. Copies to the host have arrived after the stream was waited for. */
  efl_device_error (*copy)(int32_t device, void* stream, void* to, const void* from, size_t bytes,
                           efl_copy direction);
  efl_device_error (*allocate_pinned)(size_t bytes, void** memory);
  efl_device_error (*release_pinned)(void* memory);
  /* Where memory that is not ours is; -1: not on a device. */
  efl_device_error (*device_of)(const void* memory, int32_t* device);

  /* A null stream is the device's default one. */
  efl_device_error (*create_stream)(int32_t device, void** stream);
  efl_device_error (*destroy_stream)(int32_t device, void* stream);
  efl_device_error (*synchronize_stream)(int32_t device, void* stream);
  efl_device_error (*is_capturing)(int32_t device, void* stream, int32_t* capturing);

  efl_device_error (*create_event)(int32_t device, int32_t timing, void** event);
  efl_device_error (*destroy_event)(int32_t device, void* event);
  efl_device_error (*record_event)(int32_t device, void* event, void* stream);
  efl_device_error (*wait_event)(int32_t device, void* stream, void* event);
  efl_device_error (*synchronize_event)(int32_t device, void* event);
  efl_device_error (*event_done)(int32_t device, void* event, int32_t* done);
  efl_device_error (*elapsed)(int32_t device, void* start, void* end, float* milliseconds);

  /* What is put into the stream between begin and end is not run, but kept, to be launched. */
  efl_device_error (*begin_capture)(int32_t device, void* stream);
  efl_device_error (*end_capture)(int32_t device, void* stream, void** graph);
  efl_device_error (*launch_graph)(int32_t device, void* graph, void* stream);
  efl_device_error (*destroy_graph)(int32_t device, void* graph);

  efl_device_error (*create_criterion)(int32_t device, const efl::SpecView* spec,
                                       efl_device_criterion** criterion);
  void (*destroy_criterion)(efl_device_criterion* criterion);
  /* Puts a call into its stream. Calls of a criterion follow one another whatever their streams. */
  efl_device_error (*compute)(efl_device_criterion* criterion, const efl_device_call* call);
  /* Puts the folding in of what deferred calls have kept aside into the stream, like a call; the
   * reducer may be null. */
  efl_device_error (*commit)(efl_device_criterion* criterion, void* stream,
                             const efl_reducer* reducer);
  /* Around the launch of a graph that has calls of the criterion in it. */
  efl_device_error (*enter)(efl_device_criterion* criterion, void* stream);
  efl_device_error (*leave)(efl_device_criterion* criterion, void* stream);
  /* Per class, on the host. Both wait for the calls made before. */
  efl_device_error (*write_state)(efl_device_criterion* criterion, const double* positive,
                                  const double* negative, const double* ratio, int64_t steps);
  efl_device_error (*read_state)(efl_device_criterion* criterion, double* positive,
                                 double* negative, double* ratio, int64_t* steps);
  /* Likewise the sums that wait for a commit, and how many calls are in them. With 0 calls the sums
   * are not looked at. */
  efl_device_error (*write_pending)(efl_device_criterion* criterion, const double* positive,
                                    const double* negative, int64_t calls);
  efl_device_error (*read_pending)(efl_device_criterion* criterion, double* positive,
                                   double* negative, int64_t* calls);

  /* For arrays on the host. Its functions wait for their result; errors of the runtime come back as
   * EFL_DEVICE_ERROR. Null: no such device. */
  const efl_backend* (*backend)(int32_t device);
} efl_device_library;

/* Changes with nearly every change of what addon and library exchange. */
#define EFL_DEVICE_LAYOUT                                                                    \
  (sizeof(efl_device_library) + 1009 * sizeof(efl::SpecView) + 10007 * sizeof(efl_problem) + \
   100003 * sizeof(efl_device_call) + 1000003 * sizeof(efl_device_report))

/* The one symbol that such a library exports. */
#define EFL_DEVICE_LIBRARY_SYMBOL "efl_device_table"
typedef const efl_device_library* (*efl_device_library_getter)(void);
