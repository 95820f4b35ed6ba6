// By the instructions themselves: __builtin_cpu_supports does not know F16C before Clang 17.
#include "cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>

#include <cstdint>
#endif

namespace efl::cpu {

#if defined(__x86_64__)

namespace {

constexpr uint32_t bit(int number) { return uint32_t{1} << number; }

// Of leaf 1, in ecx.
constexpr uint32_t kFma = bit(12), kOsXsave = bit(27), kF16c = bit(29);
// Of leaf 7, in ebx.
constexpr uint32_t kAvx2 = bit(5);
constexpr uint32_t kAvx512 = bit(16) | bit(17) | bit(30) | bit(31);  // F, DQ, BW, VL

// Registers that the operating system saves: bits of XCR0.
constexpr uint32_t kYmm = bit(1) | bit(2);                  // XMM and the upper halves of YMM
constexpr uint32_t kZmm = kYmm | bit(5) | bit(6) | bit(7);  // masks, ZMM0-15, ZMM16-31

bool has(uint32_t bits, uint32_t wanted) { return (bits & wanted) == wanted; }

// Only where kOsXsave is set. As assembly: the intrinsic needs a compiler flag.
uint32_t saved_registers() {
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

}  // namespace

CpuFeatures cpu_features() {
  uint32_t eax, ebx, ecx, edx;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !has(ecx, kOsXsave | kFma | kF16c)) return {};
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return {};
  const uint32_t saved = saved_registers();
  CpuFeatures features;
  features.avx2 = has(ebx, kAvx2) && has(saved, kYmm);
  features.avx512 = features.avx2 && has(ebx, kAvx512) && has(saved, kZmm);
  return features;
}

#else

CpuFeatures cpu_features() { return {}; }

#endif

}  // namespace efl::cpu
