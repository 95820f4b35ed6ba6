/* The words that the library, its backends and those who call it have in common. All memory belongs
 * to the caller and is only borrowed for the length of a call. Counts have 64 bits. */
#ifndef EFL_TYPES_H
#define EFL_TYPES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a call ended. Other numbers are for the insides of the package. */
typedef enum efl_status {
  EFL_OK = 0,
  EFL_BAD_LABEL = 1,     /* a label is neither a class, background nor ignored */
  EFL_BAD_TARGET = 2,    /* a dense target is outside [0, 1] */
  EFL_OUT_OF_MEMORY = 3, /* the workspace could not be allocated */
  EFL_BAD_QUALITY = 5,   /* the quality of a row with a class is outside [0, 1] */
  EFL_BAD_ARGUMENT = 8,  /* an argument of efl.h is wrong: efl_error_text says which */
  EFL_ABI_MISMATCH = 9,  /* the caller was compiled for another interface */
  EFL_BAD_WEIGHT = 12    /* the weight of a row is negative, or not finite by itself or in
                          * float32 times the weights of the classes */
} efl_status;

typedef enum efl_reduction {
  EFL_REDUCTION_SUM = 0,  /* sum of the elements / normalizer */
  EFL_REDUCTION_MEAN = 1, /* sum of the elements / (elements that are not left out: those of
                           * ignored rows and masked ones are) */
  EFL_REDUCTION_NONE = 2  /* one loss for each element */
} efl_reduction;

/* In place of a normalizer: max(1, rows with a class), counted in the call. */
#define EFL_NORMALIZER_POSITIVES 0.0

/* Likewise: the sum of the row weights of rows with a class, or 1 where there is none. */
#define EFL_NORMALIZER_WEIGHTS (-1.0)

/* 16-bit types are raw bits. */
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
 * element, in the order of the format, and so has mask; labels, quality and row_weight one for each
 * row, ordered images x positions x anchors whatever the format. */
typedef struct efl_level {
  int64_t images;
  int64_t positions;        /* H x W */
  const void* logits;       /* of the format's dtype; where statistics are collected, gradients */
  void* gradient;           /* of the same, or null; may be the logits */
  float* elements;          /* or null: receives the loss of each element */
  const float* grad_output; /* or null: upstream gradient of each element */
  const int32_t* labels;    /* or null, where there are targets */
  const float* quality;     /* or null: in [0, 1], read in rows with a class */
  const float* targets;     /* or null: in [0, 1] */
  const float* row_weight; /* or null: finite and >= 0, factor on all that comes of the row; rows of
                            * weight 0, or below 2^-126, are ignored */
  const uint8_t* mask;     /* or null: elements with 0 are left out, whatever stands there */
} efl_level;

typedef struct efl_result {
  double loss;
  int64_t positives;  /* rows with a class whose element is not masked */
  int64_t ignored;    /* rows with an ignored label, or of weight 0 */
  int64_t non_finite; /* logits (or gradients) that count and are NaN or infinite */
  int64_t bad_level;  /* where the first bad label, target, weight or quality is: its level, */
  int64_t bad_index;  /* the row or element in it, */
  double bad_value;   /* and what stood there */
} efl_result;

#ifdef __cplusplus
}
#endif

#endif
