// LifoQueue and PriorityQueue: what both do as Queue does, and the order that each has of its own.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/fiber/deadline.h>
#include <hawser/sync/lifo_queue.h>
#include <hawser/sync/priority_queue.h>

#include "sync/contexts.h"
#include "sync/queue_contract.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

namespace {

// Calls body with a queue of each kind.
template <class Body>
void with_each(std::ptrdiff_t bound, Body body) {
  {
    SCOPED_TRACE("LifoQueue");
    LifoQueue<int> queue(bound);
    body(queue);
  }
  {
    SCOPED_TRACE("PriorityQueue");
    PriorityQueue<int> queue(bound);
    body(queue);
  }
}

struct Job {
  int urgency;
  int number;
};
struct MoreUrgent {
  bool operator()(const Job& a, const Job& b) const { return a.urgency > b.urgency; }
};

}  // namespace

class OrderedQueuesEverywhere : public Everywhere {};
HAWSER_EVERYWHERE(OrderedQueuesEverywhere);

TEST_P(OrderedQueuesEverywhere, every_item_arrives_once) {
  run_in(GetParam(), [] {
    for (int bound : {0, 1, 7}) {
      with_each(bound, [](auto& queue) { expect_that_every_item_arrives_once(GetParam(), queue); });
    }
  });
}

TEST_P(OrderedQueuesEverywhere, waiters_that_time_out_lose_no_item) {
  run_in(GetParam(),
         [] { with_each(2, [](auto& queue) { expect_that_waiters_that_time_out_lose_no_item(GetParam(), queue); }); });
}

TEST_P(OrderedQueuesEverywhere, shutdown_frees_all_who_wait) {
  run_in(GetParam(), [] {
    for (const bool immediate : {false, true}) {
      with_each(1, [=](auto& queue) { expect_that_shutdown_frees_all_who_wait(GetParam(), queue, immediate); });
    }
  });
}

TEST(ordered_queues, full_and_empty_are_thrown) {
  run([] {
    with_each(2, [](auto& queue) {
      EXPECT_THROW(queue.get_nowait(), Empty);
      EXPECT_THROW(queue.get(1ms), Empty);
      EXPECT_THROW(queue.get(-1ms), std::invalid_argument);
      EXPECT_FALSE(queue.try_get());
      queue.put(1);
      queue.put_nowait(2);
      EXPECT_TRUE(queue.full());
      EXPECT_EQ(queue.qsize(), 2U);
      EXPECT_EQ(queue.maxsize(), 2U);
      EXPECT_THROW(queue.put_nowait(3), Full);
      EXPECT_THROW(queue.put(3, 0s), Full);
      EXPECT_THROW(queue.put(3, -1ms), std::invalid_argument);
      int item = 3;
      EXPECT_FALSE(queue.try_put(std::move(item)));
      EXPECT_FALSE(queue.join(0s));
      queue.get();
      queue.get();
      queue.task_done();
      queue.task_done();
      EXPECT_TRUE(queue.join());
      EXPECT_THROW(queue.task_done(), std::logic_error);
    });
    with_each(0, [](auto& queue) { EXPECT_EQ(queue.maxsize(), 0U); });
    with_each(-1, [](auto& queue) { EXPECT_EQ(queue.maxsize(), 0U); });
  });
}

TEST(ordered_queues, cancelling_a_getter_against_a_put_loses_no_item) {
  run(RunOptions{.loops = 2}, [] {
    for (int round = 0; round < 1500; ++round) {
      with_each(0, [](auto& queue) {
        std::atomic<int> got = 0;
        auto killed = spawn_on(1, [&] {
          queue.get();
          ++got;
        });
        auto other = spawn([&] {
          queue.get();
          ++got;
        });
        yield();
        killed.kill();
        queue.put(1);
        queue.put(2);
        other.get();
        killed.join();
        EXPECT_EQ(got + static_cast<int>(queue.qsize()), 2);
      });
    }
  });
}

TEST(ordered_queues, a_deadline_ends_a_wait) {
  run([] {
    with_each(1, [](auto& queue) {
      Deadline budget(1ms);
      EXPECT_THROW(queue.get(), DeadlineExceeded);
      queue.put(1);
      EXPECT_THROW(queue.put(2), DeadlineExceeded);
      EXPECT_EQ(queue.qsize(), 1U);
    });
  });
}

TEST(lifo_queue, the_latest_comes_out_first) {
  LifoQueue<std::unique_ptr<int>> queue;
  for (int n : {1, 2, 3}) queue.put(std::make_unique<int>(n));
  for (int n : {3, 2, 1}) EXPECT_EQ(*queue.get(), n);
}

TEST(priority_queue, the_least_comes_out_first) {
  PriorityQueue<int> queue;
  std::uint32_t random = 1;
  for (int n = 0; n < 1000; ++n) queue.put(static_cast<int>((random = random * 1664525 + 1013904223) >> 20));
  int last = 0;
  for (int n = 0; n < 1000; ++n) {
    const int next = queue.get();
    EXPECT_LE(last, next);
    last = next;
  }
}

TEST(priority_queue, equal_ones_come_out_as_they_were_put) {
  PriorityQueue<Job, MoreUrgent> queue;
  std::uint32_t random = 7;
  for (int n = 0; n < 2000; ++n) {
    queue.put({static_cast<int>((random = random * 1664525 + 1013904223) >> 30), n});
    if (n % 3 == 0) queue.get();
  }
  Job last{100, 0};
  while (auto next = queue.try_get()) {
    EXPECT_TRUE(next->urgency < last.urgency || (next->urgency == last.urgency && next->number > last.number));
    last = *next;
  }
}

TEST(priority_queue, a_comparison_that_throws_changes_nothing) {
  struct Touchy {
    bool* angry;
    bool operator()(const std::string& a, const std::string& b) const {
      if (*angry) throw std::range_error("touchy");
      return a < b;
    }
  };
  bool angry = false;
  PriorityQueue<std::string, Touchy> queue(0, Touchy{&angry});
  for (const char* word : {"plum", "fig", "apple", "pear", "date"}) queue.put(word);
  angry = true;
  std::string item = std::string(50, 'x');
  EXPECT_THROW(static_cast<void>(queue.try_put(std::move(item))), std::range_error);
  EXPECT_EQ(item.size(), 50U);  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_THROW(queue.get(), std::range_error);
  angry = false;
  for (const char* word : {"apple", "date", "fig", "pear", "plum"}) EXPECT_EQ(queue.get(), word);
  queue.shutdown(true);
}

TEST(ordered_queues, a_move_that_throws_loses_nothing) {
  static int calm;
  struct Heavy {
    explicit Heavy(int v) : value(v) {}
    Heavy(Heavy&& other) : value(other.value) {
      if (calm-- == 0) throw std::range_error("too heavy");
    }
    Heavy& operator=(Heavy&&) = delete;
    bool operator<(const Heavy& other) const { return value < other.value; }
    int value;
  };
  const auto drain = [](auto& queue) {
    for (int n = 0; n < 10; ++n) {
      calm = 1000;
      queue.put(Heavy(n));
      Heavy refused(99);
      calm = 0;
      EXPECT_THROW(static_cast<void>(queue.try_put(std::move(refused))), std::range_error);
    }
    std::vector<int> values;
    while (!queue.empty()) {
      calm = 0;
      EXPECT_THROW(static_cast<void>(queue.try_get()), std::range_error);
      calm = 1000;
      values.push_back(queue.get().value);
    }
    return values;
  };
  PriorityQueue<Heavy> priority;
  LifoQueue<Heavy> lifo;
  EXPECT_EQ(drain(priority), (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(drain(lifo), (std::vector<int>{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}));
}
