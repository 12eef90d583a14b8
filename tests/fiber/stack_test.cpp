#include <hawser/fiber/stack.h>

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>

using namespace hawser;
using namespace hawser::detail;

TEST(stacks, are_usable_to_their_last_byte_and_distinct) {
  StackPool pool(64 * 1024);
  std::vector<Stack> all;
  for (int i = 0; i < 100; ++i) {
    all.push_back(pool.take());
    std::memset(all.back().low, i, all.back().size());
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(static_cast<int>(all[static_cast<std::size_t>(i)].low[0]), i);
    EXPECT_EQ(static_cast<int>(all[static_cast<std::size_t>(i)].high[-1]), i);
  }
  for (const Stack& stack : all) pool.give_back(stack);
}

TEST(stacks, know_their_guards) {
  StackPool pool(64 * 1024);
  const Stack stack = pool.take();
  Stack owner;
  EXPECT_TRUE(pool.in_guard(stack.low - 1, owner));
  EXPECT_EQ(owner.low, stack.low);
  EXPECT_FALSE(pool.in_guard(stack.low, owner));
  EXPECT_FALSE(pool.in_guard(&owner, owner));
  pool.give_back(stack);
}

namespace {

[[gnu::noinline]] int dig(int depth) {
  volatile char frame[512];
  frame[depth % 512] = static_cast<char>(depth);
  return depth < 0 ? 0 : dig(depth + 1) + frame[0];
}

void dig_on(int loop) {
  run({.loops = 2}, [loop] {
    auto task = spawn_on(loop, [] {
      set_fiber_name("digger");
      return dig(1);
    });
    task.join();
  });
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr const char* kReport = "in fiber 'digger'";
#else
constexpr const char* kReport = "stack overflow in fiber 'digger'";
#endif

}  // namespace

TEST(stack_overflow_death_test, names_the_fiber) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(dig_on(0), kReport);
}

TEST(stack_overflow_death_test, names_the_fiber_of_another_loop) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(dig_on(1), kReport);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(stack_overflow_death_test, leaves_the_programs_own_handler_alone) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto with_own_handler = [] {
    struct sigaction own {};
    own.sa_handler = [](int) {
      static constexpr char kText[] = "the program's own handler\n";
      [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText, sizeof kText - 1);
      ::_exit(3);
    };
    own.sa_flags = SA_ONSTACK;
    ::sigaction(SIGSEGV, &own, nullptr);
    dig_on(1);
  };
  EXPECT_EXIT(with_own_handler(), ::testing::ExitedWithCode(3), "^the program's own handler");
}

TEST(stack_overflow_death_test, is_told_from_a_segmentation_fault_that_was_sent) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(run([] {
                ::kill(::getpid(), SIGSEGV);
                sleep(std::chrono::hours(1));
              }),
              ::testing::KilledBySignal(SIGSEGV), "^$");
}
#endif
