#include "thread_pool.h"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "flush_subnormals.h"
#include "pin_library.h"

namespace efl::cpu {
namespace {

// Where one helper parks.
class Parking {
 public:
  void wake() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      called_ = true;
    }
    condition_.notify_one();
  }

  void wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    condition_.wait(lock, [this] { return called_; });
    called_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool called_ = false;
};

class ThreadPool {
 public:
  void run(int32_t helpers_wanted, int64_t count, void (*task)(void*, int64_t), void* context) {
    const int32_t helpers = start_helpers(helpers_wanted);
    task_ = task;
    context_ = context;
    count_ = count;
    arithmetic_ = Arithmetic::control();
    next_.store(0, std::memory_order_relaxed);
    state_.store(static_cast<uint64_t>(helpers) << kWantedShift, std::memory_order_release);
    wake_children(0, helpers);
    work();
    // Helpers that have not woken by now are not wanted any more; those at work are waited for.
    if (state_.fetch_and(kWorking, std::memory_order_acq_rel) & kWorking) {
      std::unique_lock<std::mutex> lock(mutex_);
      idle_.wait(lock, [this] { return state_.load(std::memory_order_acquire) == 0; });
    }
  }

  int64_t wake_ups() const { return wake_ups_.load(std::memory_order_relaxed); }

  // Held by the one call that uses the helpers.
  std::mutex in_use;

 private:
  // Those who are awake wake others, each so many: the caller need not wake all before it works.
  static constexpr int32_t kChildren = 4;
  static constexpr uint32_t kWantedShift = 32;
  static constexpr uint64_t kWorking = (uint64_t{1} << kWantedShift) - 1;

  int32_t start_helpers(int32_t wanted) {
    try {
      while (static_cast<int32_t>(parkings_.size()) < wanted) start_helper();
    } catch (const std::exception&) {
      // The system has no more threads, or no memory for one: go on with those there are.
    }
    const auto started = static_cast<int32_t>(parkings_.size());
    return started < wanted ? started : wanted;
  }

  void start_helper() {
    if (parkings_.empty()) pin_library();
    auto parking = std::make_unique<Parking>();
    const auto number = static_cast<int32_t>(parkings_.size()) + 1;
    parkings_.emplace_back();  // first: a thread that runs cannot be taken back
    try {
      std::thread([this, number, at = parking.get()] { helper(number, at); }).detach();
    } catch (...) {
      parkings_.pop_back();
      throw;
    }
    parkings_.back() = std::move(parking);
  }

  // Helpers are numbered from 1 on; 0 is the caller.
  void helper(int32_t number, Parking* parking) {
    for (;;) {
      parking->wait();
      const int32_t wanted = join(number);
      if (wanted == 0) continue;
      wake_children(number, wanted);
      work_like_the_caller();
      leave();
    }
  }

  // How many helpers the present call wants, or 0 where this is not one of them. What the call is
  // made of stays as it is until all who have joined have left.
  int32_t join(int32_t number) {
    uint64_t state = state_.load(std::memory_order_relaxed);
    for (;;) {
      const auto wanted = static_cast<int32_t>(state >> kWantedShift);
      if (number > wanted) return 0;
      if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel)) return wanted;
    }
  }

  void leave() {
    if (state_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    // The lock: the caller may just be on its way from a look at the state to its sleep.
    const std::lock_guard<std::mutex> lock(mutex_);
    idle_.notify_one();
  }

  void wake_children(int32_t number, int32_t wanted) {
    const int64_t first = int64_t{number} * kChildren + 1;
    for (int64_t child = first; child < first + kChildren && child <= wanted; ++child) {
      // What is left may be less than it takes to wake up.
      if (next_.load(std::memory_order_relaxed) >= count_) return;
      wake_ups_.fetch_add(1, std::memory_order_relaxed);
      parkings_[static_cast<std::size_t>(child - 1)]->wake();
    }
  }

  // A result may not depend on who has computed which part of it. What a thread starts with does
  // not say: on some systems it is the arithmetic of the thread that started it.
  void work_like_the_caller() {
    const Arithmetic of_caller(arithmetic_);
    work();
  }

  void work() {
    for (int64_t i = next_.fetch_add(1); i < count_; i = next_.fetch_add(1)) task_(context_, i);
  }

  std::vector<std::unique_ptr<Parking>> parkings_;
  void (*task_)(void*, int64_t) = nullptr;
  void* context_ = nullptr;
  int64_t count_ = 0;
  Arithmetic::Control arithmetic_{};
  std::atomic<int64_t> next_{0};
  // Above, how many helpers the present call wants: 0 when there is none. Below, how many have
  // joined it and not left.
  std::atomic<uint64_t> state_{0};
  std::atomic<int64_t> wake_ups_{0};
  std::mutex mutex_;
  std::condition_variable idle_;  // nobody works
};

ThreadPool& pool() {
  // Never destroyed, see thread_pool.h. In memory that is there already: a call that finds no more
  // can still do all the work itself.
  alignas(ThreadPool) static std::byte memory[sizeof(ThreadPool)];
  static ThreadPool* const instance = new (memory) ThreadPool;
  return *instance;
}

}  // namespace

void parallel_for(int32_t threads, int64_t count, void (*task)(void*, int64_t), void* context) {
  const int64_t helpers = (threads < count ? threads : count) - 1;
  if (helpers > 0) {
    const std::unique_lock<std::mutex> lock(pool().in_use, std::try_to_lock);
    if (lock.owns_lock()) return pool().run(static_cast<int32_t>(helpers), count, task, context);
  }
  for (int64_t i = 0; i < count; ++i) task(context, i);
}

int64_t wake_ups() { return pool().wake_ups(); }

}  // namespace efl::cpu
