// PoolExecutor: what ThreadPool and FiberPool do alike: they take functions, give a Future for each, and are shut down.
// What their workers are, and what waiting means there, is told in thread_pool.h and fiber_pool.h.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include <hawser/task/executor.h>
#include <hawser/task/future.h>
#include <hawser/task/map.h>
#include <hawser/task/pooled_task.h>
#include <hawser/task/worker_pool.h>

namespace hawser {

class PoolExecutor {
 public:
  PoolExecutor(const PoolExecutor&) = delete;
  PoolExecutor& operator=(const PoolExecutor&) = delete;

  // Throws ExecutorShutDown, BrokenThreadPool; SystemError when not a single worker could be started.
  template <class F, class... Args>
  auto submit(F&& function, Args&&... args) {
    return detail::submit_to(*pool_, std::forward<F>(function), std::forward<Args>(args)...);
  }

  // function(a, b, …) for each of the ranges' elements, in order; see map.h.
  template <class F, class... Ranges>
  [[nodiscard]] auto map(F function, Ranges&&... ranges) {
    return map_over(*this, MapOptions{}, std::move(function), std::forward<Ranges>(ranges)...);
  }
  template <class F, class... Ranges>
  [[nodiscard]] auto map(const MapOptions& options, F function, Ranges&&... ranges) {
    return map_over(*this, options, std::move(function), std::forward<Ranges>(ranges)...);
  }

  // From now on submit() throws; may be called again. Throws std::logic_error in a function that runs in the pool,
  // unless it need not wait; DeadlineExceeded and Cancelled, and the pool is shut down nevertheless.
  void shutdown(ShutdownOptions options = {}) { pool_->shutdown(options); }

  // How much it does at a time.
  [[nodiscard]] std::size_t size() const noexcept { return pool_->size(); }

 protected:
  explicit PoolExecutor(std::shared_ptr<detail::WorkerPool> pool) noexcept : pool_(std::move(pool)) {}
  // shutdown(), come what may.
  ~PoolExecutor() { pool_->finish(); }

 private:
  std::shared_ptr<detail::WorkerPool> pool_;
};

}  // namespace hawser
