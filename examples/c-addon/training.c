#include "training.h"

#include <stdlib.h>

static void multiply(const training* with, int32_t classes, float* logits) {
  for (int32_t r = 0; r < with->rows; ++r) {
    for (int32_t c = 0; c < classes; ++c) {
      double sum = 0;
      for (int32_t i = 0; i < with->inputs; ++i) {
        sum += (double)with->features[r * with->inputs + i] * with->weights[i * classes + c];
      }
      logits[r * classes + c] = (float)sum;
    }
  }
}

/* The gradient by the weights is features^T x gradient. */
static void descend(const training* with, int32_t classes, const float* gradient) {
  for (int32_t i = 0; i < with->inputs; ++i) {
    for (int32_t c = 0; c < classes; ++c) {
      double sum = 0;
      for (int32_t r = 0; r < with->rows; ++r) {
        sum += (double)with->features[r * with->inputs + i] * gradient[r * classes + c];
      }
      float* const weight = &with->weights[i * classes + c];
      *weight = (float)((double)*weight - (double)with->rate * sum);
    }
  }
}

static efl_status run_steps(efl_criterion* criterion, const training* with, float* logits,
                            float* gradient) {
  const int32_t classes = efl_criterion_columns(criterion);
  efl_level level = {0};
  level.images = 1;
  level.positions = with->rows;
  level.logits = logits;
  level.gradient = gradient;
  level.labels = with->labels;
  level.quality = with->quality;

  efl_call call;
  efl_status status = efl_default_call(&call);
  call.levels = &level;
  call.level_count = 1;
  call.normalizer = EFL_NORMALIZER_POSITIVES;
  for (int32_t step = 0; status == EFL_OK && step < with->steps; ++step) {
    efl_result result;
    multiply(with, classes, logits);
    status = efl_criterion_compute(criterion, &call, &result);
    if (status != EFL_OK) break;
    with->losses[step] = result.loss;
    descend(with, classes, gradient);
  }
  return status;
}

efl_status train(const efl_settings* settings, const training* with, efl_criterion** criterion) {
  efl_status status = efl_criterion_create(settings, criterion);
  if (status != EFL_OK) return status;
  const size_t count = (size_t)with->rows * (size_t)efl_criterion_columns(*criterion);
  float* const logits = malloc(count * sizeof(float) + 1);
  float* const gradient = malloc(count * sizeof(float) + 1);
  status = logits && gradient ? run_steps(*criterion, with, logits, gradient) : EFL_OUT_OF_MEMORY;
  free(logits);
  free(gradient);
  if (status != EFL_OK) {
    efl_criterion_destroy(*criterion);
    *criterion = NULL;
  }
  return status;
}
