// A pool of threads: results as futures, callbacks, results in order, and what cannot be done.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/sync/lock.h>
#include <hawser/task/completion.h>
#include <hawser/task/thread_pool.h>

#include <mutex>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

int power(int base, int exponent) {
  int result = 1;
  while (exponent-- > 0) result *= base;
  return result;
}

int weigh(int stones) {
  if (stones == 13) throw std::domain_error("13 stones break the scales");
  sleep(std::chrono::milliseconds(20 - stones));  // the heaviest are done first
  return stones * 10;
}

}  // namespace

int main() {
  ThreadPool threads(4);

  const Future<int> kilo = threads.submit(power, 2, 10);
  kilo.on_done([](const Future<int>& done) { std::printf("2^10 is %d\n", done.result()); });
  kilo.wait();

  int sum = 0;
  Lock adding;
  std::vector<Future<int>> loads;
  for (const int stones : {3, 7, 11}) {
    loads.push_back(threads.submit(weigh, stones));
    loads.back().on_done([&](const Future<int>& done) {  // on whatever thread did the work
      const std::lock_guard hold(adding);
      sum += done.result();
    });
  }
  wait(loads, 5s);
  threads.shutdown();  // the callbacks have run, too
  std::printf("all loads together: %d\n", sum);

  ThreadPool others(2);
  for (const int grams : others.map(weigh, std::vector{1, 2, 3})) std::printf("%d grams\n", grams);
  try {
    for (const int grams : others.map(weigh, std::vector{12, 13, 14})) std::printf("%d grams\n", grams);
  } catch (const std::domain_error& error) {
    std::printf("and then: %s\n", error.what());
  }
}
