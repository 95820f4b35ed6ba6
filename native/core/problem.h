/* What is to be computed, and what comes back: plain C structs, passed to a backend by pointer.
 *
 * All memory belongs to the caller and is only borrowed for the length of the call. Counts of rows
 * and elements have 64 bits. Arrays named "per class" have one value for each of the C classes. */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum efl_status {
  EFL_OK = 0,
  EFL_BAD_LABEL = 1,     /* a label is neither a class, background nor ignored */
  EFL_BAD_TARGET = 2,    /* a dense target is outside [0, 1] */
  EFL_OUT_OF_MEMORY = 3, /* the workspace could not be allocated */
  EFL_CANCELLED = 4      /* the call was cancelled before it started */
} efl_status;

typedef enum efl_reduction {
  EFL_REDUCTION_SUM = 0,  /* sum of the elements / normalizer */
  EFL_REDUCTION_MEAN = 1, /* sum of the elements / (rows that are not ignored x classes) */
  EFL_REDUCTION_NONE = 2  /* one loss for each element */
} efl_reduction;

/* In place of a normalizer: max(1, rows with a class), counted in the call. */
#define EFL_NORMALIZER_POSITIVES 0.0

/* How an integer label names a column of the logits. */
typedef struct efl_label_convention {
  int32_t classes;     /* C */
  int32_t first_class; /* the label of column 0 */
  int32_t background;  /* the background label; only where has_background is not 0 */
  int32_t has_background;
  const int32_t* ignored; /* labels of rows that count for nothing */
  int32_t ignored_count;
} efl_label_convention;

typedef struct efl_focal_problem {
  int64_t rows;
  efl_label_convention convention;
  const float* logits;          /* rows x C, class last */
  const int32_t* labels;        /* rows */
  float* gradient;              /* rows x C, or null; may be the logits */
  float* elements;              /* rows x C, or null; one loss for each element */
  const float* grad_output;     /* rows x C, or null: upstream gradient of each element */
  const float* gamma;           /* per class: the focusing factor gamma_j */
  const float* positive_weight; /* per class: alpha gamma_j / gamma_b */
  const float* negative_weight; /* per class: (1 - alpha) gamma_j / gamma_b */
  efl_reduction reduction;
  double normalizer;     /* > 0, or EFL_NORMALIZER_POSITIVES */
  double loss_weight;    /* factor on loss, gradient and statistics */
  double upstream;       /* d(total)/d(loss): factor on gradient and statistics */
  double loss_scale;     /* factor on the gradient alone */
  double* positive_sums; /* per class, or null: receives the sum of |gradient| over positives */
  double* negative_sums; /* per class, or null: the same over negatives */
  int32_t threads;       /* at most so many threads; the result does not depend on it */
} efl_focal_problem;

/* Statistics of gradients that were computed elsewhere. */
typedef struct efl_collect_problem {
  int64_t rows;
  efl_label_convention convention;
  const float* gradients; /* rows x C, class last */
  const int32_t* labels;  /* rows */
  double scale;           /* factor on |gradient| */
  double* positive_sums;  /* per class */
  double* negative_sums;  /* per class */
  int32_t threads;
} efl_collect_problem;

/* Focal Loss with a target in [0, 1] for each element. */
typedef struct efl_dense_problem {
  int64_t elements_count;
  const float* logits;
  const float* targets;
  float* gradient;          /* or null; may be the logits */
  float* elements;          /* or null */
  const float* grad_output; /* or null: upstream gradient of each element */
  double gamma;
  double alpha;            /* negative: no alpha */
  efl_reduction reduction; /* 'mean' divides by the number of elements */
  double upstream;
  int32_t threads;
} efl_dense_problem;

typedef struct efl_result {
  double loss;
  int64_t positives;  /* rows with a class */
  int64_t ignored;    /* rows with an ignored label */
  int64_t non_finite; /* logits (or gradients) of other rows that are NaN or infinite */
  int64_t
      bad_index; /* the smallest offending row or element, with EFL_BAD_LABEL or EFL_BAD_TARGET */
  double bad_value; /* and what stood there */
} efl_result;

#ifdef __cplusplus
}
#endif
