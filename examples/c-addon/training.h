/* A linear classifier that is trained with the C interface of equalized-focal-loss. */
#ifndef TRAINING_H
#define TRAINING_H

#include <efl.h>

/* Matrices have their rows one after another. */
typedef struct training {
  int32_t rows, inputs, steps;
  float rate;
  const float* features; /* rows x inputs */
  const int32_t* labels; /* rows */
  const float* quality;  /* rows, or null */
  float* weights;        /* inputs x classes; trained in place */
  double* losses;        /* steps; receives the loss of each */
} training;

/* Trains with a criterion of these settings, and leaves it to the caller with its state; null where
 * the status is not EFL_OK. */
efl_status train(const efl_settings* settings, const training* with, efl_criterion** criterion);

#endif
