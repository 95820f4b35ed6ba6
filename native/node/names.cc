#include "names.h"

#include <cctype>
#include <cstring>

#include "objects.h"

namespace efl::node {
namespace {

struct Name {
  const char* field;
  const char* in_js;
};

constexpr Name kOwnNames[] = {
    {"classes", "numClasses"},
    {"ignored", "ignoreIndex"},
    {"class_alpha", "alpha"},  // one number or one for each class: one option
    {"class_pos_weight", "posWeight"},
    {"frequency_threshold", "threshold"},
    {"upstream", "gradOutput"},
    {"positives", "'positives'"},
    {"weights", "'weights'"},
    {"or_each", ", or one for each element"},  // which is another field in C
};

}  // namespace

std::string js_name(const char* field) {
  for (const Name& name : kOwnNames) {
    if (std::strcmp(name.field, field) == 0) return name.in_js;
  }
  std::string camel;
  for (const char* at = field; *at; ++at) {
    const bool starts_word = *at == '_' && at[1];
    if (starts_word) ++at;
    camel += starts_word ? static_cast<char>(std::toupper(*at)) : *at;
  }
  return camel;
}

std::string js_text(const char* expected) {
  std::string text;
  for (const char* at = expected; *at; ++at) {
    if (*at != '{') {
      text += *at;
      continue;
    }
    const char* const end = std::strchr(at, '}');
    text += js_name(std::string(at + 1, end).c_str());
    at = end;
  }
  return text;
}

void throw_refusal(napi_env env, const ArgumentError& refused) {
  std::string argument = js_name(refused.argument);
  if (refused.level >= 0) argument += '[' + std::to_string(refused.level) + ']';
  if (refused.index >= 0) argument += '[' + std::to_string(refused.index) + ']';
  const std::string expected = js_text(refused.expected);
  Napi::Error error = Napi::Error::New(env, argument + ": expected " + expected);
  set_property(error.Value(), "argument", argument);
  set_property(error.Value(), "expected", expected);
  if (refused.is_number) set_property(error.Value(), "received", refused.received);
  throw error;
}

}  // namespace efl::node
