// What of the runtime is written for one processor: switches, first frames, and stacks looked at from outside. Prints
// what is wrong, a line each; ends with 0 when nothing is.
#include <cfenv>
#include <cmath>
#include <csignal>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <hawser/fiber/dump.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/waiter.h>
#include <hawser/sync/lock.h>
#include <hawser/sync/queue.h>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

int g_wrong = 0;

void expect(bool right, const std::string& what) {
  if (right) return;
  std::printf("wrong: %s\n", what.c_str());
  ++g_wrong;
}

// More values than there are registers a callee may use, whole ones and real ones, live over each switch.
[[gnu::noinline]] double keep_many(int seed, int turns) {
  long a = seed, b = seed + 1, c = seed + 2, d = seed + 3, e = seed + 4, f = seed + 5, g = seed + 6, h = seed + 7;
  double r = seed, s = r + .5, t = r + .25, u = r + .125, v = r * 2, w = r * 3, x = r * 4, y = r * 5;
  for (int i = 0; i < turns; ++i) {
    yield();
    a += b, b += c, c += d, d += e, e += f, f += g, g += h, h += a & 7;
    r += s, s += t, t += u, u += v / 1024, v += w / 1024, w += x / 1024, x += y / 1024, y += r / 1024;
  }
  return static_cast<double>((a ^ b ^ c ^ d ^ e ^ f ^ g ^ h) & 0xFFFFFF) + r + s + t + u + v + w + x + y;
}

void registers_are_each_fibers_own() {
  std::vector<double> alone;
  for (int i = 0; i < 8; ++i) alone.push_back(spawn([i] { return keep_many(i, 200); }).get());
  std::vector<Task<double>> together;
  for (int i = 0; i < 8; ++i) together.push_back(spawn([i] { return keep_many(i, 200); }));
  for (std::size_t i = 0; i < together.size(); ++i) {
    expect(together[i].get() == alone[i], "a register of fiber " + std::to_string(i));
  }
}

void rounding_is_each_fibers_own() {
  auto up = spawn([] {
    std::fesetround(FE_UPWARD);
    yield();
    return std::nearbyint(1.25);
  });
  auto down = spawn([] {
    std::fesetround(FE_DOWNWARD);
    yield();
    return std::nearbyint(1.75);
  });
  yield();
  expect(std::nearbyint(1.5) == 2 && std::nearbyint(2.5) == 2, "main's rounding");
  expect(up.get() == 2, "rounding up");
  expect(down.get() == 1, "rounding down");
}

[[gnu::noinline]] void fail_at(int depth) {
  if (depth == 0) throw std::runtime_error("thrown");
  fail_at(depth - 1);
  asm volatile("");
}

void exceptions_cross_frames_and_wait_in_handlers() {
  std::vector<Task<int>> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(spawn([i] {
      int caught = 0;
      for (int round = 0; round < 20; ++round) {
        try {
          fail_at(i);
        } catch (const std::runtime_error&) {
          yield();
          try {
            fail_at(i + 1);
          } catch (const std::exception&) {
            yield();
            ++caught;
          }
          ++caught;
        }
      }
      return caught;
    }));
  }
  for (const auto& each : all) expect(each.get() == 40, "exceptions");
  auto thrown = spawn([] { fail_at(3); });
  bool rethrown = false;
  try {
    thrown.get();
  } catch (const std::runtime_error&) {
    rethrown = true;
  }
  expect(rethrown, "an exception out of a fiber");
}

[[gnu::noinline]] void wait_for_the_bell(Waiter& waiter) {
  static_cast<void>(waiter.park());
  asm volatile("");
}
[[gnu::noinline]] void serve_a_guest(Waiter& waiter) {
  wait_for_the_bell(waiter);
  asm volatile("");
}
[[gnu::noinline]] void compute_for_ever(const std::atomic<bool>& stop) {
  while (!stop.load()) {
  }
  asm volatile("");
}

// By a call on the parked fiber's own stack.
void parked_stacks_are_seen() {
  Waiter* bell = nullptr;
  auto parked = spawn([&] {
    Waiter waiter("bell");
    bell = &waiter;
    serve_a_guest(waiter);
  });
  parked.set_name("guest");
  yield();
  const std::string text = dump_fibers();
  const auto inner = text.find("wait_for_the_bell");
  const auto outer = text.find("serve_a_guest");
  expect(text.find("'guest' parked in bell") != text.npos, text);
  expect(inner != text.npos && outer != text.npos && inner < outer, text);
  bell->unpark();
  parked.get();
}

// By a signal that interrupts the loop.
void busy_stacks_are_seen() {
  std::atomic<bool> began{false};
  std::atomic<bool> stop{false};
  auto busy = spawn_on(1, [&] {
    began = true;
    compute_for_ever(stop);
  });
  busy.set_name("busy");
  while (!began) yield();
  const std::string text = dump_fibers();
  stop = true;
  busy.get();
  expect(text.find("'busy' running") != text.npos, text);
  expect(text.find("compute_for_ever") != text.npos, text);
}

void loops_wake_each_other() {
  Lock lock;
  Queue<int> numbers(4);
  long sum = 0;
  auto reader = spawn_on(1, [&] {
    for (int i = 0; i < 2000; ++i) {
      const int got = numbers.get();
      const std::lock_guard hold(lock);
      sum += got;
    }
  });
  for (int i = 0; i < 2000; ++i) {
    numbers.put(i);
    const std::lock_guard hold(lock);
    ++sum;
  }
  reader.get();
  expect(sum == 1999 * 1000 + 2000, "numbers from loop to loop");
}

}  // namespace

int main() {
  // The emulator keeps some signals for itself and says nothing: these are not for the library to choose from.
  for (int kept = SIGRTMAX - 3; kept <= SIGRTMAX; ++kept) std::signal(kept, SIG_IGN);
  run({.loops = 2}, [] {
    registers_are_each_fibers_own();
    rounding_is_each_fibers_own();
    exceptions_cross_frames_and_wait_in_handlers();
    parked_stacks_are_seen();
    busy_stacks_are_seen();
    loops_wake_each_other();
  });
  std::printf("%s\n", g_wrong ? "something is wrong" : "all as it should be");
  return g_wrong ? 1 : 0;
}
