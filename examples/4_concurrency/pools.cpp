// The same work in threads, in processes and in fibers: only the pool's name changes.
#include <fmt/format.h>

#include <fmt/ranges.h>

#include <chrono>
#include <stdexcept>
#include <vector>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

int square(int n) {
  if (n == 13) throw std::invalid_argument("13 brings bad luck");
  return n * n;
}

template <class Pool>
void use(const char* name) {
  Queue<int> heard;
  Pool pool(3);
  pool.submit(square, 5).on_done([&](const Future<int>& done) { heard.put(done.result()); });
  fmt::print("{}: a callback heard {}\n", name, heard.get());

  const std::vector numbers{1, 2, 3, 4};
  std::vector<int> squares;
  for (int n : pool.map(square, numbers)) squares.push_back(n);  // in the order of what went in
  fmt::print("{}: map gave {}\n", name, fmt::join(squares, " "));

  std::vector<Future<int>> several;
  for (int n : {6, 13, 7}) several.push_back(pool.submit(square, n));
  int sum = 0;
  for (const Future<int>& future : as_completed(several, 10s)) {
    try {
      sum += future.result();
    } catch (const std::exception& error) {
      fmt::print("{}: {}\n", name, error.what());
    }
  }
  fmt::print("{}: the others make {}\n", name, sum);
}

int main() {
  use<ThreadPool>("threads");
  use<ProcessPool>("processes");
  return run([] {
    use<FiberPool>("fibers");
    return 0;
  });
}
