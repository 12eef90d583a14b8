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
#include <string>

#include <hawser/task/executor.h>
#include <hawser/task/pool_executor.h>

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

// submit(), map(), shutdown(), size(): pool_executor.h.
class FiberPool : public PoolExecutor {
 public:
  // Throws std::logic_error outside run(), std::invalid_argument when `fibers` is 0.
  explicit FiberPool(std::size_t fibers, FiberPoolOptions options = {});
};

static_assert(Executor<FiberPool>);

}  // namespace hawser
