/* An addon of its own, in C: train(family, features, labels, quality, frequencies, weights, rate,
 * losses, statistics) trains `weights` in place and fills `losses` and, of an equalized loss,
 * `statistics`: the sums over positives, then those over negatives. Errors are thrown. */
#include <node_api.h>
#include <string.h>

#include "training.h"

enum { kArguments = 9 };

static napi_value throw_text(napi_env env, const char* text) {
  napi_throw_error(env, NULL, text);
  return NULL;
}

/* The values of a typed array of this type; null, with length 0, for anything else. */
static void* values(napi_env env, napi_value value, napi_typedarray_type wanted, size_t* length) {
  napi_typedarray_type type;
  void* data = NULL;
  *length = 0;
  if (napi_get_typedarray_info(env, value, &type, length, &data, NULL, NULL) != napi_ok)
    return NULL;
  if (type == wanted) return data;
  *length = 0;
  return NULL;
}

static napi_value run(napi_env env, napi_callback_info info) {
  napi_value arguments[kArguments];
  size_t count = kArguments;
  int32_t family = -1;
  double rate = 0;
  size_t features, labels, quality, frequencies, weights, losses, statistics;
  training with = {0};
  efl_settings settings;

  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok ||
      count != kArguments || napi_get_value_int32(env, arguments[0], &family) != napi_ok ||
      napi_get_value_double(env, arguments[6], &rate) != napi_ok) {
    return throw_text(env, "expected nine arguments");
  }
  if (efl_default_settings(&settings, (efl_family)family) != EFL_OK) {
    return throw_text(env, efl_error_text());
  }
  with.features = values(env, arguments[1], napi_float32_array, &features);
  with.labels = values(env, arguments[2], napi_int32_array, &labels);
  with.quality = values(env, arguments[3], napi_float32_array, &quality);
  settings.class_frequencies = values(env, arguments[4], napi_float64_array, &frequencies);
  with.weights = values(env, arguments[5], napi_float32_array, &weights);
  with.losses = values(env, arguments[7], napi_float64_array, &losses);
  double* const sums = values(env, arguments[8], napi_float64_array, &statistics);
  if (labels == 0 || features % labels != 0 || features == 0 ||
      weights % (features / labels) != 0 || (with.quality && quality != labels)) {
    return throw_text(env, "expected matrices that fit together");
  }
  with.rows = (int32_t)labels;
  with.inputs = (int32_t)(features / labels);
  with.steps = (int32_t)losses;
  with.rate = (float)rate;
  settings.classes = (int32_t)weights / with.inputs;
  if (settings.class_frequencies && frequencies != (size_t)settings.classes) {
    return throw_text(env, "expected a frequency for each class");
  }
  if (sums && statistics != 2 * (size_t)settings.classes) {
    return throw_text(env, "expected room for two sums a class");
  }

  efl_criterion* criterion;
  efl_status status = train(&settings, &with, &criterion);
  if (status == EFL_OK && sums) {
    status = efl_criterion_read_state(criterion, sums, sums + settings.classes, NULL, NULL);
  }
  if (status != EFL_OK) throw_text(env, efl_error_text());
  efl_criterion_destroy(criterion);
  return NULL;
}

/* createFor(abi): a criterion as a program compiled for this interface would make it. */
static napi_value create_for(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t count = 1;
  uint32_t abi = 0;
  efl_settings settings;
  efl_criterion* criterion = NULL;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok || count != 1 ||
      napi_get_value_uint32(env, argument, &abi) != napi_ok) {
    return throw_text(env, "expected the number of an interface");
  }
  memset(&settings, 0, sizeof settings);
  if (efl_settings_init(&settings, abi, (uint32_t)sizeof settings, EFL_FOCAL_LOSS) == EFL_OK) {
    settings.classes = 1;
    if (efl_criterion_create(&settings, &criterion) == EFL_OK) {
      efl_criterion_destroy(criterion);
      return NULL;
    }
  }
  return throw_text(env, efl_error_text());
}

NAPI_MODULE_INIT() {
  napi_property_descriptor functions[] = {
      {"train", NULL, run, NULL, NULL, NULL, napi_enumerable, NULL},
      {"createFor", NULL, create_for, NULL, NULL, NULL, napi_enumerable, NULL}};
  if (napi_define_properties(env, exports, 2, functions) != napi_ok) {
    return throw_text(env, "the functions could not be exported");
  }
  return exports;
}
