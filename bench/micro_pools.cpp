// Pools of two threads: one task there and its result back, and what each of 1000 tasks costs that are submitted
// together.
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/task/fiber_pool.h>
#include <hawser/task/thread_pool.h>

#include "cores.h"
#include "micro.h"
#include "stopwatch.h"

using namespace hawser;

namespace {

constexpr const char* kOne = "pool, one task and its result";
constexpr const char* kMany = "pool, each of 1000 tasks at once";

template <class Pool>
void measure(const char* what, Pool& pool, long full) {
  {
    const long count = steps(full);
    const Stopwatch watch;
    for (long i = 0; i < count; ++i) pool.submit([] { return 1; }).result();
    watch.report(kOne, what, count);
  }
  constexpr int kBatch = 1000;
  std::vector<Future<int>> futures;
  futures.reserve(kBatch);
  const auto round = [&] {
    futures.clear();
    for (int i = 0; i < kBatch; ++i) futures.push_back(pool.submit([] { return 1; }));
    for (const Future<int>& future : futures) future.result();
  };
  round();
  const long rounds = steps(full / 20);
  const Stopwatch watch;
  for (long i = 0; i < rounds; ++i) round();
  watch.report(kMany, what, rounds * kBatch);
}

}  // namespace

void measure_pools() {
  pin(-1);
  {
    ThreadPool threads(2);
    measure("hawser ThreadPool", threads, 50'000);
  }
  run([] {
    FiberPool fibers(2);
    measure("hawser FiberPool", fibers, 50'000);
  });
}
