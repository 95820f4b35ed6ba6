// Bytes that asynchronous calls hold, of one environment and of all in this process: calls are made
// faster than they are computed, and each has a copy of its arrays.
#pragma once

#include <atomic>
#include <cstdint>

namespace efl::node {

// Used on the JavaScript thread of its environment only, but for the sum over all of them.
class HeldMemory {
 public:
  HeldMemory() = default;
  ~HeldMemory() { in_process_ -= held_; }
  HeldMemory(const HeldMemory&) = delete;
  HeldMemory& operator=(const HeldMemory&) = delete;

  // False beyond the limit; but a call that is alone in its environment is always taken, since
  // there would be nothing to wait for.
  bool reserve(int64_t bytes) {
    const int64_t before = in_process_.fetch_add(bytes);
    if (calls_ > 0 && before + bytes > limit) {
      in_process_ -= bytes;
      return false;
    }
    held_ += bytes;
    ++calls_;
    return true;
  }
  void release(int64_t bytes) {
    in_process_ -= bytes;
    held_ -= bytes;
    --calls_;
  }
  static int64_t in_process() { return in_process_; }

  int64_t limit = INT64_MAX;

 private:
  static inline std::atomic<int64_t> in_process_{0};
  int64_t held_ = 0;
  int64_t calls_ = 0;
};

}  // namespace efl::node
