#include <hawser/fiber/stack.h>

#include <gtest/gtest.h>

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

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
namespace {

[[gnu::noinline]] int dig(int depth) {
  volatile char frame[512];
  frame[depth % 512] = static_cast<char>(depth);
  return depth < 0 ? 0 : dig(depth + 1) + frame[0];
}

}  // namespace

TEST(stack_overflow_death_test, names_the_fiber) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(run([] {
                 auto task = spawn([] { return dig(1); });
                 task.set_name("digger");
                 task.join();
               }),
               "stack overflow in fiber 'digger'");
}
#endif
