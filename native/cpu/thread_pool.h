// The threads of the CPU backend.
//
// One pool for the process, shared by all its environments. Helper threads are started when first
// wanted and park between calls. The pool is never destroyed: a static destructor would wait at
// process exit for threads that wait for work, and a parked thread holds up neither exit nor the
// termination of a worker.
#pragma once

#include <cstdint>

namespace efl::cpu {

// How many threads so many elements, or work like theirs, keep busy. Waking a helper costs some
// 25 us: with less than that for each, fewer threads are done sooner.
inline int32_t useful_threads(int32_t threads, int64_t elements) {
  constexpr int64_t kElementsWorthAThread = 32 * 1024;
  const int64_t useful = elements / kElementsWorthAThread;
  return useful < threads ? static_cast<int32_t>(useful < 1 ? 1 : useful) : threads;
}

// Runs task(context, 0) ... task(context, count - 1), each once, on the calling thread and at most
// threads - 1 helpers, all with the arithmetic of the calling thread; returns when all are done.
// The task must not throw. A call that finds the pool in use by another thread does all the work
// itself, and where the system has no more threads or memory, those there are do it. Never throws.
void parallel_for(int32_t threads, int64_t count, void (*task)(void* context, int64_t index),
                  void* context);

// The same for whatever can be called with an index. It is only borrowed: nothing is allocated.
template <class Task>
void parallel_for(int32_t threads, int64_t count, const Task& task) {
  const auto run = [](void* context, int64_t index) {
    (*static_cast<const Task*>(context))(index);
  };
  parallel_for(threads, count, run, const_cast<Task*>(&task));
}

// How often a helper has been woken so far, by all calls together.
int64_t wake_ups();

}  // namespace efl::cpu
