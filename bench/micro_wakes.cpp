// Waking what runs on another thread.
#include <thread>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/sync/semaphore.h>

#include "cores.h"
#include "micro.h"
#include "stopwatch.h"

using namespace hawser;

namespace {

struct Pair {
  long rounds = steps(30'000);
  Semaphore there{0};
  Semaphore back{0};

  void serve() {
    for (long i = 0; i < rounds; ++i) {
      there.acquire();
      back.release();
    }
  }
  void ask(const char* what) {
    const Stopwatch watch;
    for (long i = 0; i < rounds; ++i) {
      there.release();
      back.acquire();
    }
    watch.report("wake across threads, one way", what, 2 * rounds);
  }
};

void between_loops() {
  run({.loops = 2}, [] {
    Pair pair;
    const Task<void> other = spawn_on(1, [&] {
      pin(1);
      pair.serve();
    });
    pin(0);
    pair.ask("hawser, fibers of two loops");
    other.join();
  });
}

void between_threads() {
  Pair pair;
  std::thread other([&] {
    pin(1);
    pair.serve();
  });
  pin(0);
  pair.ask("hawser Semaphore, two plain threads");
  other.join();
}

}  // namespace

void measure_wakes() {
  between_loops();
  between_threads();
}
