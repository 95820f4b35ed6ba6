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

namespace efl::addon {

class Criterion;

// Used on the JavaScript thread only.
class CriterionRegistry {
 public:
  // Of a criterion that now holds so many bytes; returns its number, which none had before. Frees
  // others.
  int64_t add(Napi::Env env, Criterion* criterion, int64_t bytes);
  // It holds them no more.
  void remove(int64_t number, int64_t bytes);
  // Null where none has the number, or has it any more.
  Criterion* find(int64_t number) const;

 private:
  void free_garbage(Napi::Env env);

  std::unordered_map<int64_t, Criterion*> holding_;
  int64_t last_number_ = 0;
  int64_t bytes_ = 0;
  int64_t bytes_since_search_ = 0;
};

}  // namespace efl::addon
