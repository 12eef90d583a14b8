// What the smallest operations of the library cost: switching, spawning, locking, queueing, handing work to a thread.
#include <sched.h>

#include <mutex>
#include <thread>
#include <vector>

#include <hawser/fiber/offload.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/process/run_command.h>
#include <hawser/sync/lock.h>
#include <hawser/sync/queue.h>

#include "stopwatch.h"

using namespace hawser;

namespace {

// Cores 0 and 1, or one of them. New threads inherit it.
void pin(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int i = 0; i < 2; ++i)
    if (core < 0 || core == i) CPU_SET(i, &set);
  sched_setaffinity(0, sizeof set, &set);
}

void yields(int fibers, long total, const char* what) {
  const long each = total / fibers;
  std::vector<Task<void>> tasks;
  for (int i = 0; i < fibers; ++i)
    tasks.push_back(spawn([each] {
      for (long n = 0; n < each; ++n) yield();
    }));
  const Stopwatch watch;
  for (const auto& task : tasks) task.join();
  watch.report("switch", what, static_cast<double>(each * fibers));
}

void spawns() {
  constexpr int kCount = 500'000;
  for (int i = 0; i < 1000; ++i) spawn([] {}).join();
  {
    const Stopwatch watch;
    for (int i = 0; i < kCount; ++i) spawn([] {}).join();
    watch.report("spawn+join", "hawser", kCount);
  }
  std::vector<Task<void>> tasks(1000);
  const auto batch = [&] {
    for (auto& task : tasks) task = spawn([] {});
    for (const auto& task : tasks) task.join();
  };
  batch();
  const Stopwatch watch;
  for (int i = 0; i < kCount / 1000; ++i) batch();
  watch.report("spawn+join", "hawser, 1000 at once", kCount);
}

void locks() {
  constexpr int kCount = 20'000'000;
  Lock lock;
  long counted = 0;
  const Stopwatch watch;
  for (int i = 0; i < kCount; ++i) {
    const std::lock_guard hold(lock);
    counted = counted + 1;
    asm volatile("" : "+m"(counted));
  }
  watch.report("lock+unlock", "hawser, uncontended", kCount);
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
  constexpr long kRounds = 10'000;
  Queue<long> queue(1024);
  long sum = 0;
  const Stopwatch watch;
  for (long round = 0; round < kRounds; ++round) {
    for (long i = 0; i < 1000; ++i) queue.put(i);
    for (long i = 0; i < 1000; ++i) sum += queue.get();
  }
  watch.report("queue, both ends in one thread", "hawser Queue", static_cast<double>(kRounds * 1000));
  if (sum == 0) std::abort();
}

void queue_between_threads() {
  constexpr long kCount = 2'000'000;
  Queue<long> queue(1024);
  const Stopwatch watch;
  std::thread producer([&] {
    for (long i = 0; i < kCount; ++i) queue.put(i);
  });
  for (long i = 0; i < kCount; ++i)
    if (queue.get() != i) std::abort();
  producer.join();
  watch.report("queue, 1 producer 1 consumer, 2 cores", "hawser Queue", kCount);
}

void queue_between_fibers() {
  constexpr long kCount = 2'000'000;
  Queue<long> queue(1024);
  const Stopwatch watch;
  const Task<void> producer = spawn([&] {
    for (long i = 0; i < kCount; ++i) queue.put(i);
  });
  for (long i = 0; i < kCount; ++i)
    if (queue.get() != i) std::abort();
  producer.join();
  watch.report("queue, both ends in one thread", "hawser Queue, two fibers", kCount);
}

void offloads() {
  constexpr int kCount = 20'000;
  const Stopwatch watch;
  for (int i = 0; i < kCount; ++i) offload([] {});
  watch.report("offload and back", "hawser", kCount);
}

void processes() {
  constexpr int kCount = 300;
  const Stopwatch watch;
  for (int i = 0; i < kCount; ++i)
    if (!run_command({"/bin/true"}).ok()) std::abort();
  watch.report("process, /bin/true to its end", "hawser run_command", kCount);
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
  pin(-1);
  locks_between_threads();
  queue_between_threads();
  run([] {
    offloads();
    processes();
  });
}
