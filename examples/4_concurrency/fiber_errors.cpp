// What a fiber throws is never lost: it reaches whoever waits for it, a group as a whole, or the log.
#include <fmt/format.h>

#include <chrono>
#include <stdexcept>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/task_group.h>

using namespace hawser;
using namespace std::chrono_literals;

int divide(int a, int b) {
  if (b == 0) throw std::invalid_argument(fmt::format("{} by nothing", a));
  return a / b;
}

int main() {
  return run([] {
    Task<int> good = spawn(divide, 6, 3), bad = spawn(divide, 1, 0);
    join_all(good, bad);  // waits, and throws nothing
    fmt::print("good: {}, bad: {}\n", good.get(), bad.successful() ? "fine" : "failed");
    try {
      bad.get();
    } catch (const std::invalid_argument& error) {
      fmt::print("get() threw: {}\n", error.what());
    }

    try {
      TaskGroup group;  // one fails: the rest is cancelled, and its error is the group's
      group.spawn([] {
        sleep(1h);
        fmt::print("never printed\n");
      });
      group.spawn(divide, 2, 0);
      group.join();
    } catch (const std::invalid_argument& error) {
      fmt::print("the group threw: {}\n", error.what());
    }

    spawn(divide, 3, 0).set_name("careless");  // nobody will ask for what it throws: the log gets it
    yield();
    return 0;
  });
}
