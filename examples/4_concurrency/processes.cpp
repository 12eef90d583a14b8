// Processes: a function with arguments, a subclass, the ways they end, and one that ends with its parent.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <hawser/fiber/run.h>
#include <hawser/process/process.h>

using namespace hawser;
using namespace std::chrono_literals;

struct Counter : Process {
  explicit Counter(int last) : Process({.name = "counter"}), last_(last) {}
  void run() override {
    for (int i = 1; i <= last_; ++i) fmt::print("{} counts {}\n", current_process().name, i);
  }

 private:
  int last_;
};

void greet(const std::string& whom, pid_t parent) {
  const ProcessInfo me = current_process();
  fmt::print("hello {}, says {}, {}\n", whom, me.name, me.parent_pid == parent ? "your child" : "a stranger");
}

int end_of(Process&& process) {
  process.start();
  process.join();
  return *process.exit_code();
}

int main() {
  Counter counter(3);
  counter.start();
  counter.join();

  fmt::print("returned: {}\n", end_of(Process(greet, std::string("parent"), current_process().pid, {.name = "Ann"})));
  fmt::print("exit(300): {}\n", end_of(Process([] { std::exit(300); })));
  fmt::print("thrown: {}\n", end_of(Process([] { throw std::runtime_error("no more paper"); }, {.name = "printer"})));
  fmt::print("abort: {}\n", end_of(Process([] { std::abort(); })));

  Process sleeper([] { sleep(1h); }, {.name = "sleeper", .daemon = true});
  sleeper.start();
  fmt::print("after 10 ms {} has {}\n", sleeper.name(), sleeper.join(10ms) ? "ended" : "not ended");
  sleeper.terminate();
  sleeper.join();
  fmt::print("terminated: {}\n", *sleeper.exit_code());

  Process forgotten([] { sleep(1h); }, {.daemon = true});
  forgotten.start();
}
