// The floating-point arithmetic of a thread, and one with zeros in place of subnormal numbers.
//
// Most elements of a trained classifier are negatives with a power of sigma(x) below 2^-126.
// Intel's processors compute such numbers by microcode: a kernel would take fifteen times as long
// on them. Nothing is lost with them, since no sum of gradients is the larger for a part below
// 1e-38.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace efl::cpu {

// From here to the end of the scope; then the thread computes as it did before.
class Arithmetic {
 public:
#if defined(__x86_64__)
  using Control = uint32_t;
  // Results (FTZ) and operands (DAZ), in MXCSR.
  static constexpr Control kFlush = 0x8000 | 0x0040;
  static Control control() { return _mm_getcsr(); }
  static void set_control(Control control) { _mm_setcsr(control); }
#elif defined(__aarch64__)
  using Control = uint64_t;
  // Both (FZ), in FPCR. Conversions from and to float16 are not concerned.
  static constexpr Control kFlush = uint64_t{1} << 24;
  static Control control() {
    Control control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    return control;
  }
  static void set_control(Control control) {
    __asm__ volatile("msr fpcr, %0" : : "r"(control) : "memory");
  }
#else
  using Control = int;
  static constexpr Control kFlush = 0;
  static Control control() { return 0; }
  static void set_control(Control) {}
#endif

  explicit Arithmetic(Control wanted) : before_(control()) { set_control(wanted); }
  ~Arithmetic() { set_control(before_); }
  Arithmetic(const Arithmetic&) = delete;
  Arithmetic& operator=(const Arithmetic&) = delete;

 private:
  const Control before_;
};

class FlushSubnormals : public Arithmetic {
 public:
  FlushSubnormals() : Arithmetic(control() | kFlush) {}
};

}  // namespace efl::cpu
