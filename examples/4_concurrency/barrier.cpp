// Barrier: nobody begins the next round before all have ended this one; and what happens when one stays away.
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <thread>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task_group.h>
#include <hawser/sync/barrier.h>

using namespace hawser;
using namespace std::chrono_literals;

int main() {
  return run([] {
    // Each cell becomes the sum of itself and its left neighbour, all of them at the same moment.
    std::array<int, 4> now{1, 0, 0, 0}, next{};
    Barrier round(now.size(), [&] {  // runs once a round, while everybody waits
      now = next;
      fmt::print("{} {} {} {}\n", now[0], now[1], now[2], now[3]);
    });
    const auto work = [&](std::size_t cell) {
      for (int i = 0; i < 3; ++i) {
        next[cell] = now[cell] + (cell > 0 ? now[cell - 1] : 0);
        round.wait();
      }
    };
    std::thread thread(work, 0);
    TaskGroup fibers;
    for (std::size_t cell = 1; cell < now.size(); ++cell) fibers.spawn(work, cell);
    fibers.join();
    thread.join();

    Barrier meeting(2);
    try {
      meeting.wait(10ms);  // the other one does not come
    } catch (const BrokenBarrier& error) {
      fmt::print("{}\n", error.what());
    }
    return 0;
  });
}
