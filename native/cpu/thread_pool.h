// The threads of the CPU backend.
//
// One pool for the process, shared by all its environments. Helper threads are started when first
// wanted and park between calls. The pool is never destroyed: a static destructor would wait at
// process exit for threads that wait for work, and a parked thread holds up neither exit nor the
// termination of a worker.
#pragma once

#include <cstdint>
#include <functional>

namespace efl::cpu {

// Runs task(0) ... task(count - 1), each once, on the calling thread and at most threads - 1
// helpers; returns when all are done. The task must not throw. A call that finds the pool in use by
// another thread does all the work itself.
void parallel_for(int32_t threads, int64_t count, const std::function<void(int64_t)>& task);

}  // namespace efl::cpu
