// Runs asynchronous calls, one after another, on a thread of their own.
//
// Each environment (the main thread, each worker) has one executor. It does not use libuv's pool,
// whose four threads also serve files and name look-ups. Order is the order of submission, which is
// what makes the state of a criterion follow the order of the calls.
//
// Everything but the computation happens on the environment's JavaScript thread. The thread is
// stopped and joined in an environment cleanup hook, so nothing of ours outlives a terminated
// worker.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "../core/report.h"
#include "napi_setup.h"

namespace efl::node {

struct Job {
  uint32_t id = 0;
  const void* owner = nullptr;               // whose calls `cancel_all` cancels
  std::function<void(efl_report*)> compute;  // on the executor's thread; may throw bad_alloc
  std::function<void()> done;                // after compute or cancellation, any thread
  std::vector<napi_value> to_hold;           // arrays that must live as long as the job
  napi_value callback = nullptr;             // called without arguments when all is done
  double* outcome = nullptr;                 // where the report goes, kReportSlots numbers
  std::shared_ptr<void> kept;                // freed on the JavaScript thread

  // Filled by the executor.
  std::vector<napi_ref> held;
  napi_ref callback_ref = nullptr;
  efl_report report{};
};

class Executor {
 public:
  static constexpr uint32_t kMaxOutstanding = 1024;

  Executor() = default;
  ~Executor() { stop(); }
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Whether one more call may be submitted. Starts the thread, so that a system that gives none is
  // known before a call takes anything over; that throws an error with the code EFL_NO_THREAD.
  bool has_room(napi_env env);

  // Returns the number under which the call can be cancelled. Only with room.
  uint32_t submit(napi_env env, std::unique_ptr<Job> job);

  // Cancel what has not started: one call, or all of one owner.
  bool cancel(uint32_t id);
  void cancel_all(const void* owner);

 private:
  void start(napi_env env);
  void stop();
  void work();
  template <class Predicate>
  bool cancel_where(const Predicate& chosen);
  // Gives a job that has been computed or cancelled back to the JavaScript thread.
  void hand_back(Job* job);
  static void deliver(napi_env env, napi_value, void* context, void* data);
  static void on_environment_exit(void* executor);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job*> queue_;
  bool stopping_ = false;
  std::thread thread_;

  // JavaScript thread only.
  napi_env env_ = nullptr;
  napi_threadsafe_function deliver_function_ = nullptr;
  // Every outstanding job. The queue and the thread-safe function only borrow them, so that
  // whatever the environment's end finds under way is freed in one place.
  std::unordered_map<Job*, std::unique_ptr<Job>> outstanding_;
  uint32_t next_id_ = 1;
};

}  // namespace efl::node
