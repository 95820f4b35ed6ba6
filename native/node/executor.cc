#include "executor.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <system_error>
#include <utility>

namespace efl::node {
namespace {

void require(napi_env env, napi_status status, const char* what) {
  if (status != napi_ok) throw Napi::Error::New(env, std::string("efl: cannot ") + what);
}

void release_references(napi_env env, Job* job) {
  // In an environment that is being torn down these fail, and the environment frees them itself.
  for (napi_ref reference : job->held) (void)napi_delete_reference(env, reference);
  if (job->callback_ref) (void)napi_delete_reference(env, job->callback_ref);
  job->held.clear();
  job->callback_ref = nullptr;
}

void take_references(napi_env env, Job* job) {
  try {
    require(env, napi_create_reference(env, job->callback, 1, &job->callback_ref),
            "hold the callback");
    for (napi_value value : job->to_hold) {
      napi_ref reference = nullptr;
      require(env, napi_create_reference(env, value, 1, &reference), "hold an array");
      job->held.push_back(reference);
    }
  } catch (...) {
    release_references(env, job);
    throw;
  }
}

}  // namespace

void Executor::start(napi_env env) {
  if (deliver_function_) return;
  outstanding_.reserve(kMaxOutstanding);
  napi_value name = nullptr;
  require(env, napi_create_string_utf8(env, "efl executor", NAPI_AUTO_LENGTH, &name),
          "make a name");
  napi_threadsafe_function function = nullptr;
  require(env,
          napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this,
                                          deliver, &function),
          "create the executor");
  // Idle, it does not keep the process alive.
  require(env, napi_unref_threadsafe_function(env, function), "detach the executor");
  try {
    thread_ = std::thread([this] { work(); });
  } catch (const std::system_error&) {
    (void)napi_release_threadsafe_function(function, napi_tsfn_abort);
    Napi::Error error = Napi::Error::New(env, "efl: the system gives no thread");
    error.Set("code", "EFL_NO_THREAD");
    throw error;
  }
  // Hooks run in reverse order: this one before the one that closes the thread-safe function.
  deliver_function_ = function;
  env_ = env;
  require(env, napi_add_env_cleanup_hook(env, on_environment_exit, this), "watch the environment");
}

void Executor::on_environment_exit(void* executor) { static_cast<Executor*>(executor)->stop(); }

void Executor::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  for (const auto& [job, owner] : outstanding_) release_references(env_, job);
  queue_.clear();
  outstanding_.clear();
  (void)napi_release_threadsafe_function(deliver_function_, napi_tsfn_abort);
}

bool Executor::has_room(napi_env env) {
  start(env);
  return outstanding_.size() < kMaxOutstanding;
}

uint32_t Executor::submit(napi_env env, std::unique_ptr<Job> job) {
  if (!has_room(env)) throw Napi::Error::New(env, "efl: too many calls are outstanding");
  take_references(env, job.get());
  const uint32_t id = job->id = next_id_++;
  Job* const borrowed = job.get();
  try {
    outstanding_.emplace(borrowed, std::move(job));
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(borrowed);
  } catch (...) {  // out of memory
    release_references(env, borrowed);
    outstanding_.erase(borrowed);
    throw;
  }
  if (outstanding_.size() == 1) (void)napi_ref_threadsafe_function(env, deliver_function_);
  wake_.notify_one();
  return id;
}

template <class Predicate>
bool Executor::cancel_where(const Predicate& chosen) {
  std::vector<Job*> cancelled;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto keep = [&](const Job* job) { return !chosen(*job); };
    const auto first = std::stable_partition(queue_.begin(), queue_.end(), keep);
    cancelled.assign(first, queue_.end());
    queue_.erase(first, queue_.end());
  }
  for (Job* job : cancelled) {
    job->report.status = EFL_CANCELLED;
    hand_back(job);
  }
  return !cancelled.empty();
}

bool Executor::cancel(uint32_t id) {
  return cancel_where([id](const Job& job) { return job.id == id; });
}

void Executor::cancel_all(const void* owner) {
  cancel_where([owner](const Job& job) { return job.owner == owner; });
}

namespace {

void compute(Job* job) {
  try {
    job->compute(&job->report);
  } catch (const std::bad_alloc&) {
    job->report.status = EFL_OUT_OF_MEMORY;
  }
}

}  // namespace

void Executor::work() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    Job* const job = queue_.front();
    queue_.pop_front();
    lock.unlock();
    compute(job);
    hand_back(job);
    lock.lock();
  }
}

void Executor::hand_back(Job* job) {
  job->done();
  // Fails only while the environment goes away; `stop` frees the job then.
  (void)napi_call_threadsafe_function(deliver_function_, job, napi_tsfn_nonblocking);
}

void Executor::deliver(napi_env env, napi_value, void* context, void* data) {
  if (!env) return;  // the environment is gone, and `stop` has freed the job
  Job* const job = static_cast<Job*>(data);
  Executor* executor = static_cast<Executor*>(context);
  std::memcpy(job->outcome, &job->report, sizeof job->report);
  napi_value callback = nullptr;
  napi_value receiver = nullptr;
  if (napi_get_reference_value(env, job->callback_ref, &callback) == napi_ok && callback &&
      napi_get_undefined(env, &receiver) == napi_ok) {
    // The callback settles a promise and does not throw; it fails only in a terminating worker.
    (void)napi_call_function(env, receiver, callback, 0, nullptr, nullptr);
  }
  release_references(env, job);
  executor->outstanding_.erase(job);
  if (executor->outstanding_.empty()) {
    (void)napi_unref_threadsafe_function(env, executor->deliver_function_);
  }
}

}  // namespace efl::node
