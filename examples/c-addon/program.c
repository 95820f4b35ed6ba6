/* A program without Node.js: trains a few steps with Equalized Focal Loss and prints the losses and
 * the state, one number a line, with every digit. */
#include <inttypes.h>
#include <stdio.h>

#include "training.h"

enum { kRows = 64, kInputs = 6, kClasses = 5, kSteps = 10 };

static uint32_t state = 1;

/* In [0, 1), exact in float32; main.mjs draws the same ones. */
static float next(void) {
  state = state * UINT32_C(1664525) + UINT32_C(1013904223);
  return (float)(state >> 8) / 16777216.0f;
}

static int fail(void) {
  fprintf(stderr, "%s\n", efl_error_text());
  return 1;
}

int main(void) {
  static float features[kRows * kInputs], weights[kInputs * kClasses];
  static int32_t labels[kRows];
  static double losses[kSteps], positive[kClasses], negative[kClasses];
  for (int i = 0; i < kRows * kInputs; ++i) features[i] = 2 * next() - 1;
  for (int i = 0; i < kInputs * kClasses; ++i) weights[i] = next() - 0.5f;
  for (int i = 0; i < kRows; ++i) labels[i] = (int32_t)(next() * (kClasses + 1));

  const training with = {kRows, kInputs, kSteps, 0.1f, features, labels, NULL, weights, losses};
  efl_settings settings;
  efl_criterion* criterion;
  if (efl_default_settings(&settings, EFL_EQUALIZED_FOCAL_LOSS) != EFL_OK) return fail();
  settings.classes = kClasses;
  if (train(&settings, &with, &criterion) != EFL_OK) return fail();
  int64_t steps = 0;
  if (efl_criterion_read_state(criterion, positive, negative, NULL, &steps) != EFL_OK)
    return fail();
  efl_criterion_destroy(criterion);

  for (int i = 0; i < kSteps; ++i) printf("%.17g\n", losses[i]);
  for (int i = 0; i < kClasses; ++i) printf("%.17g\n%.17g\n", positive[i], negative[i]);
  printf("%" PRId64 "\n", steps);
  return 0;
}
