#include "options.h"

#include <cstring>
#include <string>

#include "arguments.h"
#include "names.h"
#include "objects.h"

namespace efl::node {
namespace {

const char* kind_name(OptionKind kind) {
  switch (kind) {
    case OptionKind::kInteger:
    case OptionKind::kNumber:
      return "number";
    case OptionKind::kFlag:
      return "flag";
    case OptionKind::kPerClass:
      break;
  }
  return "perClass";
}

template <class T>
void set_field(efl_settings* settings, const Option& option, const T& value) {
  std::memcpy(reinterpret_cast<char*>(settings) + option.offset, &value, sizeof value);
}

void set_option(const Option& option, Napi::Value value, efl_settings* settings) {
  const std::string name = js_name(option.name);
  switch (option.kind) {
    case OptionKind::kInteger:
      return set_field(settings, option, int_argument(value, name.c_str()));
    case OptionKind::kNumber:
      return set_field(settings, option, number_argument(value, name.c_str()));
    case OptionKind::kFlag: {
      const int32_t flag = boolean_argument(value, name.c_str());
      return set_field(settings, option, flag);
    }
    case OptionKind::kPerClass: {
      const double* const values =
          array_argument<double>(value, name.c_str(), static_cast<std::size_t>(settings->classes));
      return set_field(settings, option, values);
    }
  }
}

int32_t family_argument(Napi::Value value) {
  const std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  const Family* const family = family_named(name.c_str());
  if (!family) reject_argument(value.Env(), "family", "the name of a loss");
  return family->code;
}

}  // namespace

Napi::Value loss_options(const Napi::CallbackInfo& info) {
  const int32_t family = family_argument(info[0]);
  Napi::Array found = Napi::Array::New(info.Env());
  for (const Option& option : options()) {
    if (!option.belongs_to(family)) continue;
    Napi::Object described = Napi::Object::New(info.Env());
    set_property(described, "name", js_name(option.name));
    set_property(described, "kind", kind_name(option.kind));
    set_property(described, "expected", js_text(option.expected));
    const bool is_number = option.kind == OptionKind::kNumber ||
                           (option.kind == OptionKind::kInteger && !option.required);
    // A default that nobody may give stands for none.
    if (is_number && option.accepts(option.fallback)) {
      set_property(described, "fallback", option.fallback);
    }
    if (option.kind == OptionKind::kFlag) set_property(described, "fallback", option.fallback != 0);
    set_property(described, "required", option.required);
    set_property(found, std::to_string(found.Length()).c_str(), described);
  }
  return found;
}

Napi::Value check_loss_option(const Napi::CallbackInfo& info) {
  const int32_t family = family_argument(info[0]);
  const std::string name = info[1].As<Napi::String>();
  for (const Option& option : options()) {
    const bool is_one = option.kind != OptionKind::kPerClass && js_name(option.name) == name;
    if (!is_one || !option.belongs_to(family)) continue;
    const double value = number_argument(info[2], name.c_str());
    with_refusals(info.Env(), [&] { check_option(option, value); });
  }
  return info.Env().Undefined();
}

Spec decode_spec(Napi::Value family, Napi::Object given) {
  return with_refusals(given.Env(), [&] {
    efl_settings settings = default_settings(family_argument(family));
    settings.background = int_argument(given.Get("background"), "background");
    settings.reduction = int_argument(given.Get("reduction"), "reduction");
    const auto ignored = array_argument<int32_t>(given.Get("ignoreIndex"), "ignoreIndex");
    settings.ignored = ignored.data;
    settings.ignored_count = static_cast<int32_t>(ignored.length);
    for (const Option& option : options()) {
      if (!option.belongs_to(settings.family)) continue;
      const Napi::Value value = given.Get(js_name(option.name));
      // An option that is one number or one for each class has two fields.
      const bool is_list = value.IsTypedArray();
      if (value.IsUndefined() || is_list != (option.kind == OptionKind::kPerClass)) continue;
      set_option(option, value, &settings);
    }
    return Spec(settings);
  });
}

}  // namespace efl::node
