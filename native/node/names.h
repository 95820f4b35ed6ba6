// What the fields of efl.h are called in JavaScript, and errors in these words.
#pragma once

#include <string>

#include "../core/argument_error.h"
#include "napi_setup.h"

namespace efl::node {

// "scaleFactor" for "scale_factor"; the ones that do not follow this are listed in names.cc.
std::string js_name(const char* field);
// With the names in braces in JavaScript's words.
std::string js_text(const char* expected);

// Runs what may refuse a value. Its error becomes a JavaScript error with `argument`, `expected`
// and `received`, of which lib/binding makes an EflArgumentError.
[[noreturn]] void throw_refusal(napi_env env, const ArgumentError& error);
template <class Body>
auto with_refusals(napi_env env, const Body& body) {
  try {
    return body();
  } catch (const ArgumentError& error) {
    throw_refusal(env, error);
  }
}

}  // namespace efl::node
