// Fibers in one look: begin some, wait for them, take what they return, and stop one that takes too long.
#include <fmt/format.h>

#include <chrono>
#include <string>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>

using namespace hawser;
using namespace std::chrono_literals;

struct Stove {
  explicit Stove(const std::string& name) : dish(name) { fmt::print("{} is on the stove\n", dish); }
  Stove(const Stove&) = delete;
  Stove& operator=(const Stove&) = delete;
  ~Stove() { fmt::print("{} is off the stove\n", dish); }
  std::string dish;
};

std::string cook(const std::string& dish, Duration time) {
  const Stove stove(dish);
  sleep(time);  // this fiber waits, the others run
  return "a bowl of " + dish;
}

int main() {
  return run([] {
    Task<std::string> rice = spawn(cook, "rice", 30ms);
    Task<std::string> soup = spawn(cook, "soup", 10ms);
    fmt::print("two tasks, and neither has begun\n");
    join_all(rice, soup);
    fmt::print("{}, {}\n", rice.get(), soup.get());

    Task<std::string> stew = spawn(cook, "stew", 3h);
    sleep(10ms);
    fmt::print("the stew has {}\n", stew.value() ? "a value" : "no value yet");
    stew.kill();  // its sleep() throws Cancelled, and its destructors run
    stew.join();
    fmt::print("the stew was {}\n", stew.cancelled() ? "given up" : "eaten");
    return 0;
  });
}
