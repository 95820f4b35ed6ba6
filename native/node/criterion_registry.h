// The criteria of an environment that hold memory, by number. A synchronous call names its
// criterion so: to find what a JavaScript object wraps takes Node-API a good part of a small call.
//
// Node.js finalizes what the garbage collector has found only when the event loop turns. In a loop
// that makes criteria and never lets it turn their memory would pile up; but a weak reference is
// empty at once, so that making a criterion can free those that are gone.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "napi_setup.h"

namespace efl::node {

class Criterion;

// Used on the JavaScript thread only.
class CriterionRegistry {
 public:
  // One that no criterion had before.
  int64_t new_number() { return ++last_number_; }
  // The criterion of that number now holds so many bytes. Frees others.
  void add(Napi::Env env, int64_t number, Criterion* criterion, int64_t bytes);
  // It holds them no more.
  void remove(int64_t number, int64_t bytes);
  // Null where none has the number, or has it any more; it may be any, also NaN.
  Criterion* find(double number) const;

 private:
  void free_garbage(Napi::Env env);

  std::unordered_map<int64_t, Criterion*> holding_;
  int64_t last_number_ = 0;
  int64_t bytes_ = 0;
  int64_t bytes_since_search_ = 0;
};

}  // namespace efl::node
