// The same steps with the threads of the C++ library.
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "../cores.h"
#include "../stopwatch.h"

namespace {

void spawns() {
  constexpr int kCount = 10'000;
  {
    const Stopwatch watch;
    for (int i = 0; i < kCount; ++i) std::thread([] {}).join();
    watch.report("spawn+join", "std::thread", kCount);
  }
  std::vector<std::thread> threads(1000);
  const Stopwatch watch;
  for (int i = 0; i < kCount / 1000; ++i) {
    for (auto& thread : threads) thread = std::thread([] {});
    for (auto& thread : threads) thread.join();
  }
  watch.report("spawn+join", "std::thread, 1000 at once", kCount);
}

void locks() {
  constexpr int kCount = 20'000'000;
  std::mutex mutex;
  long counted = 0;
  const Stopwatch watch;
  for (int i = 0; i < kCount; ++i) {
    const std::lock_guard hold(mutex);
    counted = counted + 1;
    asm volatile("" : "+m"(counted));
  }
  watch.report("lock+unlock", "std::mutex, uncontended", kCount);
}

// The bounded queue that textbooks build.
class Queue {
 public:
  void put(long value) {
    std::unique_lock hold(mutex_);
    room_.wait(hold, [&] { return values_.size() < 1024; });
    values_.push_back(value);
    hold.unlock();
    some_.notify_one();
  }
  long get() {
    std::unique_lock hold(mutex_);
    some_.wait(hold, [&] { return !values_.empty(); });
    const long value = values_.front();
    values_.pop_front();
    hold.unlock();
    room_.notify_one();
    return value;
  }

 private:
  std::mutex mutex_;
  std::condition_variable room_, some_;
  std::deque<long> values_;
};

void queues() {
  constexpr long kCount = 2'000'000;
  Queue queue;
  {
    const Stopwatch watch;
    for (long i = 0; i < kCount; i += 1000) {
      for (int n = 0; n < 1000; ++n) queue.put(n);
      for (int n = 0; n < 1000; ++n) queue.get();
    }
    watch.report("queue, both ends in one thread", "std::mutex and condition_variable", kCount);
  }
  pin(-1);
  const Stopwatch watch;
  std::thread producer([&] {
    for (long i = 0; i < kCount; ++i) queue.put(i);
  });
  for (long i = 0; i < kCount; ++i) queue.get();
  producer.join();
  watch.report("queue, 1 producer 1 consumer, 2 cores", "std::mutex and condition_variable", kCount);
}

void wakes() {
  constexpr int kCount = 30'000;
  std::mutex mutex;
  std::condition_variable changed;
  int turn = 0;
  const auto play = [&](int me) {
    pin(me);
    for (int i = 0; i < kCount; ++i) {
      std::unique_lock hold(mutex);
      changed.wait(hold, [&] { return turn == me; });
      turn = 1 - me;
      changed.notify_one();
    }
  };
  const Stopwatch watch;
  std::thread other(play, 1);
  play(0);
  other.join();
  watch.report("wake across threads, one way", "std::condition_variable", 2.0 * kCount);
}

void asyncs() {
  pin(-1);
  constexpr int kCount = 10'000;
  const Stopwatch watch;
  for (int i = 0; i < kCount; ++i) std::async(std::launch::async, [] {}).get();
  watch.report("offload and back", "std::async", kCount);
}

}  // namespace

int main() {
  pin(0);
  spawns();
  locks();
  queues();
  wakes();
  asyncs();
}
