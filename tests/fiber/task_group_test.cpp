#include <hawser/fiber/task_group.h>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/base/log.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/run.h>

using namespace hawser;
using namespace std::chrono_literals;

TEST(task_group, join_waits_for_all) {
  run([] {
    int ended = 0;
    TaskGroup group;
    for (int i = 0; i < 10; ++i) {
      group.spawn([&] {
        sleep(1ms);
        ++ended;
      });
    }
    EXPECT_EQ(group.size(), 10U);
    group.join();
    EXPECT_EQ(ended, 10);
  });
}

TEST(task_group, the_first_error_cancels_the_rest_and_is_rethrown) {
  run([] {
    int cancelled = 0;
    TaskGroup group;
    for (int i = 0; i < 3; ++i) {
      group.spawn([&] {
        try {
          sleep(1h);
        } catch (const Cancelled&) {
          ++cancelled;
          throw;
        }
      });
    }
    group.spawn([] { throw std::range_error("first"); });
    EXPECT_THROW(group.join(), std::range_error);
    EXPECT_EQ(cancelled, 3);
  });
}

TEST(task_group, keeps_the_other_errors) {
  run([] {
    TaskGroup group;
    group.spawn([] {
      try {
        sleep(1h);
      } catch (const Cancelled&) {
        throw std::domain_error("second");
      }
    });
    group.spawn([] { throw std::range_error("first"); });
    EXPECT_THROW(group.join(), std::range_error);
    EXPECT_EQ(group.errors().size(), 1U + 1U);
  });
}

TEST(task_group, leaving_the_scope_cancels_and_waits) {
  run([] {
    bool ended = false;
    {
      TaskGroup group;
      group.spawn([&] {
        struct Guard {
          bool& flag;
          ~Guard() { flag = true; }
        } guard{ended};
        sleep(1h);
      });
      yield();
    }
    EXPECT_TRUE(ended);
  });
}

TEST(task_group, a_deadline_on_join_cancels_the_tasks) {
  run([] {
    TaskGroup group;
    group.spawn([] { sleep(1h); });
    EXPECT_THROW(
        {
          Deadline budget(2ms);
          group.join();
        },
        DeadlineExceeded);
    EXPECT_EQ(group.size(), 0U);
  });
}

TEST(task_group, an_error_that_nobody_joined_is_logged) {
  std::vector<std::string> lines;
  set_log_sink([&](LogLevel, std::string_view line) { lines.emplace_back(line); });
  run([] {
    TaskGroup group;
    group.spawn([] { throw std::runtime_error("lost?"); });
    yield();
  });
  set_log_sink({});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("lost?"), std::string::npos);
}
