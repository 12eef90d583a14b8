// How many `/bin/true` a second: started and waited for, or with its output captured.
//
//   bench_spawn [--at-once 1] [--capture 0] [--threads 0] [--ms 1000]
//
// Each of `at-once` fibers (plain threads with --threads 1) runs one after another.
#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/process/run_command.h>

#include "arguments.h"
#include "stopwatch.h"

using namespace hawser;

namespace {

void run_one(bool capture) {
  if (capture) {
    run_command({"/bin/true"}, {.capture = true, .check = true, .stdin_ = Pipe::inherit, .stderr_ = Pipe::null});
  } else {
    Popen({"/bin/true"}).wait();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments(argc, argv, "bench_spawn [--at-once 1] [--capture 0] [--threads 0] [--ms 1000]",
                            {"at-once", "capture", "threads", "ms"});
  const long at_once = arguments.number("at-once", 1);
  const bool capture = arguments.number("capture", 0) != 0;
  const double length = static_cast<double>(arguments.number("ms", 1000)) / 1000;
  std::atomic<long> done = 0;
  const Stopwatch watch;
  const auto work = [&] {
    while (watch.seconds() < length) {
      run_one(capture);
      ++done;
    }
  };
  if (arguments.number("threads", 0) != 0) {
    std::vector<std::thread> threads;
    for (long i = 0; i < at_once; ++i) threads.emplace_back(work);
    for (std::thread& thread : threads) thread.join();
  } else {
    run([&] {
      std::vector<Task<void>> tasks;
      for (long i = 0; i < at_once; ++i) tasks.push_back(spawn(work));
      for (auto& task : tasks) task.get();
    });
  }
  std::printf("%.0f\n", static_cast<double>(done) / watch.seconds());
}
