// How far core 0 and core 1 are from each other at this moment: nanoseconds for a cache line to go over. A hypervisor
// moves virtual cores about, and figures taken while they are near cannot be compared with others.
//
//   limit_cores
#include <atomic>
#include <cstdio>
#include <thread>

#include "../cores.h"
#include "../stopwatch.h"

int main() {
  constexpr int kRounds = 50'000;
  alignas(64) std::atomic<int> rounds{0};
  const auto play = [&](int first) {
    pin(first);
    for (int mine = first; mine < 2 * kRounds; mine += 2) {
      while (rounds.load(std::memory_order_acquire) != mine) {
      }
      rounds.store(mine + 1, std::memory_order_release);
    }
  };
  const Stopwatch watch;
  std::thread other(play, 1);
  play(0);
  other.join();
  std::printf("%.1f\n", watch.seconds() * 1e9 / (2.0 * kRounds));
}
