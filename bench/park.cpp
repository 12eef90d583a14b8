// Fibers that wait: how long to start them, how much memory each, how long to end them. Prints one line of JSON.
//
//   bench_park COUNT [--stack-kib 256]
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/sync/event.h>

#include "arguments.h"
#include "stopwatch.h"

using namespace hawser;

namespace {

double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double size = 0, resident = 0;
  file >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments(argc, argv, "bench_park COUNT [--stack-kib 256]", {"stack-kib"});
  const auto count = static_cast<std::size_t>(arguments.number_at(0));
  const auto stack = static_cast<std::size_t>(arguments.number("stack-kib", 256)) * 1024;
  run({.stack_bytes = stack}, [count] {
    const double before = resident_bytes();
    Event gate;
    std::size_t parked = 0;
    std::vector<Task<void>> tasks;
    tasks.reserve(count);
    const Stopwatch starting;
    for (std::size_t i = 0; i < count; ++i) {
      tasks.push_back(spawn([&] {
        ++parked;
        gate.wait();
      }));
      if (i % 1000 == 999) yield();
    }
    while (parked < count) yield();
    const double start = starting.seconds();
    const double each = (resident_bytes() - before) / static_cast<double>(count);
    const Stopwatch ending;
    gate.set();
    for (const auto& task : tasks) task.join();
    std::printf("{\"start_s\": %.2f, \"bytes_each\": %.0f, \"end_s\": %.2f}\n", start, each, ending.seconds());
  });
}
