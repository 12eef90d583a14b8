#include <hawser/fiber/task_group.h>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
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

TEST(task_group, runs_tasks_on_the_loops_it_is_told) {
  run({.loops = 3}, [] {
    std::array<std::atomic<int>, 3> seen{};
    TaskGroup group;
    for (int i = 0; i < 30; ++i) {
      group.spawn_on(
          i % 3, [&](int extra) { seen[static_cast<std::size_t>(loop_index())] += extra; }, 2);
    }
    EXPECT_EQ(group.size(), 30U);
    group.join();
    EXPECT_EQ(group.size(), 0U);
    for (const auto& count : seen) EXPECT_EQ(count.load(), 20);
    EXPECT_THROW(group.spawn_on(3, [] {}), std::out_of_range);
    EXPECT_THROW(group.spawn_on(-1, [] {}), std::out_of_range);
    EXPECT_EQ(group.size(), 0U);
  });
}

TEST(task_group, an_error_on_one_loop_cancels_the_tasks_of_all) {
  run({.loops = 3}, [] {
    std::atomic<int> cancelled{0};
    const auto wait_for_ever = [&] {
      try {
        sleep(1h);
      } catch (const Cancelled&) {
        ++cancelled;
        throw;
      }
    };
    std::atomic<int> waiting{0};
    TaskGroup group;
    for (int loop = 0; loop < 3; ++loop) {
      group.spawn_on(loop, [&] {
        ++waiting;
        wait_for_ever();
      });
    }
    group.spawn_on(1, [&] {
      while (waiting.load() < 3) yield();
      throw std::range_error("first");
    });
    EXPECT_THROW(group.join(), std::range_error);
    EXPECT_EQ(cancelled.load(), 3);
    EXPECT_EQ(group.errors().size(), 1U);
    // And what comes later never begins.
    group.spawn_on(2, [] { ADD_FAILURE(); });
    EXPECT_THROW(group.join(), std::range_error);
  });
}

TEST(task_group, leaving_the_scope_waits_for_tasks_of_other_loops) {
  run({.loops = 2}, [] {
    for (int round = 0; round < 100; ++round) {
      auto borrowed = std::make_unique<int>(7);
      {
        TaskGroup group;
        group.spawn_on(1, [&] {
          struct Guard {
            int& held;
            ~Guard() { EXPECT_EQ(held, 7); }
          } guard{*borrowed};
          sleep(1h);
        });
        if (round % 2) yield();
      }
      *borrowed = 8;
      borrowed.reset();
    }
  });
}

TEST(task_group, may_be_cancelled_by_a_task_on_another_loop) {
  run({.loops = 2}, [] {
    TaskGroup group;
    group.spawn([] { sleep(1h); });
    group.spawn_on(1, [] { sleep(1h); });
    group.spawn_on(1, [&] { group.cancel(); });
    group.join();
    EXPECT_EQ(group.errors().size(), 0U);
  });
}

TEST(task_group, belongs_to_the_loop_that_made_it) {
  run({.loops = 2}, [] {
    TaskGroup group;
    group.spawn_on(1, [&] {
      EXPECT_THROW(group.spawn([] {}), std::logic_error);
      EXPECT_THROW(group.spawn_on(0, [] {}), std::logic_error);
      EXPECT_THROW(group.join(), std::logic_error);
      EXPECT_THROW(static_cast<void>(group.size()), std::logic_error);
      EXPECT_THROW(static_cast<void>(group.errors()), std::logic_error);
    });
    group.join();
  });
}

TEST(task_group, of_a_run_that_ends_takes_its_tasks_of_all_loops_along) {
  std::atomic<int> ended{0};
  for (int round = 0; round < 50; ++round) {
    run({.loops = 2}, [&] {
      auto left_behind = spawn([&] {
        TaskGroup group;
        for (int loop = 0; loop < 2; ++loop) {
          group.spawn_on(loop, [] { sleep(1h); });
        }
        struct Count {
          std::atomic<int>& to;
          ~Count() { ++to; }
        } count{ended};
        group.join();
      });
      yield();
    });
  }
  EXPECT_EQ(ended.load(), 50);
}
