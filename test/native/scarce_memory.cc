#include "scarce_memory.h"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

constexpr int kUnlimited = -1;
thread_local int allocations_left = kUnlimited;

}  // namespace

// In a file of its own: GCC takes one that it inlines and a free for a mistake.
void* operator new(std::size_t bytes) {
  void* const memory = allocations_left == 0 ? nullptr : std::malloc(bytes == 0 ? 1 : bytes);
  if (!memory) throw std::bad_alloc();
  if (allocations_left > 0) --allocations_left;
  return memory;
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace test {

ScarceMemory::ScarceMemory(int allocations) { allocations_left = allocations; }
ScarceMemory::~ScarceMemory() { allocations_left = kUnlimited; }

}  // namespace test
