// FiberPool: runs functions on a bounded number of fibers and gives a Future for each. What waits there (sockets,
// queues, sleep) lets the loop go on, so a pool of hundreds costs one thread.
//
//   FiberPool fetchers(100);
//   for (Page page : fetchers.map(fetch, urls)) store(page);
//
// It is made inside run(), and its fibers are on the maker's loop, or on all loops of that run() when asked for.
// Functions may be submitted from any thread or fiber. As ThreadPool otherwise, which see: fibers are started as they
// are needed, a function may wait for the pool's own futures, leaving the scope waits for all that was submitted.
//
// When the run() ends, the pool is shut down and what has not begun is cancelled; what runs is cancelled as any fiber
// is, and its future then fails with Cancelled. The pool itself must not outlive that.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <hawser/task/executor.h>
#include <hawser/task/future.h>
#include <hawser/task/map.h>
#include <hawser/task/pooled_task.h>

namespace hawser {

struct FiberPoolOptions {
  // Of the fibers: "name-0", "name-1", …
  std::string name = "pool";
  // Called on each fiber before its first work. When it throws, the pool is broken.
  std::function<void()> initializer = {};
  // How much may wait in line; 0: any number.
  std::size_t max_queued = 0;
  // Fibers on every loop of this run(), in turn, and not on this one only. Work then runs wherever a fiber is free.
  bool all_loops = false;
};

class FiberPool {
 public:
  // Throws std::logic_error outside run(), std::invalid_argument when `fibers` is 0.
  explicit FiberPool(std::size_t fibers, FiberPoolOptions options = {});
  FiberPool(const FiberPool&) = delete;
  FiberPool& operator=(const FiberPool&) = delete;
  // shutdown(), come what may.
  ~FiberPool();

  // Throws ExecutorShutDown, BrokenThreadPool.
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

  // As ThreadPool::shutdown().
  void shutdown(ShutdownOptions options = {});

  // How much it does at a time.
  [[nodiscard]] std::size_t size() const noexcept { return pool_->size(); }

 private:
  std::shared_ptr<detail::WorkerPool> pool_;
};

static_assert(Executor<FiberPool>);

}  // namespace hawser
