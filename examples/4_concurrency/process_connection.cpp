// Two processes talk through a pair of connections. What is sent is a value, and one send is one receive.
#include <fmt/format.h>

#include <csignal>
#include <string>
#include <utility>

#include <hawser/process/connection.h>
#include <hawser/process/process.h>

using namespace hawser;

struct Order {
  std::string dish;
  int portions = 0;
};

void cook(Connection guest) {
  while (auto order = guest.receive<Order>()) {
    if (order->portions > 9) std::raise(SIGKILL);  // it's too much for anybody
    guest.send(fmt::format("{} portions of {}", order->portions, order->dish));
  }
  fmt::print("the cook goes home\n");
}

int main() {
  auto [waiter, kitchen] = connection_pair();
  Process child(cook, std::move(kitchen), {.name = "cook"});
  child.start();
  waiter.send(Order{"rice", 2});
  fmt::print("{}\n", waiter.receive<std::string>().value_or("nothing"));
  waiter.close();  // the cook's next receive() gives nothing
  child.join();

  auto [another, hot_kitchen] = connection_pair();
  Process unlucky(cook, std::move(hot_kitchen), {.name = "unlucky cook"});
  unlucky.start();
  another.send(Order{"soup", 10});
  fmt::print("{}\n", another.receive<std::string>().value_or("no answer: the cook has gone"));
  unlucky.join();
  fmt::print("exit code {}\n", *unlucky.exit_code());
}
