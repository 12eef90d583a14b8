// Other people's pools of two threads, at the same two steps.
#include <utility>  // before Asio 1.74, which forgets it

#if __has_include(<asio/thread_pool.hpp>)
#include <asio/post.hpp>
#include <asio/thread_pool.hpp>
#define HAWSER_HAS_ASIO
#endif

#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <future>
#include <memory>
#include <vector>

#include "../cores.h"
#include "../stopwatch.h"

namespace {

constexpr const char* kOne = "pool, one task and its result";
constexpr const char* kMany = "pool, each of 1000 tasks at once";
constexpr int kBatch = 1000;

template <class Round>
void batches(const char* what, long full, Round&& round) {
  const long rounds = steps(full);
  round();
  const Stopwatch watch;
  for (long i = 0; i < rounds; ++i) round();
  watch.report(kMany, what, rounds * kBatch);
}

// submit() gives a std::future<int>.
template <class Submit>
void measure(const char* what, long full, Submit&& submit) {
  {
    const long count = steps(full);
    const Stopwatch watch;
    for (long i = 0; i < count; ++i) submit().get();
    watch.report(kOne, what, count);
  }
  std::vector<std::future<int>> futures;
  futures.reserve(kBatch);
  batches(what, full / 200, [&] {
    futures.clear();
    for (int i = 0; i < kBatch; ++i) futures.push_back(submit());
    for (auto& future : futures) future.get();
  });
}

void of_asio() {
#if defined(HAWSER_HAS_ASIO)
  asio::thread_pool pool(2);
  measure("asio::thread_pool", 50'000, [&] {
    std::packaged_task<int()> task([] { return 1; });
    auto future = task.get_future();
    asio::post(pool, std::move(task));
    return future;
  });
#endif
}

void of_tbb() {
  tbb::task_arena arena(2);
  measure("tbb::task_arena, enqueue", 50'000, [&] {
    auto task = std::make_shared<std::packaged_task<int()>>([] { return 1; });
    arena.enqueue([task] { (*task)(); });
    return task->get_future();
  });
  // The waiting thread does most of it itself, and there is no result: what a task can cost at least.
  arena.execute([] {
    tbb::task_group group;
    batches("tbb::task_group, no results (limit)", 500, [&] {
      for (int i = 0; i < kBatch; ++i) group.run([] {});
      group.wait();
    });
  });
}

}  // namespace

int main() {
  pin(-1);
  of_asio();
  of_tbb();
  measure("std::async", 4'000, [] { return std::async(std::launch::async, [] { return 1; }); });
}
