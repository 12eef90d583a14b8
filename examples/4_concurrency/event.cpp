// Event: a flag that many wait for. Runners, fibers and threads, and one starting pistol.
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task_group.h>
#include <hawser/sync/event.h>

using namespace hawser;
using namespace std::chrono_literals;

int main() {
  return run([] {
    Event start;
    std::atomic<int> running = 0;
    const auto runner = [&] {
      start.wait();
      ++running;
    };

    TaskGroup fibers;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      fibers.spawn(runner);
      threads.emplace_back(runner);
    }
    fmt::print("the pistol {} within 10 ms\n", start.wait(10ms) ? "is heard" : "is not heard");
    fmt::print("{} are running\n", running.load());

    start.set();  // frees everybody who waits, and everybody who comes later
    fibers.join();
    for (auto& thread : threads) thread.join();
    fmt::print("{} are running\n", running.load());

    start.clear();
    fmt::print("for the next race the flag is {}\n", start.is_set() ? "set" : "clear");
    return 0;
  });
}
