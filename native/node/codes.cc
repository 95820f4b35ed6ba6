#include "codes.h"

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <utility>

#include "../core/report.h"
#include "call_block.h"
#include "executor.h"
#include "levels.h"
#include "names.h"
#include "objects.h"

namespace efl::node {
namespace {

using Names = std::initializer_list<std::pair<const char*, double>>;

Napi::Object object_of(Napi::Env env, const Names& names) {
  Napi::Object object = Napi::Object::New(env);
  for (const auto& [name, code] : names) set_property(object, name, code);
  return object;
}

constexpr std::size_t slot_of(std::size_t offset) { return offset / sizeof(double); }

// Those of the report are counted from its beginning, on a device, too.
Napi::Object slots(Napi::Env env) {
#define EFL_REPORT_SLOT(field) static_cast<double>(slot_of(offsetof(efl_report, field)))
  Napi::Object slots = object_of(env, {{"status", EFL_REPORT_SLOT(status)},
                                       {"loss", EFL_REPORT_SLOT(loss)},
                                       {"positives", EFL_REPORT_SLOT(positives)},
                                       {"ignored", EFL_REPORT_SLOT(ignored)},
                                       {"nonFinite", EFL_REPORT_SLOT(non_finite)},
                                       {"badLevel", EFL_REPORT_SLOT(bad_level)},
                                       {"badIndex", EFL_REPORT_SLOT(bad_index)},
                                       {"badValue", EFL_REPORT_SLOT(bad_value)},
                                       {"criterion", kCriterion},
                                       {"countPositives", kCountPositives},
                                       {"collect", kCollect},
                                       {"equalize", kEqualize},
                                       {"gradientsGiven", kGradientsGiven},
                                       {"gamma", kGamma},
                                       {"alpha", kAlpha},
                                       {"reduction", kReduction}});
#undef EFL_REPORT_SLOT
  for (std::size_t i = 0; i < std::size(kCallNumbers); ++i) {
    set_property(slots, js_name(kCallNumbers[i].name).c_str(),
                 static_cast<double>(kFirstNumber + i));
  }
  return slots;
}

// The defaults of the numbers of a call, by the names of their slots.
Napi::Object defaults(Napi::Env env) {
  Napi::Object defaults = Napi::Object::New(env);
  for (const CallNumber& number : kCallNumbers) {
    set_property(defaults, js_name(number.name).c_str(), number.fallback);
  }
  return defaults;
}

}  // namespace

Napi::Object codes(Napi::Env env) {
  Napi::Object all = Napi::Object::New(env);
  set_property(all, "defaults", defaults(env));
  set_property(all, "slot", slots(env));
  set_property(all, "reportSlots", static_cast<double>(kReportSlots));
  set_property(all, "deviceReport",
               object_of(env, {{"bytes", sizeof(efl_device_report)},
                               {"report", offsetof(efl_device_report, report)}}));
  set_property(all, "status",
               object_of(env, {{"ok", EFL_OK},
                               {"badLabel", EFL_BAD_LABEL},
                               {"badTarget", EFL_BAD_TARGET},
                               {"badQuality", EFL_BAD_QUALITY},
                               {"badWeight", EFL_BAD_WEIGHT},
                               {"badNormalizer", EFL_BAD_NORMALIZER},
                               {"outOfMemory", EFL_OUT_OF_MEMORY},
                               {"cancelled", EFL_CANCELLED},
                               {"deviceError", EFL_DEVICE_ERROR},
                               {"notComputed", EFL_NOT_COMPUTED}}));
  set_property(all, "normalizer",
               object_of(env, {{"positives", EFL_NORMALIZER_POSITIVES},
                               {"weights", EFL_NORMALIZER_WEIGHTS}}));
  set_property(all, "background",
               object_of(env, {{"first", EFL_BACKGROUND_FIRST},
                               {"last", EFL_BACKGROUND_LAST},
                               {"none", EFL_BACKGROUND_NONE}}));
  set_property(all, "reduction",
               object_of(env, {{"sum", EFL_REDUCTION_SUM},
                               {"mean", EFL_REDUCTION_MEAN},
                               {"none", EFL_REDUCTION_NONE}}));
  set_property(all, "collect",
               object_of(env, {{"none", EFL_COLLECT_NONE},
                               {"now", EFL_COLLECT_NOW},
                               {"defer", EFL_COLLECT_DEFER}}));
  set_property(
      all, "dtype",
      object_of(env,
                {{"float32", EFL_FLOAT32}, {"float16", EFL_FLOAT16}, {"bfloat16", EFL_BFLOAT16}}));
  // Rows are NHWC with one image and one anchor.
  set_property(
      all, "layout",
      object_of(env,
                {{"rows", EFL_LAYOUT_NHWC}, {"NHWC", EFL_LAYOUT_NHWC}, {"NCHW", EFL_LAYOUT_NCHW}}));
  set_property(
      all, "channelOrder",
      object_of(env, {{"anchor-major", EFL_ANCHOR_MAJOR}, {"class-major", EFL_CLASS_MAJOR}}));
  set_property(all, "geometry",
               object_of(env, {{"dtype", kGeometryDtype},
                               {"layout", kGeometryLayout},
                               {"channelOrder", kGeometryChannelOrder},
                               {"anchors", kGeometryAnchors},
                               {"levels", kGeometryLevels}}));
  set_property(all, "maxOutstandingCalls", static_cast<double>(Executor::kMaxOutstanding));
  return all;
}

}  // namespace efl::node
