// The CUDA execution model on the CPU, for tests only: enough of the language and runtime to
// compile the kernels with g++ and run them under the sanitizers. Every CUDA thread of a block is
// a fiber; blocks run one after another. Threads and blocks may be run in a shuffled order, so a
// missing barrier or an order-dependent sum shows as a result that changes with the seed; a barrier
// that only part of a block reaches is reported.
#pragma once

#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "cuda_runtime_on_host.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

// ThreadSanitizer sees each fiber as a thread, ordered by barriers alone, so it reports the races a
// GPU would have. Its view of the scheduler itself is switched off.
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#define ON_HOST_UNSEEN __attribute__((no_sanitize("thread"), noinline))
#else
#define ON_HOST_UNSEEN
#endif

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __grid_constant__
#define __launch_bounds__(...)
#define __shared__ static
#define EFL_DYNAMIC_SHARED(type, name) \
  type* const name = static_cast<type*>(cuda_on_host::block().dynamic_shared)

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
struct float2 {
  float x, y;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};

namespace cuda_on_host {

struct Copy {
  void* to;
  const void* from;
  size_t bytes;
};

// Where a fiber or the scheduler goes on. Sanitizers follow swapcontext; without them a jump does,
// which does not ask the system for the signal mask each time.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ON_HOST_SWAPS_CONTEXTS
#endif

struct Place {
  ucontext_t context;
  jmp_buf jump;
};

struct Fiber {
  Place place;
  bool begun = false;
  std::vector<std::vector<Copy>> copies;  // asynchronous, by group; the last one still open
  dim3 index;
  unsigned flat = 0;
  unsigned arrivals = 0;   // at barriers of the block
  unsigned exchanges = 0;  // of the warp
  bool done = false;
  void* fake_stack = nullptr;
  void* seen_as = nullptr;
};

struct Warp {
  alignas(16) unsigned char slots[2][32][16];
  unsigned arrived = 0;
};

struct Block {
  dim3 index, grid, threads;
  void* dynamic_shared = nullptr;
  Fiber* running = nullptr;
  Place scheduler;
  std::function<void()> body;
  std::vector<Fiber> fibers;
  std::vector<Warp> warps;
  unsigned arrived = 0;
  char barrier[2];  // one for odd, one for even turns: who runs ahead orders nothing for who lags
  const void* scheduler_stack = nullptr;
  size_t scheduler_stack_size = 0;
  void* scheduler_fake_stack = nullptr;
  void* seen_as = nullptr;
};

inline Block*& current_block() {
  static thread_local Block* block = nullptr;
  return block;
}
ON_HOST_UNSEEN inline Block& block() { return *current_block(); }
ON_HOST_UNSEEN inline const dim3& thread_index() { return block().running->index; }

ON_HOST_UNSEEN inline Fiber& fiber() { return *block().running; }
ON_HOST_UNSEEN inline unsigned lane() { return block().running->flat % 32; }

inline void release(void* token) {
#if defined(__SANITIZE_THREAD__)
  __tsan_release(token);
#endif
  (void)token;
}
inline void acquire(void* token) {
#if defined(__SANITIZE_THREAD__)
  __tsan_acquire(token);
#endif
  (void)token;
}

[[noreturn]] inline void fail(const char* what) {
  std::fprintf(stderr, "cuda_on_host: %s\n", what);
  std::abort();
}

constexpr size_t kStackBytes = 128 * 1024;

// Kept for all launches, and mapped rather than allocated: a sanitizer would shadow every byte.
inline char* stack_of(unsigned i) {
  static char* const stacks = [] {
    void* at = mmap(nullptr, kStackBytes * 1024, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) fail("no memory for stacks");
    return static_cast<char*>(at);
  }();
  return stacks + i * kStackBytes;
}

__attribute__((noinline)) inline void go_back(Fiber& f, Block& b) {
#if defined(ON_HOST_SWAPS_CONTEXTS)
  swapcontext(&f.place.context, &b.scheduler.context);
#else
  if (_setjmp(f.place.jump) == 0) _longjmp(b.scheduler.jump, 1);
#endif
}

__attribute__((noinline)) inline void go_on(Block& b, Fiber& f) {
#if defined(ON_HOST_SWAPS_CONTEXTS)
  swapcontext(&b.scheduler.context, &f.place.context);
#else
  if (_setjmp(b.scheduler.jump) != 0) return;
  if (f.begun) _longjmp(f.place.jump, 1);
  f.begun = true;
  setcontext(&f.place.context);
#endif
}

ON_HOST_UNSEEN inline void leave_fiber(bool last) {
  Block& b = block();
  Fiber& f = *b.running;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(last ? nullptr : &f.fake_stack, b.scheduler_stack,
                                 b.scheduler_stack_size);
#endif
#if defined(__SANITIZE_THREAD__)
  __tsan_switch_to_fiber(b.seen_as, __tsan_switch_to_fiber_no_sync);
#endif
  (void)last;
  go_back(f, b);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(f.fake_stack, &b.scheduler_stack, &b.scheduler_stack_size);
#endif
}

ON_HOST_UNSEEN inline void fiber_main() {
  Block& b = block();
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &b.scheduler_stack, &b.scheduler_stack_size);
#endif
  acquire(&b);
  b.body();
  release(&b);
  b.running->done = true;
  leave_fiber(true);
}

__attribute__((noinline)) inline void prepare_fiber(Fiber& f, char* stack) {
  ucontext_t& context = f.place.context;
  getcontext(&context);
  context.uc_stack.ss_sp = stack;
  context.uc_stack.ss_size = kStackBytes;
  context.uc_link = nullptr;
  makecontext(&context, fiber_main, 0);
}

ON_HOST_UNSEEN inline void enter_fiber(Block& b, Fiber& f, char* stack) {
  b.running = &f;
#if defined(__SANITIZE_THREAD__)
  __tsan_switch_to_fiber(f.seen_as, __tsan_switch_to_fiber_no_sync);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&b.scheduler_fake_stack, stack, kStackBytes);
#endif
  (void)stack;
  go_on(b, f);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(b.scheduler_fake_stack, nullptr, nullptr);
#endif
}

ON_HOST_UNSEEN inline void syncthreads() {
  Block& b = block();
  char* const token = &b.barrier[b.running->arrivals & 1];
  release(token);
  const unsigned goal = ++b.running->arrivals * static_cast<unsigned>(b.fibers.size());
  ++b.arrived;
  while (b.arrived < goal) leave_fiber(false);
  acquire(token);
}

// All 32 lanes give a value and take the one of lane `from`; two slots, so one wait is enough.
template <typename T>
ON_HOST_UNSEEN T shuffle(T value, unsigned from) {
  static_assert(sizeof(T) <= 16, "shuffled type too large");
  Block& b = block();
  Fiber& f = *b.running;
  Warp& w = b.warps[f.flat / 32];
  const unsigned lanes =
      std::min<unsigned>(32, static_cast<unsigned>(b.fibers.size()) - f.flat / 32 * 32);
  auto& slots = w.slots[f.exchanges & 1];
  *reinterpret_cast<T*>(slots[f.flat % 32]) = value;
  release(&slots);
  const unsigned goal = ++f.exchanges * lanes;
  ++w.arrived;
  while (w.arrived < goal) leave_fiber(false);
  acquire(&slots);
  return from < lanes ? *reinterpret_cast<const T*>(slots[from]) : value;
}

struct Options {
  uint64_t shuffle_seed = 0;  // 0: threads and blocks in their natural order
  bool late_copies = false;   // asynchronous copies land when waited for, not when issued
};
inline Options& options() {
  static Options o;
  return o;
}

ON_HOST_UNSEEN inline void run_block(Block& b, std::mt19937_64& random) {
  const unsigned n = b.threads.x * b.threads.y * b.threads.z;
  b.fibers = std::vector<Fiber>(n);
  b.warps.assign((n + 31) / 32, Warp());
  b.arrived = 0;
  current_block() = &b;
#if defined(__SANITIZE_THREAD__)
  b.seen_as = __tsan_get_current_fiber();
#endif
  release(&b);
  std::vector<unsigned> order(n);
  std::iota(order.begin(), order.end(), 0u);
  for (unsigned i = 0; i < n; ++i) {
    Fiber& f = b.fibers[i];
    f.flat = i;
    f.index = dim3(i % b.threads.x, i / b.threads.x % b.threads.y, i / b.threads.x / b.threads.y);
    prepare_fiber(f, stack_of(i));
#if defined(__SANITIZE_THREAD__)
    static std::vector<void*> seen;  // costly to make, so kept for all blocks
    while (seen.size() <= i) seen.push_back(__tsan_create_fiber(0));
    f.seen_as = seen[i];
#endif
  }
  auto progress = [&] {
    uint64_t total = b.arrived;
    for (const Warp& w : b.warps) total += w.arrived;
    for (const Fiber& f : b.fibers) total += f.done;
    return total;
  };
  unsigned open = n;
  while (open > 0) {
    if (options().shuffle_seed != 0) std::shuffle(order.begin(), order.end(), random);
    const uint64_t before = progress();
    for (const unsigned i : order) {
      Fiber& f = b.fibers[i];
      if (f.done) continue;
      enter_fiber(b, f, stack_of(i));
      if (f.done) --open;
    }
    if (open > 0 && progress() == before) fail("deadlock: a barrier not all threads reach");
  }
  acquire(&b);
}

template <typename Kernel, typename... Args>
void launch(Kernel kernel, dim3 grid, dim3 threads, size_t shared_bytes, const Args&... args) {
  const unsigned n = threads.x * threads.y * threads.z;
  if (n == 0 || n > 1024) fail("invalid configuration: threads per block");
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.y > 65535 || grid.z > 65535) {
    fail("invalid configuration: grid");
  }
  std::mt19937_64 random(options().shuffle_seed);
  std::vector<size_t> order(static_cast<size_t>(grid.x) * grid.y * grid.z);
  std::iota(order.begin(), order.end(), size_t{0});
  if (options().shuffle_seed != 0) std::shuffle(order.begin(), order.end(), random);
  for (const size_t i : order) {
    Block b;
    b.grid = grid;
    b.threads = threads;
    b.index = dim3(static_cast<unsigned>(i % grid.x), static_cast<unsigned>(i / grid.x % grid.y),
                   static_cast<unsigned>(i / grid.x / grid.y));
    // Its own allocation each time, filled with NaNs: overruns and unwritten reads both show.
    std::unique_ptr<void, decltype(&std::free)> shared(
        std::aligned_alloc(16, (shared_bytes + 15) / 16 * 16 + 16), &std::free);
    std::memset(shared.get(), 0xff, shared_bytes);
    b.dynamic_shared = shared.get();
    b.body = [&] { kernel(args...); };
    run_block(b, random);
  }
  current_block() = nullptr;
}

// When the stream comes to it; the parameters are copied now, as a launch does.
template <typename Kernel, typename Params>
void launch_in(cudaStream_t stream, Kernel kernel, dim3 grid, dim3 threads, size_t shared_bytes,
               const Params& params) {
  enqueue(stream, [=] { launch(kernel, grid, threads, shared_bytes, params); });
}

inline uint32_t bits_of(float v) {
  uint32_t u;
  std::memcpy(&u, &v, sizeof(u));
  return u;
}
inline float float_of(uint32_t u) {
  float v;
  std::memcpy(&v, &u, sizeof(v));
  return v;
}

}  // namespace cuda_on_host

#define threadIdx (cuda_on_host::thread_index())
#define blockIdx (cuda_on_host::block().index)
#define blockDim (cuda_on_host::block().threads)
#define gridDim (cuda_on_host::block().grid)

inline void __syncthreads() { cuda_on_host::syncthreads(); }
template <typename T>
T __shfl_down_sync(unsigned, T value, unsigned delta) {
  return cuda_on_host::shuffle(value, cuda_on_host::lane() + delta);
}
template <typename T>
T __shfl_xor_sync(unsigned, T value, unsigned mask) {
  return cuda_on_host::shuffle(value, cuda_on_host::lane() ^ mask);
}
inline int __any_sync(unsigned, int predicate) {
  int any = predicate != 0;
  for (unsigned mask = 16; mask > 0; mask >>= 1) any |= __shfl_xor_sync(0xffffffffu, any, mask);
  return any;
}
template <typename T>
ON_HOST_UNSEEN T atomicAdd(T* at, T value) {
  const T old = *at;
  *at = old + value;
  return old;
}
template <typename T>
ON_HOST_UNSEEN T atomicMin(T* at, T value) {
  const T old = *at;
  *at = value < old ? value : old;
  return old;
}

template <typename T>
T __ldcs(const T* at) {
  if (reinterpret_cast<uintptr_t>(at) % sizeof(T) != 0) cuda_on_host::fail("misaligned load");
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}
template <typename T>
void __stcs(T* at, T value) {
  if (reinterpret_cast<uintptr_t>(at) % sizeof(T) != 0) cuda_on_host::fail("misaligned store");
  std::memcpy(at, &value, sizeof(T));
}
inline void __pipeline_memcpy_async(void* to, const void* from, size_t bytes) {
  if (bytes != 4 && bytes != 8 && bytes != 16) cuda_on_host::fail("asynchronous copy: size");
  if (reinterpret_cast<uintptr_t>(to) % bytes != 0 ||
      reinterpret_cast<uintptr_t>(from) % bytes != 0) {
    cuda_on_host::fail("asynchronous copy: misaligned");
  }
  if (!cuda_on_host::options().late_copies) {
    std::memcpy(to, from, bytes);
    return;
  }
  auto& groups = cuda_on_host::fiber().copies;
  if (groups.empty()) groups.emplace_back();
  groups.back().push_back({to, from, bytes});
}
inline void __pipeline_commit() { cuda_on_host::fiber().copies.emplace_back(); }
inline void __pipeline_wait_prior(size_t newest) {
  auto& groups = cuda_on_host::fiber().copies;
  while (groups.size() > newest + 1) {
    for (const auto& copy : groups.front()) std::memcpy(copy.to, copy.from, copy.bytes);
    groups.erase(groups.begin());
  }
}

using std::isfinite;
using std::max;
using std::memcpy;
using std::min;

// 16-bit floats, rounded to nearest even.
struct __half {
  uint16_t bits;
};
struct __half2 {
  __half x, y;
};
struct __nv_bfloat16 {
  uint16_t bits;
};
struct __nv_bfloat162 {
  __nv_bfloat16 x, y;
};

inline float __bfloat162float(__nv_bfloat16 v) {
  return cuda_on_host::float_of(static_cast<uint32_t>(v.bits) << 16);
}
inline __nv_bfloat16 __float2bfloat16_rn(float v) {
  const uint32_t u = cuda_on_host::bits_of(v);
  if (std::isnan(v)) return {0x7fff};
  return {static_cast<uint16_t>((u + 0x7fffu + (u >> 16 & 1u)) >> 16)};
}
inline float __half2float(__half v) {
  const uint32_t sign = static_cast<uint32_t>(v.bits & 0x8000u) << 16;
  const uint32_t magnitude = v.bits & 0x7fffu;
  if (magnitude >= 0x7c00u)
    return cuda_on_host::float_of(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
  if (magnitude < 0x400u) {  // zero or subnormal
    const float value = std::ldexp(static_cast<float>(magnitude), -24);
    return sign != 0 ? -value : value;
  }
  return cuda_on_host::float_of(sign | ((magnitude << 13) + (112u << 23)));
}
inline __half __float2half_rn(float v) {
  const uint32_t u = cuda_on_host::bits_of(v);
  const uint16_t sign = static_cast<uint16_t>(u >> 16 & 0x8000u);
  const float a = std::fabs(v);
  if (std::isnan(v)) return {0x7fff};
  if (a >= 65520.0f) return {static_cast<uint16_t>(sign | 0x7c00u)};
  if (a < 6.103515625e-05f) {  // below the normal range: a multiple of 2^-24
    return {static_cast<uint16_t>(sign | static_cast<uint16_t>(std::nearbyint(std::ldexp(a, 24))))};
  }
  const uint32_t magnitude = (u & 0x7fffffffu) - (112u << 23);
  return {static_cast<uint16_t>(sign | ((magnitude + 0xfffu + (magnitude >> 13 & 1u)) >> 13))};
}
inline float2 __half22float2(__half2 v) { return {__half2float(v.x), __half2float(v.y)}; }
inline __half2 __floats2half2_rn(float a, float b) {
  return {__float2half_rn(a), __float2half_rn(b)};
}
inline __nv_bfloat162 __floats2bfloat162_rn(float a, float b) {
  return {__float2bfloat16_rn(a), __float2bfloat16_rn(b)};
}
