// as_completed, wait_any, join_all with a timeout: waiting for several tasks.
#include <hawser/fiber/as_completed.h>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/waiter.h>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

// Tasks that end with their number when they are let go.
class Gated {
 public:
  explicit Gated(int count) : open_(static_cast<std::size_t>(count)) {
    for (int i = 0; i < count; ++i) {
      tasks.push_back(spawn([this, i] {
        while (!open_[static_cast<std::size_t>(i)]) yield();
        return i;
      }));
    }
  }
  void open(int i) { open_[static_cast<std::size_t>(i)] = true; }
  std::vector<Task<int>> tasks;

 private:
  std::vector<std::atomic<bool>> open_;
};

}  // namespace

TEST(as_completed, yields_in_the_order_of_the_ends) {
  run([] {
    Gated gated(4);
    const std::vector<int> order{2, 0, 3, 1};
    auto opener = spawn([&] {
      for (int i : order) {
        gated.open(i);
        gated.tasks[static_cast<std::size_t>(i)].join();
      }
    });
    std::vector<int> seen;
    for (const Task<int>& task : as_completed(gated.tasks)) seen.push_back(task.get());
    EXPECT_EQ(seen, order);
    opener.get();
  });
}

TEST(as_completed, yields_those_that_had_ended_first_in_the_order_given) {
  run([] {
    Gated gated(4);
    gated.open(3);
    gated.open(1);
    gated.tasks[3].join();
    gated.tasks[1].join();
    auto completed = as_completed(gated.tasks);
    auto it = completed.begin();
    EXPECT_EQ((*it).get(), 1);
    EXPECT_EQ(it.index(), 1U);
    EXPECT_EQ((*++it).get(), 3);
    gated.open(0);
    EXPECT_EQ((*++it).get(), 0);
    gated.open(2);
    EXPECT_EQ((*++it).get(), 2);
    EXPECT_TRUE(++it == completed.end());
  });
}

TEST(as_completed, of_nothing_is_empty) {
  run([] {
    for ([[maybe_unused]] const auto& task : as_completed(std::vector<Task<int>>{})) FAIL();
  });
}

TEST(as_completed, has_one_timeout_for_all) {
  run([] {
    Gated gated(3);
    gated.open(1);
    std::vector<int> seen;
    try {
      for (const auto& task : as_completed(gated.tasks, 5ms)) seen.push_back(task.get());
      FAIL();
    } catch (const TimedOut& late) {
      EXPECT_NE(std::string(late.what()).find("2 of 3"), std::string::npos) << late.what();
    }
    EXPECT_EQ(seen, std::vector<int>{1});
    EXPECT_THROW(static_cast<void>(as_completed(gated.tasks, -1ms)), std::invalid_argument);
    for (int i : {0, 2}) gated.open(i);
    join_all(gated.tasks);
  });
}

TEST(as_completed, leaves_errors_in_their_tasks) {
  run([] {
    std::vector<Task<void>> tasks;
    tasks.push_back(spawn([] { throw std::range_error("x"); }));
    tasks.push_back(spawn([] { sleep(1h); }));
    yield();
    tasks[1].kill();
    int failed = 0;
    for (const auto& task : as_completed(tasks)) {
      if (!task.cancelled()) {
        EXPECT_THROW(task.get(), std::range_error);
      }
      ++failed;
    }
    EXPECT_EQ(failed, 2);
  });
}

TEST(as_completed, may_be_left_early) {
  run({.loops = 2}, [] {
    for (int round = 0; round < 500; ++round) {
      std::vector<Task<int>> tasks;
      for (int i = 0; i < 4; ++i) tasks.push_back(spawn_on(i % 2, [i] { return i; }));
      for (const auto& task : as_completed(tasks)) {
        EXPECT_TRUE(task.successful());
        break;
      }
      join_all(tasks);
    }
  });
}

TEST(as_completed, every_task_comes_once_from_all_loops_and_on_a_thread) {
  run({.loops = 2}, [] {
    for (int round = 0; round < 200; ++round) {
      std::vector<Task<int>> tasks;
      for (int i = 0; i < 20; ++i) {
        tasks.push_back(spawn_on(i % 2, [i] {
          if (i % 3 == 0) yield();
          return i;
        }));
      }
      int sum = 0;
      std::atomic<bool> ended = false;
      std::thread reader([&] {
        for (const auto& task : as_completed(tasks)) sum += task.get();
        ended = true;
      });
      while (!ended) yield();
      reader.join();
      EXPECT_EQ(sum, 190);
    }
  });
}

TEST(as_completed, a_deadline_or_a_kill_ends_the_wait) {
  run([] {
    Gated gated(1);
    const auto wait = [&] {
      for ([[maybe_unused]] const auto& task : as_completed(gated.tasks)) FAIL();
    };
    {
      Deadline budget(1ms, "budget");
      EXPECT_THROW(wait(), DeadlineExceeded);
    }
    auto waiter = spawn(wait);
    yield();
    waiter.kill_and_join();
    EXPECT_TRUE(waiter.cancelled());
    gated.open(0);
    EXPECT_EQ(gated.tasks[0].get(), 0);
  });
}

TEST(as_completed, of_oneself_is_an_error) {
  run([] {
    Task<void> self;
    self = spawn([&] { static_cast<void>(wait_any(std::array{self})); });
    EXPECT_THROW(self.get(), std::logic_error);
  });
}

TEST(wait_any, gives_the_first_to_end) {
  run([] {
    Gated gated(3);
    EXPECT_EQ(wait_any(gated.tasks, 1ms), std::nullopt);
    EXPECT_EQ(wait_any(gated.tasks, 0ms), std::nullopt);
    gated.open(2);
    EXPECT_EQ(wait_any(gated.tasks), 2U);
    EXPECT_EQ(wait_any(gated.tasks, 0ms), 2U) << "again: it has ended";
    gated.open(0);
    gated.open(1);
    join_all(gated.tasks);
    EXPECT_EQ(wait_any(gated.tasks), 0U);
    EXPECT_EQ(wait_any(std::vector<Task<int>>{}), std::nullopt);
  });
}

TEST(wait_any, takes_tasks_of_different_types) {
  run([] {
    auto slow = spawn([] {
      sleep(1h);
      return 1;
    });
    auto quick = spawn([] { return std::string("done"); });
    EXPECT_EQ(wait_any(slow, quick), 1U);
    EXPECT_EQ(wait_any(std::array<AnyTask, 2>{slow, quick}), 1U);
    slow.kill_and_join();
  });
}

TEST(wait_any, timeouts_against_ends_lose_nothing) {
  run({.loops = 2}, [] {
    for (int round = 0; round < 2'000; ++round) {
      auto task = spawn_on(round % 2, [round] {
        for (int i = 0; i < round % 5; ++i) yield();
        return round;
      });
      while (!wait_any(std::array{task}, std::chrono::microseconds(round % 60))) yield();
      EXPECT_EQ(task.value(), round);
    }
  });
}

TEST(join_all, with_a_timeout_returns_those_that_ended) {
  run([] {
    Gated gated(4);
    gated.open(3);
    gated.open(1);
    const auto ended = join_all(gated.tasks, 5ms);
    ASSERT_EQ(ended.size(), 2U);
    EXPECT_EQ(ended[0].get(), 1);
    EXPECT_EQ(ended[1].get(), 3);
    for (int i : {0, 2}) gated.open(i);
    EXPECT_EQ(join_all(gated.tasks, 1h).size(), 4U);
    EXPECT_THROW(join_all(gated.tasks, -1ms), std::invalid_argument);
  });
}
