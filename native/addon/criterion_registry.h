// The criteria of an environment that hold memory.
//
// Node.js finalizes what the garbage collector has found only when the event loop turns. In a loop
// that makes criteria and never lets it turn their memory would pile up; but a weak reference is
// empty at once, so that making a criterion can free those that are gone.
#pragma once

#include <cstdint>
#include <unordered_set>

#include "napi_setup.h"

namespace efl::addon {

class Criterion;

// Used on the JavaScript thread only.
class CriterionRegistry {
 public:
  // Of a criterion that now holds so many bytes. Frees others.
  void add(Napi::Env env, Criterion* criterion, int64_t bytes);
  // It holds them no more.
  void remove(Criterion* criterion, int64_t bytes);

 private:
  void free_garbage(Napi::Env env);

  std::unordered_set<Criterion*> holding_;
  int64_t bytes_ = 0;
  int64_t bytes_since_search_ = 0;
};

}  // namespace efl::addon
