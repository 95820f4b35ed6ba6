// What was wrong, as the caller of the C interface reads it.
#pragma once

#include <new>

#include "../include/efl.h"

namespace efl::library {

struct Failure {
  efl_status status;
};

// Of the calling thread.
const char* error_text();
// Both keep "argument: expected ..., received ..." as the text and throw the Failure.
[[noreturn]] void reject(const char* argument, const char* expected);
[[noreturn]] void reject(const char* argument, const char* expected, double received);
efl_status fail(efl_status status, const char* format, ...) __attribute__((format(printf, 2, 3)));

// The boundary: no exception leaves it.
template <class Body>
efl_status guarded(const Body& body) {
  try {
    return body();
  } catch (const Failure& failure) {
    return failure.status;
  } catch (const std::bad_alloc&) {
    return fail(EFL_OUT_OF_MEMORY, "memory could not be allocated");
  } catch (...) {
    // What is left is a mutex that the system cannot lock any more.
    return fail(EFL_OUT_OF_MEMORY, "the system has no resources left");
  }
}

}  // namespace efl::library
