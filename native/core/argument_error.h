// A value that a caller may not give. Core says which, in the names of efl.h; the faces for C and
// for JavaScript put it into the words of their users.
#pragma once

#include <cstdint>

namespace efl {

struct ArgumentError {
  const char* argument;  // the field of efl_settings or efl_call
  // What it may be. {field} stands for the name of another field, {positives} for the word that
  // has positives counted, {or_each} for what else a number may be in JavaScript.
  const char* expected;
  double received = 0;
  bool is_number = true;  // whether `received` says it; a list, or nothing, was received otherwise
  int64_t index = -1;     // in an array
  int32_t level = -1;     // of a call
};

}  // namespace efl
