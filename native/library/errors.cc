#include "errors.h"

#include <cstdarg>
#include <cstdio>

namespace efl::library {
namespace {

// Of a fixed size: saying what went wrong must not itself need memory.
thread_local char text[512] = "";

}  // namespace

const char* error_text() { return text; }

efl_status fail(efl_status status, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  (void)std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return status;
}

void reject(const char* argument, const char* expected) {
  throw Failure{fail(EFL_BAD_ARGUMENT, "%s: expected %s", argument, expected)};
}

void reject(const char* argument, const char* expected, double received) {
  throw Failure{
      fail(EFL_BAD_ARGUMENT, "%s: expected %s, received %.17g", argument, expected, received)};
}

}  // namespace efl::library
