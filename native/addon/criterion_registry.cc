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

int64_t CriterionRegistry::add(Napi::Env env, Criterion* criterion, int64_t bytes) {
  bytes_since_search_ += bytes;
  if (bytes_since_search_ > std::max(kBytesWorthASearch, bytes_ / kShareWorthASearch)) {
    free_garbage(env);
    bytes_since_search_ = 0;
  }
  holding_.emplace(++last_number_, criterion);
  bytes_ += bytes;
  return last_number_;
}

void CriterionRegistry::remove(int64_t number, int64_t bytes) {
  if (holding_.erase(number)) bytes_ -= bytes;
}

Criterion* CriterionRegistry::find(int64_t number) const {
  const auto found = holding_.find(number);
  return found == holding_.end() ? nullptr : found->second;
}

void CriterionRegistry::free_garbage(Napi::Env env) {
  const Napi::HandleScope scope(env);
  std::vector<Criterion*> garbage;
  for (const auto& [number, criterion] : holding_) {
    if (criterion->Value().IsEmpty()) garbage.push_back(criterion);
  }
  for (Criterion* criterion : garbage) criterion->free_memory(env);
}

}  // namespace efl::addon
