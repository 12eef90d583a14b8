// The limits of the micro costs: a bare swap of stacks, a spin lock, a ring of two indices, threads that hand over by
// spinning or by futex(2), a process made by fork(2), a header picked apart by hand, copies by memcpy.
//
//   limit_micro      prints group, what, ns
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <thread>

#include "../cores.h"
#include "../stopwatch.h"

#if defined(__x86_64__)
// Saves what a call must keep, swaps the stack pointers, and takes up where the other left: by a jump, as the processor
// has another return in mind.
extern "C" void bare_swap(void** from, void* to);
asm(R"(
.text
.type bare_swap, @function
bare_swap:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  pop %rcx
  jmp *%rcx
.size bare_swap, .-bare_swap
)");
#endif

namespace {

#if defined(__x86_64__)
void* main_stack = nullptr;
void* other_stack = nullptr;

void bounce() {
  for (;;) bare_swap(&other_stack, main_stack);
}

void swaps() {
  constexpr std::size_t kSize = 64 * 1024;
  void* memory = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  auto* top = reinterpret_cast<void**>(static_cast<char*>(memory) + kSize) - 2;
  *top = reinterpret_cast<void*>(&bounce);
  other_stack = top - 6;
  const long count = steps(20'000'000);
  const Stopwatch watch;
  for (long i = 0; i < count; ++i) bare_swap(&main_stack, other_stack);
  watch.report("switch", "bare swap of stacks (limit)", 2 * count);
}
#else
void swaps() {}
#endif

void spin_lock() {
  const long count = steps(20'000'000);
  std::thread([] {}).join();  // from here on libc knows of threads
  std::atomic_flag taken;
  const Stopwatch watch;
  for (long i = 0; i < count; ++i) {
    while (taken.test_and_set(std::memory_order_acquire)) {
    }
    taken.clear(std::memory_order_release);
  }
  watch.report("lock+unlock", "spin lock, uncontended (limit)", count);
}

// One producer, one consumer, who wait by spinning.
class Ring {
 public:
  bool put(long value) {
    const std::size_t at = tail_.load(std::memory_order_relaxed);
    if (at - seen_head_ == kSize && at - (seen_head_ = head_.load(std::memory_order_acquire)) == kSize) return false;
    slots_[at % kSize] = value;
    tail_.store(at + 1, std::memory_order_release);
    return true;
  }
  bool get(long& value) {
    const std::size_t at = head_.load(std::memory_order_relaxed);
    if (at == seen_tail_ && at == (seen_tail_ = tail_.load(std::memory_order_acquire))) return false;
    value = slots_[at % kSize];
    head_.store(at + 1, std::memory_order_release);
    return true;
  }

 private:
  static constexpr std::size_t kSize = 1024;
  alignas(64) std::atomic<std::size_t> tail_{0};
  std::size_t seen_head_ = 0;
  alignas(64) std::atomic<std::size_t> head_{0};
  std::size_t seen_tail_ = 0;
  alignas(64) long slots_[kSize] = {};
};

void rings() {
  const long count = steps(10'000'000);
  Ring ring;
  long value = 0;
  {
    const Stopwatch watch;
    for (long i = 0; i < count; i += 1000) {
      for (int n = 0; n < 1000; ++n) ring.put(n);
      for (int n = 0; n < 1000; ++n) ring.get(value);
    }
    watch.report("queue, both ends in one thread", "bare ring (limit)", count);
  }
  std::thread producer([&] {
    pin(1);
    for (long i = 0; i < count; ++i)
      while (!ring.put(i)) {
      }
  });
  const Stopwatch watch;
  for (long i = 0; i < count; ++i)
    while (!ring.get(value)) {
    }
  watch.report("queue, 1 producer 1 consumer, 2 cores", "bare ring, spinning (limit)", count);
  producer.join();
}

// The turn goes to and fro between this thread and one on `core`; wait(turn, other) returns when it is no longer
// `other`'s.
template <class Wait, class Wake>
double handovers(int core, long count, Wait&& wait, Wake&& wake) {
  std::atomic<int> turn{0};
  const auto play = [&](int me, int on) {
    pin(on);
    for (long i = 0; i < count; ++i) {
      wait(turn, 1 - me);
      turn.store(1 - me, std::memory_order_release);
      wake(turn);
    }
  };
  const Stopwatch watch;
  std::thread other(play, 1, core);
  play(0, 0);
  other.join();
  return watch.seconds() * 1e9 / (2.0 * static_cast<double>(count));
}

void wakes() {
  const auto spin = [](std::atomic<int>& turn, int other) {
    while (turn.load(std::memory_order_acquire) == other) {
    }
  };
  const auto sleep = [](std::atomic<int>& turn, int other) {
    while (turn.load(std::memory_order_acquire) == other)
      ::syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, other, nullptr, nullptr, 0);
  };
  const auto nothing = [](std::atomic<int>&) {};
  const auto wake = [](std::atomic<int>& turn) {
    ::syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  };
  report("switch", "threads by futex, one core", handovers(0, steps(100'000), sleep, wake));
  report("wake across threads, one way", "two cores, spinning (limit)", handovers(1, steps(500'000), spin, nothing));
  report("wake across threads, one way", "two cores, futex", handovers(1, steps(30'000), sleep, wake));
}

void processes() {
  pin(-1);
  const long count = steps(500);
  const Stopwatch watch;
  for (long i = 0; i < count; ++i) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    int status = 0;
    ::waitpid(child, &status, 0);
  }
  watch.report("spawn+join", "process, fork and wait", count);
  pin(0);
  int there[2], back[2];
  if (::pipe(there) != 0 || ::pipe(back) != 0) std::abort();
  const long rounds = steps(50'000);
  char byte = 0;
  const pid_t child = ::fork();
  if (child == 0) {
    for (long i = 0; i < rounds; ++i)
      if (::read(there[0], &byte, 1) != 1 || ::write(back[1], &byte, 1) != 1) break;
    ::_exit(0);
  }
  const Stopwatch switching;
  for (long i = 0; i < rounds; ++i)
    if (::write(there[1], &byte, 1) != 1 || ::read(back[0], &byte, 1) != 1) std::abort();
  switching.report("switch", "processes over pipes, one core", 2 * rounds);
  int status = 0;
  ::waitpid(child, &status, 0);
}

// The least that a task to another process and its result take: a byte through two pipes.
void pipes_to_a_process() {
  pin(-1);
  int there[2], back[2];
  if (::pipe(there) != 0 || ::pipe(back) != 0) std::abort();
  const long rounds = steps(20'000);
  char byte = 0;
  const pid_t child = ::fork();
  if (child == 0) {
    for (long i = 0; i < rounds; ++i)
      if (::read(there[0], &byte, 1) != 1 || ::write(back[1], &byte, 1) != 1) break;
    ::_exit(0);
  }
  const Stopwatch watch;
  for (long i = 0; i < rounds; ++i)
    if (::write(there[1], &byte, 1) != 1 || ::read(back[0], &byte, 1) != 1) std::abort();
  watch.report("process pool, one task and its result", "bare pipes to a forked child (limit)", rounds);
  int status = 0;
  ::waitpid(child, &status, 0);
  for (const int fd : {there[0], there[1], back[0], back[1]}) ::close(fd);
}

}  // namespace

int main() {
  pin(0);
  swaps();
  spin_lock();
  rings();
  wakes();
  processes();
  pipes_to_a_process();
}
