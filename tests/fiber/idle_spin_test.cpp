// IdleSpin: when a loop polls before it sleeps.
#include <hawser/fiber/idle_spin.h>

#include <gtest/gtest.h>

using namespace hawser;
using namespace hawser::detail;
using namespace std::chrono_literals;

namespace {

// Sleeps that end soon until a try is due; how many there were.
int sleeps_until_a_try(IdleSpin& spin, int at_most = 100'000) {
  int sleeps = 0;
  while (!spin.worth_it() && sleeps < at_most) {
    spin.slept(5us, true);
    ++sleeps;
  }
  return sleeps;
}

}  // namespace

TEST(idle_spin, nothing_is_polled_at_first_nor_after_long_sleeps) {
  IdleSpin spin;
  EXPECT_FALSE(spin.worth_it());
  for (int i = 0; i < 1000; ++i) {
    spin.slept(1ms, true);
    ASSERT_FALSE(spin.worth_it());
  }
}

TEST(idle_spin, a_run_of_short_sleeps_leads_to_a_try_and_success_to_more) {
  IdleSpin spin;
  EXPECT_LT(sleeps_until_a_try(spin), 20);
  for (int i = 0; i < 1000; ++i) {
    spin.polled(true, true);
    ASSERT_TRUE(spin.worth_it());
  }
}

TEST(idle_spin, one_long_sleep_ends_it) {
  IdleSpin spin;
  sleeps_until_a_try(spin);
  for (int i = 0; i < 1000; ++i) spin.polled(true, true);
  spin.polled(false, true);
  EXPECT_TRUE(spin.worth_it());  // one failure is forgiven
  spin.slept(1ms, true);
  EXPECT_FALSE(spin.worth_it());
}

TEST(idle_spin, tries_that_always_fail_become_rare) {
  IdleSpin spin;
  int sleeps = 0;
  int tries = 0;
  while (sleeps < 100'000) {
    sleeps += sleeps_until_a_try(spin);
    ++tries;
    spin.polled(false, true);
  }
  EXPECT_LT(tries, 50);
  EXPECT_GT(tries, 2);  // and yet it goes on trying
}

TEST(idle_spin, a_busy_loop_does_not_poll) {
  IdleSpin spin;
  for (int i = 0; i < 10'000; ++i) {
    spin.slept(5us, i % 4 != 0);
    ASSERT_FALSE(spin.worth_it());
  }
  sleeps_until_a_try(spin);
  spin.polled(true, false);
  EXPECT_FALSE(spin.worth_it());
}
