// Futures made of futures: what follows, what needs all of several, and who is first.
#include <cstdio>
#include <string>
#include <tuple>
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/task/completion.h>
#include <hawser/task/fiber_pool.h>
#include <hawser/task/when.h>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

std::string user(int id) {
  sleep(10ms);
  return "user " + std::to_string(id);
}

int orders(int id) {
  sleep(5ms);
  return id * 3;
}

std::string mirror(std::string name, Duration distance) {
  sleep(distance);
  return name;
}

}  // namespace

int main() {
  return run([] {
    FiberPool pool(10);  // a thread is enough: they only wait

    const Future<std::size_t> length =
        pool.submit(user, 1234).then([](const std::string& name) { return name.size(); });
    std::printf("%zu letters\n", length.result());

    when_all(pool.submit(user, 7), pool.submit(orders, 7))
        .then([](const std::tuple<std::string, int>& both) {
          std::printf("%s has %d orders\n", std::get<0>(both).c_str(), std::get<1>(both));
        })
        .result();

    const std::vector<Future<std::string>> mirrors{pool.submit(mirror, "far", 30ms), pool.submit(mirror, "near", 5ms),
                                                   pool.submit(mirror, "middle", 15ms)};
    auto answers = as_completed(mirrors, 5s);  // from now on it notes who ends when
    std::printf("the nearest is %s\n", mirrors[when_any(mirrors).result()].result().c_str());
    for (const Future<std::string>& each : answers) std::printf("%s answered\n", each.result().c_str());

    const auto failed = pool.submit([]() -> int { throw std::runtime_error("no connection"); }).then([](int) {
      std::printf("never said\n");
    });
    try {
      failed.result();
    } catch (const std::runtime_error& error) {
      std::printf("all that followed has failed with it: %s\n", error.what());
    }
    return 0;
  });
}
