/* What the kernels compute: a criterion and a call in one plain struct, handed over by pointer.
 *
 * All memory belongs to the caller and is only borrowed for the length of the call. Counts of rows
 * and elements have 64 bits. */
#pragma once

#include "../include/efl.h"

/* What an element's loss is; each has its struct in loss_math.h. */
typedef enum efl_loss {
  EFL_LOSS_FOCAL = 0,
  EFL_LOSS_QUALITY_FOCAL = 1,
  EFL_LOSS_CROSS_ENTROPY = 2,
  EFL_LOSS_VARIFOCAL = 3,
  EFL_LOSS_DETACHED_VARIFOCAL = 4,
  EFL_LOSS_IOU_AWARE_BCE = 5,
  EFL_LOSS_MATCHABILITY = 6,
  EFL_LOSS_ASYMMETRIC = 7,
  EFL_LOSS_CLASS_MARGIN = 8
} efl_loss;

/* What some losses have, the same for all of their elements. */
typedef struct efl_constants {
  double exponent;     /* of the score in the target of IA-BCE; gamma of positives of ASL */
  float margin;        /* of ASL */
  int32_t detached;    /* ASL: the modulator is a constant to the gradient */
  int32_t unweighted;  /* VFL: positives do not weigh their quality */
  int32_t spares_zero; /* VFL: a positive of quality 0 counts for nothing */
} efl_constants;

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

/* What all gammas and all weights of a call lie within. */
typedef struct efl_parameter_range {
  float least_gamma;
  float largest_gamma;
  float largest_weight; /* foreground_weight included */
} efl_parameter_range;

/* Arrays "per column" have one value for each class, and one more with an objectness column. */
typedef struct efl_problem {
  efl_label_convention convention;
  efl_format format;
  const efl_level* levels;
  int32_t level_count;
  efl_loss loss;
  efl_constants constants;
  const float* gamma;           /* per column: the focusing factor gamma_j; of ECM the shift */
  const float* positive_weight; /* per column: alpha gamma_j / gamma_b */
  const float* negative_weight; /* per column: (1 - alpha) gamma_j / gamma_b */
  /* Per column, or null: in place of negative_weight in rows that have a class. */
  const float* foreground_weight;
  efl_parameter_range range;  /* that the arrays above lie within */
  float foreground_threshold; /* in such rows negatives with a lower logit weigh nothing */
  efl_reduction reduction;
  double normalizer;       /* > 0, EFL_NORMALIZER_POSITIVES or EFL_NORMALIZER_WEIGHTS */
  double loss_weight;      /* factor on loss, gradient and statistics */
  double upstream;         /* d(total)/d(loss): factor on gradient and statistics */
  double loss_scale;       /* factor on the gradient alone */
  double* positive_sums;   /* per column, or null: receives the sum of |gradient| over positives */
  double* negative_sums;   /* per column, or null: the same over negatives */
  int32_t threads;         /* at most so many threads; the result does not depend on it */
  int32_t gradients_given; /* the logits are gradients: only their statistics are wanted */
  const uint8_t* class_mask; /* per class, or null: elements of classes with 0 are left out */
  /* An element with a dense target is a positive where the target is larger. */
  float positive_threshold;
  /* Targets y become (1 - label_smoothing) y + label_smoothing / C, but for objectness. */
  double label_smoothing;
} efl_problem;
