#include <hawser/sync/async_result.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>

#include <hawser/fiber/deadline.h>

#include "sync/contexts.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class AsyncResultEverywhere : public Everywhere {};
HAWSER_EVERYWHERE(AsyncResultEverywhere);

TEST_P(AsyncResultEverywhere, all_who_wait_get_the_value) {
  run_in(GetParam(), [] {
    for (int round = 0; round < 200; ++round) {
      AsyncResult<std::string> result;
      std::atomic<int> got = 0;
      Contexts contexts(GetParam());
      for (int i = 0; i < 3; ++i) {
        contexts.start([&] {
          EXPECT_EQ(result.get(), "the value");
          ++got;
        });
      }
      contexts.start([&] { result.set("the value"); });
      contexts.join();
      EXPECT_EQ(got, 3);
    }
  });
}

TEST_P(AsyncResultEverywhere, one_of_many_setters_wins_whoever_times_out) {
  run_in(GetParam(), [] {
    for (int round = 0; round < 200; ++round) {
      AsyncResult<int> result;
      std::atomic<int> set = 0;
      Contexts contexts(GetParam());
      for (int i = 0; i < 3; ++i) {
        contexts.start([&, i] {
          try {
            result.set(i);
            ++set;
          } catch (const std::logic_error&) {
          }
        });
        contexts.start([&, i] {
          while (!result.wait(std::chrono::microseconds(i))) yield();
          EXPECT_EQ(result.get(), result.get());
        });
      }
      contexts.join();
      EXPECT_EQ(set, 1);
    }
  });
}

TEST(async_result, is_set_once) {
  AsyncResult<int> result;
  EXPECT_FALSE(result.ready());
  result.set(1);
  EXPECT_THROW(result.set(2), std::logic_error);
  EXPECT_THROW(result.set_exception(std::runtime_error("late")), std::logic_error);
  EXPECT_EQ(result.get(), 1);
  EXPECT_TRUE(result.successful());
  EXPECT_EQ(result.exception(), nullptr);
}

TEST(async_result, get_rethrows_every_time) {
  AsyncResult<void> result;
  result.set_exception(std::range_error("x"));
  EXPECT_THROW(result.get(), std::range_error);
  EXPECT_THROW(result.get(), std::range_error);
  EXPECT_TRUE(result.ready());
  EXPECT_FALSE(result.successful());
  AsyncResult<void> fine;
  EXPECT_THROW(fine.set_exception(std::exception_ptr()), std::invalid_argument);
  fine.set();
  fine.get();
}

TEST(async_result, an_error_nobody_asked_for_is_logged) {
  std::vector<std::string> lines;
  set_log_sink([&](LogLevel, std::string_view line) { lines.emplace_back(line); });
  { AsyncResult<int>().set_exception(std::runtime_error("the cause")); }
  {
    AsyncResult<int> asked;
    asked.set_exception(std::runtime_error("another"));
    EXPECT_NE(asked.exception(), nullptr);
  }
  set_log_sink({});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("the cause"), std::string::npos);
}

TEST(async_result, a_value_that_cannot_be_made_leaves_it_unset) {
  struct Picky {
    explicit Picky(int n) {
      if (n < 0) throw std::range_error("negative");
    }
  };
  AsyncResult<Picky> result;
  EXPECT_THROW(result.set(-1), std::range_error);
  EXPECT_FALSE(result.ready());
  result.set(1);
  EXPECT_TRUE(result.successful());
}

TEST(async_result, waits_end_in_three_ways) {
  run([] {
    AsyncResult<int> result;
    EXPECT_FALSE(result.wait(1ms));
    EXPECT_THROW(result.get(1ms), TimedOut);
    EXPECT_THROW(result.get(-1ms), std::invalid_argument);
    {
      Deadline budget(1ms);
      EXPECT_THROW(result.get(), DeadlineExceeded);
    }
    auto killed = spawn([&] { return result.get(); });
    yield();
    killed.kill_and_join();
    EXPECT_TRUE(killed.cancelled());
    result.set(3);
    EXPECT_EQ(result.get(0s), 3);
  });
}
