// Memory that runs out, for tests of what happens then. It comes with an operator new of its own.
#pragma once

namespace test {

// From here to the end of the scope the thread can allocate so many times.
class ScarceMemory {
 public:
  explicit ScarceMemory(int allocations);
  ~ScarceMemory();
  ScarceMemory(const ScarceMemory&) = delete;
  ScarceMemory& operator=(const ScarceMemory&) = delete;
};

}  // namespace test
