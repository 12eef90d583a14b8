// A function run by a pool of processes: what the way there and back costs, alone and among many.
#include <cstdlib>
#include <string>
#include <vector>

#include <hawser/process/process_pool.h>

#include "micro.h"
#include "stopwatch.h"

using namespace hawser;

namespace {

int itself(int number) { return number; }
Bytes there_and_back(const Bytes& bytes) { return bytes; }

}  // namespace

void measure_process_pool() {
  constexpr int kBatch = 1000;
  ProcessPool pool(2);
  for (int i = 0; i < 100; ++i) static_cast<void>(pool.submit(itself, i).result());
  {
    const long count = steps(20'000);
    const Stopwatch watch;
    for (long i = 0; i < count; ++i)
      if (pool.submit(itself, 7).result() != 7) std::abort();
    watch.report("process pool, one task and its result", "hawser ProcessPool(2)", count);
  }
  {
    const long batches = steps(200);
    std::vector<Future<int>> futures;
    const Stopwatch watch;
    for (long batch = 0; batch < batches; ++batch) {
      for (int i = 0; i < kBatch; ++i) futures.push_back(pool.submit(itself, i));
      for (const auto& future : futures) static_cast<void>(future.result());
      futures.clear();
    }
    watch.report("process pool, each of 1000 tasks at once", "hawser ProcessPool(2)", batches * kBatch);
  }
  {
    const long count = steps(300);
    const Bytes mebibyte{std::string(std::size_t{1} << 20, 'x')};
    const Stopwatch watch;
    for (long i = 0; i < count; ++i)
      if (pool.submit(there_and_back, mebibyte).result().size() != mebibyte.size()) std::abort();
    watch.report("process pool, 1 MiB there and back", "hawser ProcessPool(2)", count);
  }
}
