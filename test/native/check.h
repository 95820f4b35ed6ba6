// The few words the native tests need: a test is a function, a failed check prints and is counted.
#pragma once

#include <cstdio>

namespace test {

inline int failures = 0;
inline int checks = 0;
inline const char* context = "";

inline void check(bool holds, const char* text, const char* file, int line) {
  ++checks;
  if (holds) return;
  ++failures;
  std::printf("FAILED %s:%d [%s]: %s\n", file, line, context, text);
}

}  // namespace test

#define CHECK(condition) ::test::check((condition), #condition, __FILE__, __LINE__)
