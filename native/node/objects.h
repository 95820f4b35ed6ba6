// Properties of objects that the addon makes.
#pragma once

#include "napi_setup.h"

namespace efl::node {

// Defined, not set: a setter that somebody gave Object.prototype would be handed the value.
template <class T>
void set_property(Napi::Object object, const char* name, const T& value) {
  object.DefineProperty(Napi::PropertyDescriptor::Value(
      name, Napi::Value::From(object.Env(), value), napi_default_jsproperty));
}

}  // namespace efl::node
