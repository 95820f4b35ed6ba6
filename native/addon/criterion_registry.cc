#include "criterion_registry.h"

#include <algorithm>
#include <vector>

#include "criterion.h"

namespace efl::addon {
namespace {

// Looking at all criteria takes time: so many new bytes are worth it, or a share of those there
// are.
constexpr int64_t kBytesWorthASearch = 16 * 1024 * 1024;
constexpr int64_t kShareWorthASearch = 4;

}  // namespace

void CriterionRegistry::add(Napi::Env env, Criterion* criterion, int64_t bytes) {
  bytes_since_search_ += bytes;
  if (bytes_since_search_ > std::max(kBytesWorthASearch, bytes_ / kShareWorthASearch)) {
    free_garbage(env);
    bytes_since_search_ = 0;
  }
  holding_.insert(criterion);
  bytes_ += bytes;
}

void CriterionRegistry::remove(Criterion* criterion, int64_t bytes) {
  if (holding_.erase(criterion)) bytes_ -= bytes;
}

void CriterionRegistry::free_garbage(Napi::Env env) {
  const Napi::HandleScope scope(env);
  std::vector<Criterion*> garbage;
  for (Criterion* criterion : holding_) {
    if (criterion->Value().IsEmpty()) garbage.push_back(criterion);
  }
  for (Criterion* criterion : garbage) criterion->free_memory(env);
}

}  // namespace efl::addon
