// The options of a criterion, from JavaScript to efl_settings.
#pragma once

#include "../core/spec.h"
#include "napi_setup.h"

namespace efl::node {

// lossOptions(family): what core says of each option of it, for lib to read what users give:
// { name, kind: 'number' | 'flag' | 'perClass', expected, fallback, required }.
Napi::Value loss_options(const Napi::CallbackInfo& info);
// checkOption(family, name, value): throws where the number is one that the option may not have.
Napi::Value check_loss_option(const Napi::CallbackInfo& info);

// The criterion of a family with these options, by the names above; what is undefined has its
// default. Beside them ignoreIndex, background and reduction are given.
Spec decode_spec(Napi::Value family, Napi::Object given);

}  // namespace efl::node
