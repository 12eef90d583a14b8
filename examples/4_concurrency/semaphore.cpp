// Semaphore: no more than so many at once. Ten guests, three chairs; and one chair too many.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task_group.h>
#include <hawser/sync/semaphore.h>

using namespace hawser;
using namespace std::chrono_literals;

int main() {
  return run([] {
    BoundedSemaphore chairs(3);
    int sitting = 0, most = 0;
    TaskGroup guests;
    for (int guest = 0; guest < 10; ++guest)
      guests.spawn([&] {
        chairs.acquire();  // waits in line: first come, first served
        most = std::max(most, ++sitting);
        sleep(5ms);
        --sitting;
        chairs.release();
      });
    yield();
    fmt::print("somebody in a hurry {} a chair\n", chairs.acquire(0ms) ? "gets" : "does not get");
    guests.join();
    fmt::print("at most {} of 10 sat at once\n", most);

    try {
      chairs.release();  // a Semaphore would now have four
    } catch (const std::logic_error& error) {
      fmt::print("{}\n", error.what());
    }
    return 0;
  });
}
