// Queues between threads: oneTBB and moodycamel, where installed.
#include <thread>

#include "../cores.h"
#include "../stopwatch.h"

#if __has_include(<oneapi/tbb/concurrent_queue.h>)
#include <oneapi/tbb/concurrent_queue.h>
#define HAS_TBB 1
#endif
#if __has_include(<concurrentqueue/moodycamel/blockingconcurrentqueue.h>)
#include <concurrentqueue/moodycamel/blockingconcurrentqueue.h>
#define HAS_MOODYCAMEL 1
#elif __has_include(<concurrentqueue/blockingconcurrentqueue.h>)
#include <concurrentqueue/blockingconcurrentqueue.h>
#define HAS_MOODYCAMEL 1
#endif

namespace {

template <class Put, class Get>
[[maybe_unused]] void measure(const char* what, Put&& put, Get&& get) {
  constexpr long kCount = 2'000'000;
  pin(0);
  {
    const Stopwatch watch;
    for (long i = 0; i < kCount; i += 1000) {
      for (int n = 0; n < 1000; ++n) put(n);
      for (int n = 0; n < 1000; ++n) get();
    }
    watch.report("queue, both ends in one thread", what, kCount);
  }
  pin(-1);
  const Stopwatch watch;
  std::thread producer([&] {
    for (long i = 0; i < kCount; ++i) put(i);
  });
  for (long i = 0; i < kCount; ++i) get();
  producer.join();
  watch.report("queue, 1 producer 1 consumer, 2 cores", what, kCount);
}

}  // namespace

int main() {
#ifdef HAS_TBB
  tbb::concurrent_bounded_queue<long> bounded;
  bounded.set_capacity(1024);
  measure(
      "tbb::concurrent_bounded_queue", [&](long value) { bounded.push(value); },
      [&] {
        long value = 0;
        bounded.pop(value);
        return value;
      });
#endif
#ifdef HAS_MOODYCAMEL
  moodycamel::BlockingConcurrentQueue<long> unbounded;
  measure(
      "moodycamel::BlockingConcurrentQueue (unbounded)", [&](long value) { unbounded.enqueue(value); },
      [&] {
        long value = 0;
        unbounded.wait_dequeue(value);
        return value;
      });
#endif
}
