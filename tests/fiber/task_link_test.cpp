// Task::link, kill_and_join, kill_all: what happens at the end of a task.
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/base/log.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

// What is logged while it lives.
class LogLines {
 public:
  LogLines() {
    set_log_sink([this](LogLevel, std::string_view line) { lines.emplace_back(line); });
  }
  LogLines(const LogLines&) = delete;
  LogLines& operator=(const LogLines&) = delete;
  ~LogLines() { set_log_sink({}); }
  std::vector<std::string> lines;
};

}  // namespace

TEST(link, is_called_in_the_fiber_that_ended_in_the_order_of_linking) {
  run([] {
    std::string order;
    auto task = spawn([&] {
      set_fiber_name("the body");
      order += 'b';
      return 7;
    });
    task.link([&](const Task<int>& ended) {
      EXPECT_TRUE(ended.ready());
      EXPECT_EQ(ended.get(), 7);
      EXPECT_EQ(fiber_name(), "the body");
      order += '1';
    });
    task.link([&] { order += '2'; });
    AnyTask(task).link([&](const AnyTask& ended) { order += ended.successful() ? '3' : '?'; });
    EXPECT_EQ(order, "");
    task.join();
    EXPECT_EQ(order, "b123");
  });
}

TEST(link, is_called_at_once_when_the_task_has_ended) {
  run([] {
    auto task = spawn([] {});
    task.join();
    bool called = false;
    task.link([&] {
      EXPECT_EQ(fiber_name(), "main");
      called = true;
    });
    EXPECT_TRUE(called);
  });
}

TEST(link, one_that_throws_is_logged_and_the_rest_are_called) {
  const LogLines log;
  run([] {
    int called = 0;
    auto task = spawn([] {});
    task.set_name("worker");
    task.link([] { throw std::runtime_error("the callback broke"); });
    task.link([&] { ++called; });
    task.join();
    task.link([] { throw std::runtime_error("this one too"); });
    EXPECT_EQ(called, 1);
    EXPECT_TRUE(task.successful());
  });
  ASSERT_EQ(log.lines.size(), 2U);
  EXPECT_NE(log.lines[0].find("the callback broke"), std::string::npos);
  EXPECT_NE(log.lines[0].find("worker"), std::string::npos);
  EXPECT_NE(log.lines[1].find("this one too"), std::string::npos);
}

TEST(link, sees_the_error_and_does_not_hide_it) {
  const LogLines log;
  run([] {
    bool failed = false;
    auto task = spawn([] { throw std::range_error("the cause"); });
    task.link([&](const Task<void>& ended) { failed = !ended.successful(); });
    task.join();
    EXPECT_TRUE(failed);
  });
  ASSERT_EQ(log.lines.size(), 1U) << "nobody asked for the error";
  EXPECT_NE(log.lines[0].find("the cause"), std::string::npos);
}

TEST(link, is_called_in_a_fiber_also_when_the_task_was_killed_before_its_start) {
  run([] {
    bool ran = false;
    std::string seen;
    auto task = spawn([&] { ran = true; });
    task.link([&](const Task<void>& ended) {
      EXPECT_TRUE(in_fiber());
      EXPECT_TRUE(ended.cancelled());
      sleep(1ms);
      seen = "waited";
    });
    task.kill();
    // Whoever waits meanwhile must not be the one whose stack the callback waits on.
    for (int i = 0; i < 3; ++i) yield();
    EXPECT_THROW(task.get(), Cancelled);
    while (seen.empty()) yield();
    EXPECT_FALSE(ran);
  });
}

TEST(link, is_not_reached_by_a_kill_of_the_task) {
  run([] {
    bool done = false;
    auto task = spawn([] { sleep(1h); });
    task.link([&] {
      sleep(1ms);
      done = true;
    });
    yield();
    task.kill();
    while (!done) yield();
    EXPECT_TRUE(task.cancelled());
  });
}

TEST(link, may_ask_link_and_spawn) {
  run([] {
    std::string order;
    auto task = spawn([] { return 1; });
    task.link([&](const Task<int>& ended) {
      ended.link([&] { order += 'n'; });  // has ended: at once
      static_cast<void>(spawn([&] { order += 's'; }));
      order += 'l';
    });
    task.join();
    yield();
    EXPECT_EQ(order, "nls");
  });
}

TEST(link, is_called_once_whoever_links_while_the_task_ends) {
  run({.loops = 2}, [] {
    for (int round = 0; round < 2'000; ++round) {
      std::atomic<int> called = 0;
      auto task = spawn_on(1, [] {});
      for (int i = 0; i < 4; ++i) task.link([&] { ++called; });
      if (round % 3 == 0) task.kill();
      task.join();
      while (called < 4) yield();
      EXPECT_EQ(called, 4);
    }
  });
}

TEST(link, callbacks_of_tasks_that_never_ran_are_called_when_run_ends) {
  std::atomic<int> called = 0;
  run([&] {
    for (int i = 0; i < 3; ++i) {
      auto task = spawn([] { FAIL() << "main has ended already"; });
      task.link([&] { ++called; });
    }
  });
  EXPECT_EQ(called, 3);
}

TEST(kill_and_join, returns_when_the_task_has_ended) {
  run([] {
    auto task = spawn([] { sleep(1h); });
    yield();
    EXPECT_TRUE(task.kill_and_join());
    EXPECT_TRUE(task.cancelled());
    EXPECT_TRUE(task.kill_and_join()) << "once more does no harm";
  });
}

TEST(kill_and_join, tells_when_the_task_takes_longer) {
  run([] {
    bool go = false;
    auto task = spawn([&] {
      try {
        sleep(1h);
      } catch (const Cancelled&) {
        const Shield shield;
        while (!go) yield();
        throw;
      }
    });
    yield();
    EXPECT_FALSE(task.kill_and_join(1ms));
    EXPECT_THROW(task.kill_and_join(-1ms), std::invalid_argument);
    go = true;
    EXPECT_TRUE(task.kill_and_join());
  });
}

TEST(kill_and_join, of_oneself_leaves_at_once) {
  run([] {
    Task<void> self;
    self = spawn([&] {
      self.kill_and_join();
      FAIL();
    });
    self.join();
    EXPECT_TRUE(self.cancelled());
  });
}

TEST(kill_all, kills_first_and_waits_then) {
  run([] {
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 5; ++i) tasks.push_back(spawn([] { sleep(1h); }));
    yield();
    EXPECT_TRUE(kill_all(tasks));
    for (const auto& task : tasks) EXPECT_TRUE(task.cancelled());
  });
}
