// A worker of a ProcessPool that dies takes its own task along and no other; a new worker takes its place.
#include <fmt/format.h>

#include <csignal>
#include <vector>

#include <hawser/process/process_pool.h>

using namespace hawser;

int third_party_library(int n) {
  if (n == 3) std::raise(SIGKILL);  // it has a bug
  return 10 * n;
}

int main() {
  ProcessPool workers(2);
  std::vector<Future<int>> results;
  for (int n = 1; n <= 6; ++n) results.push_back(workers.submit(third_party_library, n));
  for (const Future<int>& result : results) {
    try {
      fmt::print("{}\n", result.result());
    } catch (const ProcessDied& died) {
      fmt::print("exit code {}\n", died.exit_code());
    }
  }

  workers.shutdown();
  try {
    workers.submit(third_party_library, 7);
  } catch (const ExecutorShutDown& error) {
    fmt::print("{}\n", error.what());
  }
}
