/* Equalized Focal Loss and its relatives for programs in C: loss, gradient and gradient statistics
 * in one pass over the logits, on the CPU. Plain C99; the library has no Node.js in it.
 *
 *   efl_settings settings;
 *   efl_criterion* criterion;
 *   if (efl_default_settings(&settings, EFL_EQUALIZED_FOCAL_LOSS) != EFL_OK) die(efl_error_text());
 *   settings.classes = 80;
 *   if (efl_criterion_create(&settings, &criterion) != EFL_OK) die(efl_error_text());
 *
 *   efl_level level = {1, rows, logits, gradient, NULL, NULL, labels, NULL, NULL, NULL, NULL};
 *   efl_call call;
 *   efl_result result;
 *   if (efl_default_call(&call) != EFL_OK) die(efl_error_text());
 *   call.levels = &level;
 *   call.level_count = 1;
 *   call.normalizer = EFL_NORMALIZER_POSITIVES;
 *   if (efl_criterion_compute(criterion, &call, &result) != EFL_OK) die(efl_error_text());
 *
 * Errors. A function that returns an efl_status returns EFL_OK, or has changed neither the
 * criterion nor any array; efl_error_text() then says what was wrong. No C++ exception leaves the
 * library.
 *
 * Threads. Every function may be called from any thread. Calls on one criterion are done one after
 * another, in the order in which they get hold of it; calls on different criteria do not wait for
 * each other. Destroying a criterion that another thread uses is an error of the program.
 *
 * Ownership. Arrays and structs belong to the caller and are only borrowed for the length of a
 * call; what efl_criterion_create makes is the caller's to destroy. While a call runs nobody may
 * write to its inputs or read its outputs. A gradient may be the logits, or the grad_output, of its
 * own level; apart from that an output shares no memory with any other array of the call.
 *
 * Versions. Each settings and call struct carries EFL_ABI and the size it was compiled with, so
 * that a program made for another interface gets EFL_ABI_MISMATCH before anything else of it is
 * looked at. EFL_ABI is raised with every change here or in efl_types.h that neither size shows.
 */
#ifndef EFL_H
#define EFL_H

#include <stddef.h>
#include <stdint.h>

#include "efl_types.h"

#if defined(_WIN32) && defined(EFL_BUILDS_LIBRARY)
#define EFL_API __declspec(dllexport)
#elif defined(_WIN32)
#define EFL_API __declspec(dllimport)
#elif defined(__GNUC__)
#define EFL_API __attribute__((visibility("default")))
#else
#define EFL_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define EFL_ABI 1u

/* Which loss a criterion computes, and which fields of its settings have a meaning for it. */
typedef enum efl_family {
  EFL_FOCAL_LOSS = 0,                   /* gamma >= 0, alpha */
  EFL_EQUALIZED_FOCAL_LOSS = 1,         /* gamma > 0, alpha, scale_factor */
  EFL_QUALITY_FOCAL_LOSS = 2,           /* gamma >= 1, alpha; levels with a quality */
  EFL_EQUALIZED_QUALITY_FOCAL_LOSS = 3, /* the same, scale_factor */
  EFL_EQUALIZATION_LOSS_V2 = 4,         /* map_steepness, map_midpoint, positive_gain, objectness */
  EFL_EQUALIZATION_LOSS = 5,            /* class_frequencies, frequency_threshold */
  EFL_ADAPTIVE_CLASS_SUPPRESSION_LOSS = 6, /* score_threshold, background_weight */
  EFL_VARIFOCAL_LOSS = 7, /* gamma >= 0, alpha, iou_weighted, detach_weight, ignore_zero_quality;
                           * levels with a quality, as of the next three */
  EFL_EQUALIZED_VARIFOCAL_LOSS = 8,    /* the same with gamma > 0, scale_factor */
  EFL_IOU_AWARE_BCE_LOSS = 9,          /* gamma >= 0, alpha */
  EFL_MATCHABILITY_AWARE_LOSS = 10,    /* gamma > 0, alpha */
  EFL_ASYMMETRIC_LOSS = 11,            /* gamma_positive, gamma_negative, margin, detach_weight */
  EFL_EFFECTIVE_CLASS_MARGIN_LOSS = 12 /* class_counts, background_ratio, objectness */
} efl_family;

/* What the label of background is, and with it which label is which class. */
typedef enum efl_background {
  EFL_BACKGROUND_FIRST = 0, /* 0 is background, k in 1..classes is column k - 1 */
  EFL_BACKGROUND_LAST = 1,  /* `classes` is background, k in 0..classes - 1 is column k */
  EFL_BACKGROUND_NONE = 2   /* as last, without background */
} efl_background;

/* What a criterion is. Arrays have `classes` values and are copied. */
typedef struct efl_settings {
  uint32_t abi;  /* EFL_ABI */
  uint32_t size; /* sizeof(efl_settings) */

  int32_t family;     /* efl_family */
  int32_t classes;    /* C, logits in a row, from 1 to 2^24; to be set */
  int32_t background; /* efl_background; default first */
  int32_t reduction;  /* efl_reduction; default sum */
  double loss_weight; /* factor on loss, gradient and statistics; finite, default 1 */

  double gamma;        /* base focusing parameter; finite, default 2, of
                        * EFL_MATCHABILITY_AWARE_LOSS 1.5 */
  double alpha;        /* positives weigh alpha, negatives 1 - alpha; at most 1, negative: both 1;
                        * default .25, of the quality focal losses -1. Of the varifocal losses and
                        * EFL_MATCHABILITY_AWARE_LOSS a weight of negatives alone, >= 0, default
                        * .75 and 1. Of EFL_IOU_AWARE_BCE_LOSS the power of the score in the target
                        * of positives, in [0, 1], default .25 */
  double scale_factor; /* s in gamma_j = gamma + s (1 - g_j); finite, >= 0, default 8 */

  double map_steepness; /* negatives weigh f(r) = 1 / (1 + exp(-steepness (r - midpoint))); > 0, */
  double map_midpoint;  /* default 12 and .8 */
  double positive_gain; /* positives weigh 1 + gain (1 - f(r)); >= 0, default 4 */
  int32_t objectness;   /* not 0: one more logit in a row, positive in background rows; default 0 */

  int32_t ignored_count;      /* default 1, */
  const int32_t* ignored;     /* the labels of rows that count for nothing: default -1. Neither a
                               * class nor background */
  const double* class_weight; /* factor on each class, finite and >= 0; null, the default: 1 */
  const double* class_alpha;  /* an alpha for each class in place of `alpha`, of the first four
                               * losses; default null */

  const double* class_frequencies; /* share of the images with each class, in [0, 1]; to be set */
  double frequency_threshold;      /* rarer classes are spared; in [0, 1], default .00177 */
  double score_threshold;          /* in rows with a class negatives count from this score on; in
                                    * (0, 1), default .7 */
  const double* background_weight; /* weight of each class's negatives in background rows, finite
                                    * and >= 0; null, the default: 1 */

  double half_life; /* of an equalized loss: steps after which a gradient counts half in the sums;
                     * finite, > 0, or 0, the default: sums never decay */
  int32_t start_after; /* of an equalized loss: in so many steps statistics are collected, and g
                        * stays as it is; >= 0, default 0 */

  int32_t threads;     /* at most so many to a call; 0, the default: as many as the processors the
                        * process may run on and the quota of its control groups allow. No result
                        * depends on it */
  const char* kernels; /* one of efl_kernels; null, the default: the best */

  double positive_threshold; /* of dense targets, those of positives are larger: for the normalizer,
                              * for what a row is and for statistics; in [0, 1), default 0 */
  double label_smoothing;    /* targets y become (1 - it) y + it / C, and what is positive follows
                              * from y; in [0, 1), default 0. Of the two focal losses and
                              * the three of the families 4 to 6 */
  int32_t iou_weighted;      /* not 0, the default: positives weigh their quality */
  int32_t detach_weight;     /* not 0: the modulator of the score is a constant to the gradient;
                              * default 0 */
  int32_t ignore_zero_quality; /* not 0: a row's class with quality 0 counts for nothing; 0, the
                                * default: it is a negative */
  double gamma_positive;       /* focusing parameter of positives, finite and >= 0, default 1 */
  double gamma_negative;       /* of negatives, 0 or finite and >= 1, default 4 */
  double margin;               /* by which the score of negatives is moved down; 0 or in [1e-6, 1),
                                * default .05 */
  const double* class_counts;  /* images with each class, finite and > 0; to be set */
  double background_ratio;     /* the count of background over the sum of class_counts, finite and
                                * > 0, default 6.3313 */

  double pos_weight;              /* one more factor on positives, finite and >= 0, default 1 */
  const double* class_pos_weight; /* one for each class in its place; default null */
} efl_settings;

/* What becomes of the statistics of a call. */
typedef enum efl_collect {
  EFL_COLLECT_NONE = 0, /* nothing */
  EFL_COLLECT_NOW = 1,  /* they enter the state, as one step */
  EFL_COLLECT_DEFER = 2 /* they wait for efl_criterion_commit, with those of other such calls */
} efl_collect;

/* One call. The list of levels and their arrays are borrowed. */
typedef struct efl_call {
  uint32_t abi;  /* EFL_ABI */
  uint32_t size; /* sizeof(efl_call) */

  int32_t level_count; /* >= 1; to be set */
  int32_t collect;     /* efl_collect, of an equalized loss and a call with a gradient; default now.
                        * Of efl_criterion_collect only EFL_COLLECT_DEFER counts */
  int32_t equalize;    /* 0: without what the statistics make of each class: the loss at gamma and
                        * with the weights of the settings. Only without a gradient. Not 0, the
                        * default: as it is */
  const efl_level* levels; /* to be set. One level of images = 1 and positions = rows is a matrix of
                            * rows x columns, class last */
  efl_format format;       /* default float32, NHWC, anchor-major, 1 anchor */
  double normalizer;       /* the sum is divided by it: finite and > 0, default 1, or
                            * EFL_NORMALIZER_POSITIVES or EFL_NORMALIZER_WEIGHTS. Only with
                            * EFL_REDUCTION_SUM */
  double upstream;   /* d(total)/d(loss), factor on gradient and statistics; finite, default 1 */
  double loss_scale; /* of mixed precision: factor on the gradient, not on the statistics; finite
                      * and not 0, default 1. Of gradients given to efl_criterion_collect the
                      * factor that is in them */
  const uint8_t* class_mask; /* or null: the elements of classes with 0 are left out, as those with
                              * 0 in a mask; `classes` values */
} efl_call;

/* A criterion: settings, and the state of an equalized loss. */
typedef struct efl_criterion efl_criterion;

/* The interface the library was made for. */
EFL_API uint32_t efl_abi(void);

/* The version of the package, "0.1.0". Never freed. */
EFL_API const char* efl_version(void);

/* What the last call in this thread that did not return EFL_OK found wrong, as
 * "settings.gamma: expected a finite number > 0, received -1". Valid until the thread's next call
 * that fails. Never null. */
EFL_API const char* efl_error_text(void);

/* The sets of kernels that this machine can run, best first: "avx512", "avx2", "baseline",
 * "scalar". Null where index is past the last. Never freed. */
EFL_API const char* efl_kernels(int32_t index);

/* Behind efl_default_settings and efl_default_call, which see. */
EFL_API efl_status efl_settings_init(efl_settings* settings, uint32_t abi, uint32_t size,
                                     int32_t family);
EFL_API efl_status efl_call_init(efl_call* call, uint32_t abi, uint32_t size);

/* Every field to its default; `classes` remains to be set. EFL_ABI_MISMATCH, EFL_BAD_ARGUMENT. */
static inline efl_status efl_default_settings(efl_settings* settings, efl_family family) {
  return efl_settings_init(settings, EFL_ABI, (uint32_t)sizeof(efl_settings), (int32_t)family);
}

/* Every field to its default; `levels` and `level_count` remain to be set. EFL_ABI_MISMATCH. */
static inline efl_status efl_default_call(efl_call* call) {
  return efl_call_init(call, EFL_ABI, (uint32_t)sizeof(efl_call));
}

/* Makes a criterion, which efl_criterion_destroy frees. EFL_BAD_ARGUMENT, EFL_ABI_MISMATCH,
 * EFL_OUT_OF_MEMORY; *criterion is null then. */
EFL_API efl_status efl_criterion_create(const efl_settings* settings, efl_criterion** criterion);

/* Frees it; null is fine. */
EFL_API void efl_criterion_destroy(efl_criterion* criterion);

/* Logits in a row: classes, or one more with objectness. Arrays of the state have `classes`. 0 for
 * null. */
EFL_API int32_t efl_criterion_columns(const efl_criterion* criterion);

/* Threads to a call at most, and the set of kernels it uses. 0 and null for null. */
EFL_API int32_t efl_criterion_threads(const efl_criterion* criterion);
EFL_API const char* efl_criterion_kernels(const efl_criterion* criterion);

/* The loss of all levels and, where they have a `gradient`, its gradient by the logits: at all
 * levels or at none, like `elements`, which receive the loss of each element whatever the
 * reduction. Each level that has rows has `labels` or `targets`; a quality loss with labels has
 * `quality`. `row_weight` and `mask` are there at all levels that have rows, or at none.
 * `grad_output` comes with a gradient and EFL_REDUCTION_NONE. Of an equalized loss the
 * statistics enter the state, for the calls after this one. NaN and infinite logits are counted in
 * non_finite and do not enter it.
 *
 * EFL_BAD_LABEL, EFL_BAD_TARGET, EFL_BAD_QUALITY, EFL_BAD_WEIGHT with the place in the result;
 * EFL_BAD_ARGUMENT, EFL_ABI_MISMATCH, EFL_OUT_OF_MEMORY. */
EFL_API efl_status efl_criterion_compute(efl_criterion* criterion, const efl_call* call,
                                         efl_result* result);

/* Statistics from gradients that were computed elsewhere, which stand in `logits`, and their
 * labels: use either this or the statistics of efl_criterion_compute. Of the call only levels,
 * format, loss_scale and EFL_COLLECT_DEFER count, and no level has weights or a mask: what was left
 * out has a gradient of 0. Errors as there; EFL_BAD_ARGUMENT for a loss without statistics. */
EFL_API efl_status efl_criterion_collect(efl_criterion* criterion, const efl_call* call,
                                         efl_result* result);

/* Folds the statistics of all calls with EFL_COLLECT_DEFER since the last commit in, as one step.
 * Where there are none, or all their gradients were 0, nothing changes. EFL_BAD_ARGUMENT for a loss
 * without statistics. */
EFL_API efl_status efl_criterion_commit(efl_criterion* criterion);

/* Copies the state of an equalized loss out: per class the sums of |gradient| over positives and
 * negatives, their ratio g, and the number of steps in them. What waits for a commit is not part of
 * it. Each may be null. EFL_BAD_ARGUMENT for a loss without statistics. */
EFL_API efl_status efl_criterion_read_state(const efl_criterion* criterion, double* positive,
                                            double* negative, double* ratio, int64_t* steps);

/* What the state makes of each class: gamma_j and the factor on the weights, gamma_j / gamma; of
 * EFL_EQUALIZATION_LOSS_V2 the factors on negatives and on positives. Each may be null.
 * EFL_BAD_ARGUMENT as for read_state. */
EFL_API efl_status efl_criterion_read_factors(const efl_criterion* criterion, double* first,
                                              double* second);

/* Replaces the state, and drops what waits for a commit. Sums are finite and >= 0, steps from 0 to
 * 2^53 - 1; ratios are in [0, 1], of EFL_EQUALIZATION_LOSS_V2 finite and >= 0. EFL_BAD_ARGUMENT,
 * EFL_OUT_OF_MEMORY. */
EFL_API efl_status efl_criterion_write_state(efl_criterion* criterion, const double* positive,
                                             const double* negative, const double* ratio,
                                             int64_t steps);

/* Adds the sums and steps of another criterion of the same loss, and updates the ratios. No sum
 * decays: nobody knows which steps came first. Errors as for write_state, also where a sum would
 * leave the range of double. The number of steps ends at 2^53 - 1, and stays there. */
EFL_API efl_status efl_criterion_merge_state(efl_criterion* criterion, const double* positive,
                                             const double* negative, int64_t steps);

/* Back to the state of a new criterion, with nothing that waits for a commit. EFL_BAD_ARGUMENT as
 * for read_state, EFL_OUT_OF_MEMORY. */
EFL_API efl_status efl_criterion_reset_state(efl_criterion* criterion);

#ifdef __cplusplus
}
#endif

#endif
