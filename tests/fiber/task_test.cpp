#include <hawser/fiber/task.h>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/base/log.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/run.h>

using namespace hawser;
using namespace std::chrono_literals;

TEST(run, returns_what_main_returns) {
  EXPECT_EQ(run([] { return 7; }), 7);
}

TEST(run, rethrows_what_main_throws) {
  EXPECT_THROW(run([] { throw std::domain_error("no"); }), std::domain_error);
}

TEST(run, can_be_called_again_and_refuses_to_nest) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run([i] { return i; }), i);
  EXPECT_THROW(run([] { run([] {}); }), std::logic_error);
}

TEST(run, cancels_what_still_runs_when_main_ends) {
  bool cleaned_up = false;
  run([&] {
    static_cast<void>(spawn([&] {
      struct Guard {
        bool& flag;
        ~Guard() { flag = true; }
      } guard{cleaned_up};
      sleep(1h);
    }));
    yield();
  });
  EXPECT_TRUE(cleaned_up);
}

TEST(spawn, does_not_run_the_body_before_the_spawner_yields_and_keeps_the_order) {
  std::string order;
  run([&] {
    auto a = spawn([&] { order += 'a'; });
    auto b = spawn([&] { order += 'b'; });
    order += 'm';
    join_all(a, b);
  });
  EXPECT_EQ(order, "mab");
}

TEST(spawn, passes_arguments_and_gives_the_value_every_time) {
  run([] {
    Task<int> sum = spawn([](int a, int b) { return a + b; }, 2, 3);
    EXPECT_EQ(sum.get(), 5);
    EXPECT_EQ(sum.get(), 5);
    EXPECT_EQ(sum.value(), 5);
    EXPECT_TRUE(sum.successful());
  });
}

TEST(spawn, outside_run_is_an_error) {
  EXPECT_THROW(static_cast<void>(spawn([] {})), std::logic_error);
}

TEST(task, get_rethrows_every_time) {
  run([] {
    Task<void> failing = spawn([] { throw std::range_error("x"); });
    EXPECT_THROW(failing.get(), std::range_error);
    EXPECT_THROW(failing.get(), std::range_error);
    EXPECT_TRUE(failing.ready());
    EXPECT_FALSE(failing.successful());
    EXPECT_FALSE(failing.cancelled());
  });
}

TEST(task, an_error_nobody_asked_for_is_logged_once) {
  std::vector<std::string> lines;
  set_log_sink([&](LogLevel, std::string_view line) { lines.emplace_back(line); });
  run([] {
    Task<void> failing = spawn([] { throw std::runtime_error("the cause"); });
    failing.set_name("worker");
    failing.join();
  });
  set_log_sink({});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("the cause"), std::string::npos);
  EXPECT_NE(lines[0].find("worker"), std::string::npos);
}

TEST(task, join_with_a_timeout_tells_whether_it_ended) {
  run([] {
    auto slow = spawn([] { sleep(1h); });
    EXPECT_FALSE(slow.join(1ms));
    EXPECT_FALSE(slow.join(0ms));
    EXPECT_THROW(slow.get(1ms), TimedOut);
    EXPECT_THROW(slow.join(-1ms), std::invalid_argument);
    slow.kill();
    EXPECT_TRUE(slow.join());
  });
}

TEST(task, joining_itself_is_an_error) {
  run([] {
    Task<void> self;
    self = spawn([&] { self.join(); });
    EXPECT_THROW(self.get(), std::logic_error);
  });
}

TEST(task, kill_takes_effect_at_the_next_blocking_call_and_runs_destructors) {
  run([] {
    bool destroyed = false;
    auto task = spawn([&] {
      struct Guard {
        bool& flag;
        ~Guard() { flag = true; }
      } guard{destroyed};
      sleep(1h);
    });
    yield();
    task.kill();
    task.join();
    EXPECT_TRUE(destroyed);
    EXPECT_TRUE(task.cancelled());
    EXPECT_THROW(task.get(), Cancelled);
  });
}

TEST(task, killed_before_it_starts_never_runs) {
  run([] {
    bool ran = false;
    auto task = spawn([&] { ran = true; });
    task.kill();
    task.join();
    EXPECT_FALSE(ran);
    EXPECT_TRUE(task.cancelled());
  });
}

TEST(task, shield_holds_a_kill_back) {
  run([] {
    std::string steps;
    auto task = spawn([&] {
      {
        Shield shield;
        sleep(2ms);
        steps += "finished";
      }
      sleep(1h);
      steps += "never";
    });
    yield();
    task.kill();
    task.join();
    EXPECT_EQ(steps, "finished");
    EXPECT_TRUE(task.cancelled());
  });
}

TEST(task, destructors_may_wait_while_a_kill_unwinds) {
  run([] {
    bool waited = false;
    auto task = spawn([&] {
      struct Guard {
        bool& flag;
        ~Guard() {
          sleep(1ms);
          flag = true;
        }
      } guard{waited};
      sleep(1h);
    });
    yield();
    task.kill();
    task.join();
    EXPECT_TRUE(waited);
  });
}

TEST(task, can_be_joined_and_killed_from_a_plain_thread) {
  run({.loops = 2}, [] {
    for (int round = 0; round < 300; ++round) {
      auto task = spawn_on(round % 2, [] { sleep(1h); });
      std::thread killer([&] {
        task.kill();
        task.join();
      });
      task.join();
      killer.join();
      EXPECT_TRUE(task.cancelled());
    }
  });
}

TEST(spawn_on, runs_on_the_loop_that_was_named) {
  run({.loops = 3}, [] {
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(spawn_on(i, [] { return loop_index(); }).get(), i);
    }
    EXPECT_THROW(static_cast<void>(spawn_on(3, [] {})), std::out_of_range);
  });
}

TEST(spawn_on, an_exception_may_be_looked_at_when_its_task_has_gone) {
  run({.loops = 2}, [] {
    for (int round = 0; round < 300; ++round) {
      try {
        spawn_on(1, [] { throw std::runtime_error("no such host"); }).get();
      } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "no such host");
      }
    }
  });
}

TEST(spawn, a_hundred_thousand_parked_fibers) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr int kFibers = 2'000;
#else
  constexpr int kFibers = 100'000;
#endif
  int ended = 0;
  run([&] {
    std::vector<Task<void>> all;
    for (int i = 0; i < kFibers; ++i) {
      all.push_back(spawn([&] {
        try {
          sleep(1h);
        } catch (const Cancelled&) {
          ++ended;
          throw;
        }
      }));
    }
    yield();
    for (auto& task : all) task.kill();
    for (auto& task : all) task.join();
  });
  EXPECT_EQ(ended, kFibers);
}

TEST(fiber, keeps_its_exceptions_across_switches) {
  run([] {
    auto juggle = [](int self) {
      for (int i = 0; i < 50; ++i) {
        try {
          throw self;
        } catch (int caught) {
          yield();
          EXPECT_EQ(caught, self);
          try {
            throw;
          } catch (int again) {
            EXPECT_EQ(again, self);
          }
        }
        EXPECT_EQ(std::uncaught_exceptions(), 0);
      }
    };
    auto a = spawn(juggle, 1), b = spawn(juggle, 2);
    join_all(a, b);
  });
}

TEST(fiber, keeps_its_errno_across_switches) {
  run([] {
    auto other = spawn([] {
      errno = ENOENT;
      yield();
      EXPECT_EQ(errno, ENOENT);
    });
    errno = EAGAIN;
    yield();
    EXPECT_EQ(errno, EAGAIN);
    other.join();
  });
}
