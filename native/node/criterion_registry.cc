#include "criterion_registry.h"

#include <algorithm>
#include <vector>

#include "criterion.h"

namespace efl::node {
namespace {

// Looking at all criteria takes time: so many new bytes are worth it, or a share of those there
// are.
constexpr int64_t kBytesWorthASearch = 16 * 1024 * 1024;
constexpr int64_t kShareWorthASearch = 4;

}  // namespace

void CriterionRegistry::add(Napi::Env env, int64_t number, Criterion* criterion, int64_t bytes) {
  bytes_since_search_ += bytes;
  if (bytes_since_search_ > std::max(kBytesWorthASearch, bytes_ / kShareWorthASearch)) {
    free_garbage(env);
    bytes_since_search_ = 0;
  }
  holding_.emplace(number, criterion);
  bytes_ += bytes;
}

void CriterionRegistry::remove(int64_t number, int64_t bytes) {
  if (holding_.erase(number)) bytes_ -= bytes;
}

Criterion* CriterionRegistry::find(double number) const {
  // Beyond these the conversion is undefined.
  if (!(number >= 1 && number <= static_cast<double>(last_number_))) return nullptr;
  const auto found = holding_.find(static_cast<int64_t>(number));
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

}  // namespace efl::node
