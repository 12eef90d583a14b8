// ThreadPool: runs functions on a number of threads and gives a Future for each.
//
//   ThreadPool threads(5);
//   Future<int> f = threads.submit(power, 2, 10);
//   for (Page page : threads.map(fetch, urls)) store(page);        // map.h
//
// Threads are started as they are needed and used again. submit() waits for nothing, except with max_queued while so
// much is in line: then it waits as a Queue does (only the fiber parks; DeadlineExceeded, Cancelled). Functions and
// arguments are copied or moved into the work; what a function throws is thrown by result(). Work begins in the order
// of submission.
//
// A function that runs in the pool may wait for the pool's own futures: one that has not begun is then done right
// there, and when all threads wait, one more works for as long as it takes. It never waits for room in its own pool.
// What it waits for by other means (a lock, an Event that other work of the same pool is to set) is beyond the pool's
// sight.
//
// Leaving the scope waits for all that was submitted. Every call may come from any thread or fiber. In a forked child
// the pool has no threads: submit() throws std::logic_error there.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include <hawser/task/executor.h>
#include <hawser/task/pool_executor.h>

namespace hawser {

struct ThreadPoolOptions {
  // Of the threads: "name-0", "name-1", …
  std::string name = "pool";
  // Called on each thread before its first work. When it throws, the pool is broken.
  std::function<void()> initializer = {};
  // How much may wait in line; 0: any number.
  std::size_t max_queued = 0;
};

// submit(), map(), shutdown(), size(): pool_executor.h.
class ThreadPool : public PoolExecutor {
 public:
  // 0: as many as there are processors. Throws std::bad_alloc.
  explicit ThreadPool(std::size_t threads = 0, ThreadPoolOptions options = {});
};

static_assert(Executor<ThreadPool>);

}  // namespace hawser
