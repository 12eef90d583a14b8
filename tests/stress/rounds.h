// What the stress tests share: how many rounds, on how many loops, and chance.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <random>
#include <thread>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/task_group.h>

namespace hawser::testing {

using namespace std::chrono_literals;

// Of a release build; a tenth where everything is slower.
constexpr int rounds(int of_release) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return of_release / 10;
#else
  return of_release;
#endif
}

// Each test on one loop up to four.
class Loops : public ::testing::TestWithParam<int> {
 protected:
  static int count() { return GetParam(); }
  static void in_loops(const std::function<void()>& body) {
    run({.loops = count()}, [&] { body(); });
  }
};

// Chance, the same in every run of the tests.
class Dice {
 public:
  explicit Dice(int seed) : engine_(static_cast<std::uint32_t>(seed) * 2654435761U + 1) {}
  // 0 to most - 1.
  int operator()(int most) { return static_cast<int>(engine_() % static_cast<std::uint32_t>(most)); }

 private:
  std::minstd_rand engine_;
};

// Waits for another fiber to come so far, without taking the processor from it.
template <class Condition>
void wait_until(Condition&& condition) {
  while (!condition()) sleep(20us);
}

// Lets some other things happen first: more or fewer of them.
inline void dawdle(int steps) {
  for (int i = 0; i < steps; ++i) yield();
}

inline std::string loops_name(const ::testing::TestParamInfo<int>& info) {
  return std::to_string(info.param) + (info.param == 1 ? "_loop" : "_loops");
}

}  // namespace hawser::testing

#define HAWSER_ON_LOOPS(suite) \
  INSTANTIATE_TEST_SUITE_P(on, suite, ::testing::Values(1, 2, 4), ::hawser::testing::loops_name)
