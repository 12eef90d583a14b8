// What a process, a thread and a fiber cost on this machine: to make one and see its end, and to switch from one to
// another. All on one core, so that handing over the turn is a switch and nothing else.
#include <fmt/format.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <new>
#include <string>
#include <thread>

#include <hawser/base/clock.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>

using namespace hawser;

std::string machine() {
  std::string processor = "unknown processor";
  std::ifstream about("/proc/cpuinfo");
  for (std::string line; std::getline(about, line);)
    if (line.starts_with("model name")) processor = line.substr(line.find(": ") + 2);
  utsname system{};
  ::uname(&system);
  return fmt::format("{}, {} cores, {} {}", processor, std::thread::hardware_concurrency(), system.sysname,
                     system.release);
}

void report(const char* what, int count, void (*all)(int)) {
  const auto start = Clock::now();
  all(count);
  const std::chrono::duration<double, std::micro> took = Clock::now() - start;
  fmt::print("{:<16} {:9.3f} µs\n", what, took.count() / count);
}

struct ChildProcess {
  template <class F>
  explicit ChildProcess(F&& work) : pid(::fork()) {
    if (pid != 0) return;
    work();
    ::_exit(0);
  }
  void join() const { ::waitpid(pid, nullptr, 0); }
  pid_t pid;
};

// Half of the switches; the turn goes to and fro by futex(2).
void play(std::atomic<int>& turn, int me, int switches) {
  for (int i = 0; i < switches / 2; ++i) {
    while (turn != me) ::syscall(SYS_futex, &turn, FUTEX_WAIT, 1 - me, nullptr, nullptr, 0);
    turn = 1 - me;
    ::syscall(SYS_futex, &turn, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  }
}

template <class Kind>
void make(int count) {
  for (int i = 0; i < count; ++i) Kind([] {}).join();
}

template <class Kind>
void change(int count) {
  void* shared = ::mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto& turn = *new (shared) std::atomic<int>(0);
  Kind other([&] { play(turn, 1, count); });
  play(turn, 0, count);
  other.join();
  ::munmap(shared, sizeof(int));
}

void make_fibers(int count) {
  for (int i = 0; i < count; ++i) spawn([] {}).join();
}

void change_fibers(int count) {
  const auto half = [=] {
    for (int i = 0; i < count / 2; ++i) yield();
  };
  join_all(spawn(half), spawn(half));
}

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // or a child had a copy of what is not printed yet
  fmt::print("{}\n", machine());
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(::sched_getcpu(), &here);
  ::sched_setaffinity(0, sizeof here, &here);

  report("make a process", 200, make<ChildProcess>);
  report("make a thread", 2'000, make<std::thread>);
  run([] { report("make a fiber", 100'000, make_fibers); });
  report("switch processes", 20'000, change<ChildProcess>);
  report("switch threads", 20'000, change<std::thread>);
  run([] { report("switch fibers", 1'000'000, change_fibers); });
}
