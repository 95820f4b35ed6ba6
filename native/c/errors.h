// What was wrong, as the caller of the C interface reads it.
#pragma once

#include <new>

#include "../core/argument_error.h"
#include "../include/efl.h"

namespace efl::c {

struct Failure {
  efl_status status;
};

// Of the calling thread.
const char* error_text();
// Keeps the text and returns the status.
efl_status fail(efl_status status, const char* format, ...) __attribute__((format(printf, 2, 3)));
// Keeps "argument: expected ..." as the text.
[[noreturn]] void reject(const char* argument, const char* expected);
// The same in the words of core. `of`: "settings" or "call", whose field it is.
efl_status refuse(const char* of, const ArgumentError& error);

// The boundary: no exception leaves it.
template <class Body>
efl_status guarded(const char* of, const Body& body) {
  try {
    return body();
  } catch (const Failure& failure) {
    return failure.status;
  } catch (const ArgumentError& error) {
    return refuse(of, error);
  } catch (const std::bad_alloc&) {
    return fail(EFL_OUT_OF_MEMORY, "memory could not be allocated");
  } catch (...) {
    // What is left is a mutex that the system cannot lock any more.
    return fail(EFL_OUT_OF_MEMORY, "the system has no resources left");
  }
}

}  // namespace efl::c
