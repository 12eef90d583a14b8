// ProcessPool: runs plain functions in a number of processes and gives a Future for each.
//
//   ProcessPool processes(3);
//   Future<int> f = processes.submit(power, 2, 10);
//   for (Page page : processes.map(get_page, urls)) store(page);        // <hawser/task/map.h>
//
// What can be submitted, and the compiler refuses the rest: a plain function, or a lambda that captures nothing, whose
// parameters and result are serialisable (<hawser/process/serialise.h>; a string_view crosses as the text it looks at).
// Arguments and results are copied. What the function throws is thrown by result() as RemoteError, with type and
// message.
//
// The workers are this very program, its file executed anew (<hawser/process/process.h>: afresh), so they have nothing
// of this process but what static objects make: no data of main(), no locks, no descriptors. Give them what they need
// by the initializer. They are started with the pool, and used again.
//
// A worker that dies (a signal, abort, exit, kill -9) fails the task it ran with ProcessDied, and no other: what it had
// been sent ahead is done by others, and a new worker takes its place. When the initializer throws, or workers die one
// after another (deaths_in_a_row) and nothing is done in between, or none can be started, the pool is broken: all that
// was submitted and not done fails with BrokenProcessPool, and so does submit(). When this process dies, in whatever
// way, the workers are killed.
//
// submit() waits for nothing, except with max_queued while so much is in line (only the fiber parks; DeadlineExceeded,
// Cancelled). A future can be cancelled until its task is sent to a worker, which with short tasks is some tens before
// it begins. Callbacks are called on the pool's thread: let them be short, and not wait for the pool. Leaving the scope
// waits for all that was submitted. Every call may come from any thread or fiber. In a forked child the pool has no
// workers: submit() throws std::logic_error there.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <hawser/process/pool_core.h>
#include <hawser/process/pool_task.h>
#include <hawser/process/process_pool_errors.h>
#include <hawser/task/executor.h>
#include <hawser/task/future.h>
#include <hawser/task/map.h>

namespace hawser {

// What each worker calls before its first task: {.initializer = load_tables} or {.initializer = {open_log, "a.log"}}.
class WorkerInitializer {
 public:
  WorkerInitializer() = default;
  template <class F, class... Args>
  requires(!std::same_as<std::remove_cvref_t<F>, WorkerInitializer>)
      WorkerInitializer(F function, Args&&... args)  // NOLINT(google-explicit-constructor): written in braces
      : call_(detail::make_call(detail::as_function(function), std::forward<Args>(args)...)
                  .substr(sizeof(detail::PoolTask::Length))) {}
  [[nodiscard]] const std::string& call() const noexcept { return call_; }

 private:
  std::string call_;
};

struct ProcessPoolOptions {
  // Of the workers: "name-0", "name-1", …
  std::string name = "pool";
  WorkerInitializer initializer = {};
  // After so many a worker is replaced by a new one; 0: never.
  std::uint64_t max_tasks_per_worker = 0;
  // How much may wait in line; 0: any number.
  std::size_t max_queued = 0;
  // The most bytes that the arguments of a call, or its result, may take. The message of what a function throws is cut
  // to that, or to 64 KiB where the limit is less.
  std::uint32_t limit = std::uint32_t{256} << 20;
  // So many deaths with nothing done in between break the pool.
  std::size_t deaths_in_a_row = 10;
};

class ProcessPool {
 public:
  // 0: as many as there are processors. Throws SystemError.
  explicit ProcessPool(std::size_t workers = 0, ProcessPoolOptions options = {});
  ProcessPool(const ProcessPool&) = delete;
  ProcessPool& operator=(const ProcessPool&) = delete;
  // shutdown(), come what may.
  ~ProcessPool();

  // Throws ExecutorShutDown, BrokenProcessPool, std::length_error, SerialiseError.
  template <class F, class... Args>
  auto submit(const F& function, Args&&... args) {
    auto task = detail::task_for(detail::as_function(function));
    task->message = detail::make_call(detail::as_function(function), std::forward<Args>(args)...);
    return submit_task(std::move(task));
  }

  // function(a, b, …) for each of the ranges' elements, in order; see <hawser/task/map.h>.
  template <class F, class... Ranges>
  [[nodiscard]] auto map(const F& function, Ranges&&... ranges) {
    return map_over(*this, MapOptions{}, detail::as_function(function), std::forward<Ranges>(ranges)...);
  }
  template <class F, class... Ranges>
  [[nodiscard]] auto map(const MapOptions& options, const F& function, Ranges&&... ranges) {
    return map_over(*this, options, detail::as_function(function), std::forward<Ranges>(ranges)...);
  }

  // From now on submit() throws; may be called again. Throws std::logic_error in a callback of the pool, unless it need
  // not wait; DeadlineExceeded and Cancelled, and the pool is shut down nevertheless.
  void shutdown(ShutdownOptions options = {}) { core_->shutdown(options); }

  // How many workers it has.
  [[nodiscard]] std::size_t size() const noexcept { return core_->size(); }
  // The processes that are ready for tasks at this moment.
  [[nodiscard]] std::vector<pid_t> worker_pids() const { return core_->pids(); }

  // For map(): one call for several elements.
  template <class Result, class R, class... P, class... Args>
  Future<detail::MapChunk<Result>> submit_chunk(R (*function)(P...), std::vector<std::tuple<Args...>> elements) {
    detail::must_cross(function);
    auto task = std::make_unique<detail::ChunkTask<Result>>();
    std::vector<std::tuple<detail::KeptAs<P>...>> kept(std::make_move_iterator(elements.begin()),
                                                       std::make_move_iterator(elements.end()));
    task->message = detail::write_call(&detail::run_chunk<R, P...>, detail::CodeAddress::of(function), kept);
    return submit_task(std::move(task));
  }

 private:
  template <class Task>
  auto submit_task(std::unique_ptr<Task> typed) {
    auto future = typed->promise.future();
    std::unique_ptr<detail::PoolTask> task = std::move(typed);
    try {
      core_->submit(task);
    } catch (...) {
      if (task) task->cancel();  // not an error that nobody asked for
      throw;
    }
    return future;
  }

  std::unique_ptr<detail::PoolCore> core_;
};

static_assert(Executor<ProcessPool>);

}  // namespace hawser
