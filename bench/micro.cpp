// What the smallest operations of the library cost: switching, spawning, locking, queueing, handing work to a thread.
#include <chrono>
#include <ctime>
#include <mutex>
#include <thread>
#include <vector>

#include <hawser/fiber/offload.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/watchdog.h>
#include <hawser/process/run_command.h>
#include <hawser/sync/lock.h>
#include <hawser/sync/queue.h>

#include "cores.h"
#include "micro.h"
#include "stopwatch.h"

using namespace hawser;

namespace {

void yields(int fibers, long total, const char* what) {
  const long each = steps(total) / fibers;
  std::vector<Task<void>> tasks;
  for (int i = 0; i < fibers; ++i)
    tasks.push_back(spawn([each] {
      for (long n = 0; n < each; ++n) yield();
    }));
  const Stopwatch watch;
  for (const auto& task : tasks) task.join();
  watch.report("switch", what, each * fibers);
}

// On the core of what it watches: what it takes is taken from there.
void with_a_watchdog() {
  start_watchdog();
  run([] { yields(2, 10'000'000, "hawser yield, 2 fibers, watchdog on"); });
  const auto busy = [] {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
  };
  run([&] {
    const auto length = std::chrono::milliseconds(steps(2000));
    const double before = busy();
    sleep(length);
    report("watchdog", "a second of an idle loop", (busy() - before) / std::chrono::duration<double>(length).count());
  });
  stop_watchdog();
}

void spawns() {
  const long count = steps(500'000);
  for (int i = 0; i < 1000; ++i) spawn([] {}).join();
  {
    const Stopwatch watch;
    for (long i = 0; i < count; ++i) spawn([] {}).join();
    watch.report("spawn+join", "hawser", count);
  }
  std::vector<Task<void>> tasks(1000);
  const auto batch = [&] {
    for (auto& task : tasks) task = spawn([] {});
    for (const auto& task : tasks) task.join();
  };
  batch();
  const Stopwatch watch;
  for (long i = 0; i < count / 1000; ++i) batch();
  watch.report("spawn+join", "hawser, 1000 at once", count);
}

void locks() {
  const long count = steps(20'000'000);
  Lock lock;
  long counted = 0;
  const Stopwatch watch;
  for (long i = 0; i < count; ++i) {
    const std::lock_guard hold(lock);
    counted = counted + 1;
    asm volatile("" : "+m"(counted));
  }
  watch.report("lock+unlock", "hawser, uncontended", count);
}

// Every lock() finds the lock taken, as its holder yields.
void locks_between_fibers() {
  constexpr int kFibers = 4;
  constexpr int kEach = 500'000;
  Lock lock;
  std::vector<Task<void>> tasks;
  const Stopwatch watch;
  for (int i = 0; i < kFibers; ++i)
    tasks.push_back(spawn([&lock] {
      for (int n = 0; n < kEach; ++n) {
        const std::lock_guard hold(lock);
        yield();
      }
    }));
  for (const auto& task : tasks) task.join();
  watch.report("lock+unlock", "hawser, 4 fibers, yield inside", double{kFibers} * kEach);
}

void locks_between_threads() {
  constexpr int kEach = 1'000'000;
  Lock lock;
  volatile long shared = 0;
  const auto work = [&](int core) {
    pin(core);
    for (int n = 0; n < kEach; ++n) {
      const std::lock_guard hold(lock);
      shared = shared + 1;
    }
  };
  const Stopwatch watch;
  std::thread other(work, 1);
  std::thread(work, 0).join();
  other.join();
  watch.report("lock+unlock", "hawser, 2 threads on 2 cores", 2.0 * kEach);
}

void queue_in_one_thread() {
  const long rounds = steps(10'000);
  Queue<long> queue(1024);
  long sum = 0;
  const Stopwatch watch;
  for (long round = 0; round < rounds; ++round) {
    for (long i = 0; i < 1000; ++i) queue.put(i);
    for (long i = 0; i < 1000; ++i) sum += queue.get();
  }
  watch.report("queue, both ends in one thread", "hawser Queue", rounds * 1000);
  if (sum == 0) std::abort();
}

void queue_between_threads() {
  const long count = steps(2'000'000);
  Queue<long> queue(1024);
  const Stopwatch watch;
  std::thread producer([&] {
    for (long i = 0; i < count; ++i) queue.put(i);
  });
  for (long i = 0; i < count; ++i)
    if (queue.get() != i) std::abort();
  producer.join();
  watch.report("queue, 1 producer 1 consumer, 2 cores", "hawser Queue", count);
}

void queue_between_fibers() {
  const long count = steps(2'000'000);
  Queue<long> queue(1024);
  const Stopwatch watch;
  const Task<void> producer = spawn([&] {
    for (long i = 0; i < count; ++i) queue.put(i);
  });
  for (long i = 0; i < count; ++i)
    if (queue.get() != i) std::abort();
  producer.join();
  watch.report("queue, both ends in one thread", "hawser Queue, two fibers", count);
}

void offloads() {
  const long count = steps(20'000);
  const Stopwatch watch;
  for (long i = 0; i < count; ++i) offload([] {});
  watch.report("offload and back", "hawser", count);
}

void processes() {
  const long count = steps(300);
  const Stopwatch watch;
  for (long i = 0; i < count; ++i)
    if (!run_command({"/bin/true"}).ok()) std::abort();
  watch.report("process, /bin/true to its end", "hawser run_command", count);
}

}  // namespace

int main() {
  pin(0);
  run([] {
    yields(2, 10'000'000, "hawser yield, 2 fibers");
    yields(1000, 10'000'000, "hawser yield, 1000 fibers");
    spawns();
    locks();
    locks_between_fibers();
    queue_in_one_thread();
    queue_between_fibers();
  });
  with_a_watchdog();
  measure_messages();
  measure_structures();
  pin(-1);
  locks_between_threads();
  queue_between_threads();
  run([] {
    offloads();
    processes();
  });
  measure_wakes();
  measure_pools();
  measure_process_pool();
}
