// Decodes what lib/binding passes. TypeScript has validated it for people already; a failure here
// is a mistake of the package itself, and a plain TypeError says so before memory is touched. The
// lengths are those that Node-API reports, whatever the arrays say of themselves.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "napi_setup.h"

namespace efl::node {

template <class Element>
struct ArrayView {
  Element* data = nullptr;
  std::size_t length = 0;
};

[[noreturn]] inline void reject_argument(napi_env env, const char* name, const char* expected) {
  throw Napi::TypeError::New(env, std::string(name) + " must be " + expected);
}

template <class Element>
constexpr napi_typedarray_type typed_array_type() {
  if constexpr (std::is_same_v<Element, float>) return napi_float32_array;
  if constexpr (std::is_same_v<Element, double>) return napi_float64_array;
  if constexpr (std::is_same_v<Element, int32_t>) return napi_int32_array;
  if constexpr (std::is_same_v<Element, uint16_t>) return napi_uint16_array;
  if constexpr (std::is_same_v<Element, uint8_t>) return napi_uint8_array;
}

inline std::size_t bytes_of_element(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    default:
      return 8;
  }
}

template <class Element>
ArrayView<Element> array_argument(Napi::Value value, const char* name) {
  napi_typedarray_type type{};
  ArrayView<Element> view;
  void* data = nullptr;
  // Fails for what is no typed array.
  if (napi_get_typedarray_info(value.Env(), value, &type, &view.length, &data, nullptr, nullptr) !=
          napi_ok ||
      type != typed_array_type<Element>()) {
    reject_argument(value.Env(), name, "a typed array of the right kind");
  }
  // An empty array may have no memory, but it is there: null stands for an absent one.
  static Element nothing{};
  view.data = data ? static_cast<Element*>(data) : &nothing;
  return view;
}

// Of a length that is known already; a detached array has length 0 and is refused here.
template <class Element>
Element* array_argument(Napi::Value value, const char* name, std::size_t length) {
  const ArrayView<Element> view = array_argument<Element>(value, name);
  if (view.length != length) reject_argument(value.Env(), name, "an array of the right length");
  return view.data;
}

template <class Element>
Element* optional_array_argument(Napi::Value value, const char* name, std::size_t length) {
  return value.IsUndefined() ? nullptr : array_argument<Element>(value, name, length);
}

inline double number_argument(Napi::Value value, const char* name) {
  double number = 0;
  if (napi_get_value_double(value.Env(), value, &number) != napi_ok) {
    reject_argument(value.Env(), name, "a number");
  }
  return number;
}

// An integer from 0 to 2^53; what a double cannot hold exactly is no size.
inline std::size_t size_argument(Napi::Value value, const char* name) {
  const double number = number_argument(value, name);
  if (!(number >= 0 && number <= 9007199254740992.0) || number != std::floor(number)) {
    reject_argument(value.Env(), name, "an integer from 0 to 2^53");
  }
  return static_cast<std::size_t>(number);
}

inline int32_t int_argument(Napi::Value value, const char* name) {
  const double number = number_argument(value, name);
  if (!(number >= INT32_MIN && number <= INT32_MAX)) {
    reject_argument(value.Env(), name, "a 32-bit integer");
  }
  return static_cast<int32_t>(number);
}

inline bool boolean_argument(Napi::Value value, const char* name) {
  bool boolean = false;
  if (napi_get_value_bool(value.Env(), value, &boolean) != napi_ok) {
    reject_argument(value.Env(), name, "a boolean");
  }
  return boolean;
}

}  // namespace efl::node
