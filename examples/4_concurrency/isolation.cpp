// One variable, changed by a process and by a thread: the process has a copy of its own, the thread shares it.
#include <fmt/format.h>

#include <hawser/process/process.h>
#include <hawser/task/thread.h>

using namespace hawser;

int g_money = 100;

void spend(int amount) {
  g_money -= amount;
  fmt::print("{} has {} left\n", current_process().name == "main" ? "the thread" : "the process", g_money);
}

int main() {
  Process process(spend, 70, {.name = "spender"});
  process.start();
  process.join();
  fmt::print("after the process: {}\n", g_money);

  Thread thread(spend, 70, {.name = "spender"});
  thread.start();
  thread.join();
  fmt::print("after the thread: {}\n", g_money);
}
