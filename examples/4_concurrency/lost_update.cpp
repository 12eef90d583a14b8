// Several add to one number: without a lock updates get lost, with one none does. Fibers and threads alike.
#include <fmt/format.h>

#include <atomic>
#include <mutex>
#include <thread>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task_group.h>
#include <hawser/sync/lock.h>

using namespace hawser;

namespace {

constexpr int kTimes = 10'000;

// Reads, lets others run, and writes back: what another wrote in between is lost. That each of the two steps is atomic
// does not help.
void add_without(std::atomic<int>& number) {
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

// Runs it in two fibers and two threads at once.
void four_times(auto add) {
  std::thread one(add), another(add);
  TaskGroup fibers;
  fibers.spawn(add);
  fibers.spawn(add);
  fibers.join();
  one.join();
  another.join();
}

}  // namespace

int main() {
  return run([] {
    std::atomic<int> careless = 0;
    four_times([&] { add_without(careless); });
    fmt::print("without a lock: {} of {}\n", careless.load(), 4 * kTimes);

    Lock lock;
    int number = 0;
    four_times([&] { add_with(lock, number); });
    fmt::print("with a lock:    {} of {}\n", number, 4 * kTimes);
    return number == 4 * kTimes ? 0 : 1;
  });
}
