// A process, a thread and a fiber: what it costs to begin one and see its end, and to hand over the turn between two of
// them that share a core.
//
//   bench_contexts      prints group, what, ns
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/process/process.h>
#include <hawser/task/thread.h>

#include "cores.h"
#include "stopwatch.h"

using namespace hawser;

namespace {

constexpr const char* kBegin = "process, thread, fiber: begin one and see its end";
constexpr const char* kSwitch = "process, thread, fiber: hand over the turn on one core";

template <class F>
void begin(const char* what, long full, F&& one) {
  const long count = steps(full);
  one();
  const Stopwatch watch;
  for (long i = 0; i < count; ++i) one();
  watch.report(kBegin, what, count);
}

class Fork {
 public:
  template <class F>
  explicit Fork(F&& work) : pid_(::fork()) {
    if (pid_ != 0) return;
    work();
    ::_exit(0);
  }
  void join() const { ::waitpid(pid_, nullptr, 0); }

 private:
  pid_t pid_;
};

// The turn goes to and fro by futex(2), in memory that processes share.
void play(std::atomic<int>& turn, int me, long count) {
  for (long i = 0; i < count; ++i) {
    while (turn.load(std::memory_order_acquire) != me)
      ::syscall(SYS_futex, &turn, FUTEX_WAIT, 1 - me, nullptr, nullptr, 0);
    turn.store(1 - me, std::memory_order_release);
    ::syscall(SYS_futex, &turn, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  }
}

template <class Kind>
void switches_by_futex(const char* what) {
  const long count = steps(50'000);
  void* shared = ::mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) std::abort();
  auto& turn = *new (shared) std::atomic<int>(0);
  const Stopwatch watch;
  Kind other([&] { play(turn, 1, count); });
  play(turn, 0, count);
  other.join();
  watch.report(kSwitch, what, 2 * count);
  ::munmap(shared, sizeof(int));
}

void switches_by_pipe() {
  const long count = steps(50'000);
  int there[2], back[2];
  if (::pipe(there) != 0 || ::pipe(back) != 0) std::abort();
  char byte = 0;
  const Stopwatch watch;
  const Fork other([&] {
    for (long i = 0; i < count; ++i)
      if (::read(there[0], &byte, 1) != 1 || ::write(back[1], &byte, 1) != 1) break;
  });
  for (long i = 0; i < count; ++i)
    if (::write(there[1], &byte, 1) != 1 || ::read(back[0], &byte, 1) != 1) std::abort();
  other.join();
  watch.report(kSwitch, "processes, a byte through a pipe", 2 * count);
  for (const int fd : {there[0], there[1], back[0], back[1]}) ::close(fd);
}

void switches_by_yield() {
  const long count = steps(5'000'000);
  const auto half = [count] {
    for (long i = 0; i < count; ++i) yield();
  };
  const Stopwatch watch;
  join_all(spawn(half), spawn(half));
  watch.report(kSwitch, "fibers, hawser yield", 2 * count);
}

void nobody() {}
void* nothing(void* none) { return none; }

}  // namespace

int main() {
  pin(0);
  begin("process, fork(2) and waitpid(2)", 500, [] { Fork([] {}).join(); });
  begin("process, hawser Process", 300, [] {
    Process child(nobody, ProcessOptions{});
    child.start();
    child.join();
  });
  switches_by_futex<Fork>("processes, futex(2)");
  switches_by_pipe();
  begin("thread, pthread_create(3) and pthread_join(3)", 5'000, [] {
    pthread_t thread{};
    if (::pthread_create(&thread, nullptr, nothing, nullptr) != 0) std::abort();
    ::pthread_join(thread, nullptr);
  });
  begin("thread, hawser Thread", 5'000, [] {
    Thread thread(nobody);
    thread.start();
    thread.join();
  });
  switches_by_futex<std::thread>("threads, futex(2)");
  run([] {
    begin("fiber, hawser spawn() and join()", 500'000, [] { spawn([] {}).join(); });
    switches_by_yield();
  });
}
