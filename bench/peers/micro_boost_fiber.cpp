// The same steps with Boost.Fiber.
#include <boost/fiber/all.hpp>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "../cores.h"
#include "../stopwatch.h"

namespace fibers = boost::fibers;

namespace {

void yields(int count, const char* what) {
  const long each = 5'000'000 / count;
  std::vector<fibers::fiber> running;
  running.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    running.emplace_back([each] {
      for (long n = 0; n < each; ++n) boost::this_fiber::yield();
    });
  const Stopwatch watch;
  for (auto& fiber : running) fiber.join();
  watch.report("switch", what, each * count);
}

void spawns() {
  constexpr int kCount = 300'000;
  fibers::pooled_fixedsize_stack stacks(64 * 1024);
  const auto spawn = [&] { return fibers::fiber(std::allocator_arg, stacks, [] {}); };
  {
    const Stopwatch watch;
    for (int i = 0; i < kCount; ++i) spawn().join();
    watch.report("spawn+join", "Boost.Fiber, pooled stacks", kCount);
  }
  std::vector<fibers::fiber> running(1000);
  const Stopwatch watch;
  for (int i = 0; i < kCount / 1000; ++i) {
    for (auto& fiber : running) fiber = spawn();
    for (auto& fiber : running) fiber.join();
  }
  watch.report("spawn+join", "Boost.Fiber, pooled stacks, 1000 at once", kCount);
}

void locks() {
  constexpr int kCount = 20'000'000;
  fibers::mutex mutex;
  const Stopwatch watch;
  for (int i = 0; i < kCount; ++i) {
    const std::lock_guard hold(mutex);
    asm volatile("" ::: "memory");
  }
  watch.report("lock+unlock", "Boost.Fiber mutex, uncontended", kCount);
}

template <class Channel>
void one_way(const char* group, const char* what, Channel& channel, long count) {
  const Stopwatch watch;
  fibers::fiber producer([&] {
    for (long i = 0; i < count; ++i) channel.push(i);
  });
  for (long i = 0; i < count; ++i) channel.value_pop();
  producer.join();
  watch.report(group, what, count);
}

void channels() {
  constexpr long kCount = 2'000'000;
  fibers::buffered_channel<long> buffered(1024);
  one_way("queue, both ends in one thread", "Boost.Fiber buffered_channel, two fibers", buffered, kCount);
  fibers::unbuffered_channel<long> unbuffered;
  one_way("channel without room, both ends in one thread", "Boost.Fiber unbuffered_channel", unbuffered, kCount);
}

void across() {
  pin(-1);
  {
    constexpr long kCount = 2'000'000;
    fibers::buffered_channel<long> channel(1024);
    const Stopwatch watch;
    std::thread producer([&] {
      for (long i = 0; i < kCount; ++i) channel.push(i);
    });
    for (long i = 0; i < kCount; ++i) channel.value_pop();
    producer.join();
    watch.report("queue, 1 producer 1 consumer, 2 cores", "Boost.Fiber buffered_channel", kCount);
  }
  constexpr int kCount = 20'000;
  fibers::buffered_channel<int> there(2), back(2);
  std::thread other([&] {
    pin(1);
    for (int i = 0; i < kCount; ++i) back.push(there.value_pop());
  });
  pin(0);
  const Stopwatch watch;
  for (int i = 0; i < kCount; ++i) {
    there.push(i);
    back.value_pop();
  }
  watch.report("wake across threads, one way", "Boost.Fiber buffered_channel", 2.0 * kCount);
  other.join();
}

}  // namespace

int main() {
  pin(0);
  yields(2, "Boost.Fiber yield, 2 fibers");
  yields(1000, "Boost.Fiber yield, 1000 fibers");
  spawns();
  locks();
  channels();
  across();
}
