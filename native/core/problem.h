/* What is to be computed, and what comes back: plain C structs, passed to a backend by pointer.
 *
 * All memory belongs to the caller and is only borrowed for the length of the call. Counts of rows
 * and elements have 64 bits. */
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
  EFL_CANCELLED = 4,     /* the call was cancelled before it started */
  EFL_BAD_QUALITY = 5    /* the quality of a row with a class is outside [0, 1] */
} efl_status;

typedef enum efl_reduction {
  EFL_REDUCTION_SUM = 0,  /* sum of the elements / normalizer */
  EFL_REDUCTION_MEAN = 1, /* sum of the elements / (rows that are not ignored x columns) */
  EFL_REDUCTION_NONE = 2  /* one loss for each element */
} efl_reduction;

/* In place of a normalizer: max(1, rows with a class), counted in the call. */
#define EFL_NORMALIZER_POSITIVES 0.0

/* What an element's loss is; each has its struct in loss_math.h. */
typedef enum efl_loss {
  EFL_LOSS_FOCAL = 0,
  EFL_LOSS_QUALITY_FOCAL = 1,
  EFL_LOSS_CROSS_ENTROPY = 2
} efl_loss;

typedef enum efl_dtype { EFL_FLOAT32 = 0, EFL_FLOAT16 = 1, EFL_BFLOAT16 = 2 } efl_dtype;

/* Where the channels of a level are. Rows x columns are NHWC with one image and one anchor. */
typedef enum efl_layout {
  EFL_LAYOUT_NHWC = 0, /* images x positions x channels */
  EFL_LAYOUT_NCHW = 1  /* images x channels x positions */
} efl_layout;

/* Which of the anchors x columns channels is which. */
typedef enum efl_channel_order {
  EFL_ANCHOR_MAJOR = 0, /* channel a * columns + c */
  EFL_CLASS_MAJOR = 1   /* channel c * anchors + a */
} efl_channel_order;

/* How the logits of every level lie in memory, and what they are made of. */
typedef struct efl_format {
  efl_dtype dtype;
  efl_layout layout;
  efl_channel_order channel_order;
  int32_t anchors; /* A, logits rows at each position */
} efl_format;

/* One feature map. Logits, gradient, elements, grad_output and targets have one value for each
 * element, in the order of the format; labels and quality one for each row, ordered images x
 * positions x anchors whatever the format. */
typedef struct efl_level {
  int64_t images;
  int64_t positions;        /* H x W */
  const void* logits;       /* of the format's dtype; in a collect problem, gradients */
  void* gradient;           /* of the same, or null; may be the logits */
  float* elements;          /* or null: receives the loss of each element */
  const float* grad_output; /* or null: upstream gradient of each element */
  const int32_t* labels;    /* or null, where there are targets */
  const float* quality;     /* or null: in [0, 1], read in rows with a class */
  const float* targets;     /* or null: in [0, 1] */
} efl_level;

/* How an integer label names a column of the logits. */
typedef struct efl_label_convention {
  int32_t classes;     /* C */
  int32_t first_class; /* the label of column 0 */
  int32_t background;  /* the background label; only where has_background is not 0 */
  int32_t has_background;
  int32_t has_objectness; /* one more column, the last: background rows are its positives */
  const int32_t* ignored; /* labels of rows that count for nothing */
  int32_t ignored_count;
} efl_label_convention;

/* Arrays "per column" have one value for each class, and one more with an objectness column. */
typedef struct efl_focal_problem {
  efl_label_convention convention;
  efl_format format;
  const efl_level* levels;
  int32_t level_count;
  efl_loss loss;
  const float* gamma;           /* per column: the focusing factor gamma_j */
  const float* positive_weight; /* per column: alpha gamma_j / gamma_b */
  const float* negative_weight; /* per column: (1 - alpha) gamma_j / gamma_b */
  /* Per column, or null: in place of negative_weight in rows that have a class. */
  const float* foreground_weight;
  float foreground_threshold; /* in such rows negatives with a lower logit weigh nothing */
  efl_reduction reduction;
  double normalizer;     /* > 0, or EFL_NORMALIZER_POSITIVES */
  double loss_weight;    /* factor on loss, gradient and statistics */
  double upstream;       /* d(total)/d(loss): factor on gradient and statistics */
  double loss_scale;     /* factor on the gradient alone */
  double* positive_sums; /* per column, or null: receives the sum of |gradient| over positives */
  double* negative_sums; /* per column, or null: the same over negatives */
  int32_t threads;       /* at most so many threads; the result does not depend on it */
} efl_focal_problem;

/* Statistics of gradients that were computed elsewhere. */
typedef struct efl_collect_problem {
  efl_label_convention convention;
  efl_format format;
  const efl_level* levels;
  int32_t level_count;
  double scale;          /* factor on |gradient| */
  double* positive_sums; /* per column */
  double* negative_sums; /* per column */
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
  int64_t bad_level;  /* where the first bad label, target or quality is: its level, */
  int64_t bad_index;  /* the row or element in it, */
  double bad_value;   /* and what stood there */
} efl_result;

#ifdef __cplusplus
}
#endif
