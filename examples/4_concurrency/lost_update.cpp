// Fibers and a thread add to one number: without a lock updates get lost, with one none does.
#include <cstdio>
#include <mutex>
#include <thread>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task_group.h>
#include <hawser/sync/lock.h>

using namespace hawser;

namespace {

constexpr int kTimes = 10'000;

// Reads, lets others run, and writes back: what another wrote in between is lost.
void add_without(volatile int& number) {
  for (int i = 0; i < kTimes; ++i) {
    const int seen = number;
    yield();
    number = seen + 1;
  }
}

void add_with(Lock& lock, int& number) {
  for (int i = 0; i < kTimes; ++i) {
    std::lock_guard hold(lock);
    const int seen = number;
    if (i % 100 == 0) yield();  // a fiber may even switch while it holds the lock
    number = seen + 1;
  }
}

}  // namespace

int main() {
  return run([] {
    volatile int careless = 0;
    {
      TaskGroup group;
      for (int i = 0; i < 2; ++i) group.spawn([&] { add_without(careless); });
      group.join();
    }
    std::printf("without a lock: %d of %d\n", careless, 2 * kTimes);

    Lock lock;
    int number = 0;
    std::thread thread([&] { add_with(lock, number); });
    {
      TaskGroup group;
      for (int i = 0; i < 2; ++i) group.spawn([&] { add_with(lock, number); });
      group.join();
    }
    thread.join();
    std::printf("with a lock:    %d of %d\n", number, 3 * kTimes);
    return number == 3 * kTimes ? 0 : 1;
  });
}
