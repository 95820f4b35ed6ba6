#include "thread_pool.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#include "flush_subnormals.h"

namespace efl::cpu {
namespace {

class ThreadPool {
 public:
  void run(int32_t helpers_wanted, int64_t count, const std::function<void(int64_t)>& task) {
    const int32_t helpers = start_helpers(helpers_wanted);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      task_ = &task;
      count_ = count;
      next_.store(0, std::memory_order_relaxed);
      wanted_ = helpers;
      working_ = 0;
    }
    wake_.notify_all();
    work();
    // Helpers that have not woken by now are not wanted any more; those at work are waited for.
    std::unique_lock<std::mutex> lock(mutex_);
    wanted_ = 0;
    idle_.wait(lock, [this] { return working_ == 0; });
    task_ = nullptr;
  }

  // Held by the one call that uses the helpers.
  std::mutex in_use;

 private:
  int32_t start_helpers(int32_t wanted) {
    while (started_ < wanted) {
      try {
        std::thread([this] { helper(); }).detach();
      } catch (const std::system_error&) {
        break;  // the system has no more threads: go on with those there are
      }
      ++started_;
    }
    return started_ < wanted ? started_ : wanted;
  }

  void helper() {
    const FlushSubnormals flush;  // as on the thread that calls
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return wanted_ > 0; });
      --wanted_;
      ++working_;
      lock.unlock();
      work();
      lock.lock();
      if (--working_ == 0) idle_.notify_one();
    }
  }

  void work() {
    for (int64_t i = next_.fetch_add(1); i < count_; i = next_.fetch_add(1)) (*task_)(i);
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  const std::function<void(int64_t)>* task_ = nullptr;
  int64_t count_ = 0;
  std::atomic<int64_t> next_{0};
  int32_t started_ = 0;
  int32_t wanted_ = 0;   // helpers that the current call still wants to wake
  int32_t working_ = 0;  // helpers at work on it
};

ThreadPool& pool() {
  static ThreadPool* const instance = new ThreadPool;  // never destroyed, see thread_pool.h
  return *instance;
}

}  // namespace

void parallel_for(int32_t threads, int64_t count, const std::function<void(int64_t)>& task) {
  const int64_t helpers = (threads < count ? threads : count) - 1;
  if (helpers > 0) {
    const std::unique_lock<std::mutex> lock(pool().in_use, std::try_to_lock);
    if (lock.owns_lock()) return pool().run(static_cast<int32_t>(helpers), count, task);
  }
  for (int64_t i = 0; i < count; ++i) task(i);
}

}  // namespace efl::cpu
