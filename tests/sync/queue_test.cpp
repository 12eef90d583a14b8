#include <hawser/sync/queue.h>

#include <atomic>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>

#include <hawser/base/errors.h>

#include "sync/contexts.h"
#include "sync/queue_contract.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class QueueEverywhere : public Everywhere {};
HAWSER_EVERYWHERE(QueueEverywhere);

TEST_P(QueueEverywhere, every_item_arrives_once) {
  for (int bound : {0, 1, 7}) {
    run_in(GetParam(), [bound] {
      Queue<int> queue(bound);
      expect_that_every_item_arrives_once(GetParam(), queue);
    });
  }
}

TEST_P(QueueEverywhere, keeps_the_order_of_one_putter) {
  run_in(GetParam(), [] {
    Queue<int> queue(5);
    Contexts contexts(GetParam());
    contexts.start([&] {
      for (int n = 0; n < 3000; ++n) queue.put(n);
    });
    for (int n = 0; n < 3000; ++n) ASSERT_EQ(queue.get(), n);
    contexts.join();
  });
}

TEST_P(QueueEverywhere, waiters_that_time_out_lose_no_item) {
  run_in(GetParam(), [] {
    Queue<int> queue(2);
    expect_that_waiters_that_time_out_lose_no_item(GetParam(), queue);
  });
}

TEST_P(QueueEverywhere, join_waits_for_every_task_done) {
  run_in(GetParam(), [] {
    Queue<int> queue;
    std::atomic<int> done = 0;
    Contexts contexts(GetParam());
    for (int n = 0; n < 200; ++n) queue.put(n);
    for (int c = 0; c < 4; ++c) {
      contexts.start([&] {
        for (int n = 0; n < 50; ++n) {
          queue.get();
          ++done;
          queue.task_done();
        }
      });
    }
    EXPECT_TRUE(queue.join());
    EXPECT_EQ(done, 200);
    contexts.join();
  });
}

TEST_P(QueueEverywhere, shutdown_frees_all_who_wait) {
  run_in(GetParam(), [] {
    for (const bool immediate : {false, true}) {
      Queue<int> queue(1);
      expect_that_shutdown_frees_all_who_wait(GetParam(), queue, immediate);
    }
  });
}

TEST(queue, a_bound_of_zero_or_less_is_none) {
  Queue<int> queue(-1);
  for (int n = 0; n < 10000; ++n) queue.put_nowait(n);
  EXPECT_EQ(queue.qsize(), 10000U);
  EXPECT_FALSE(queue.full());
  EXPECT_EQ(queue.maxsize(), 0U);
  for (int n = 0; n < 10000; ++n) EXPECT_EQ(queue.get_nowait(), n);
}

TEST(queue, says_full_and_empty) {
  Queue<int> queue(2);
  EXPECT_THROW(queue.get_nowait(), Empty);
  EXPECT_THROW(queue.get(0s), Empty);
  EXPECT_THROW(queue.get(1ms), Empty);
  EXPECT_EQ(queue.try_get(), std::nullopt);
  queue.put(1);
  queue.put(2);
  EXPECT_TRUE(queue.full());
  EXPECT_THROW(queue.put_nowait(3), Full);
  EXPECT_THROW(queue.put(3, 0s), Full);
  EXPECT_THROW(queue.put(3, 1ms), Full);
  EXPECT_EQ(queue.qsize(), 2U);
  EXPECT_THROW(queue.put(3, -1s), std::invalid_argument);
  EXPECT_THROW(queue.get(-1s), std::invalid_argument);
}

TEST(queue, carries_what_can_only_be_moved) {
  Queue<std::unique_ptr<std::string>> queue(1);
  queue.put(std::make_unique<std::string>("one"));
  auto second = std::make_unique<std::string>("two");
  EXPECT_FALSE(queue.try_put(std::move(second)));
  ASSERT_TRUE(second);
  EXPECT_EQ(*queue.get(), "one");
  EXPECT_TRUE(queue.try_put(std::move(second)));
  EXPECT_EQ(**queue.try_get(), "two");
}

TEST(queue, destroys_what_is_left_in_it) {
  auto item = std::make_shared<int>(1);
  {
    Queue<std::shared_ptr<int>> queue;
    for (int n = 0; n < 200; ++n) queue.put(item);
    for (int n = 0; n < 70; ++n) queue.get();
    EXPECT_EQ(item.use_count(), 131);
  }
  EXPECT_EQ(item.use_count(), 1);
}

namespace {

struct Fragile {
  explicit Fragile(int n) : number(n) {}
  Fragile(Fragile&& other) : number(other.number) {
    if (--moves_left < 0) throw std::runtime_error("broken in transit");
  }
  int number;
  static inline int moves_left = 0;
};

}  // namespace

TEST(queue, an_item_whose_move_throws_stays_where_it_was) {
  Queue<Fragile> queue;
  Fragile::moves_left = 0;
  Fragile item(7);
  EXPECT_THROW(static_cast<void>(queue.try_put(std::move(item))), std::runtime_error);
  EXPECT_TRUE(queue.empty());
  Fragile::moves_left = 1;
  EXPECT_TRUE(queue.try_put(std::move(item)));
  EXPECT_THROW(queue.get(), std::runtime_error);
  EXPECT_EQ(queue.qsize(), 1U);
  Fragile::moves_left = 9;
  EXPECT_EQ(queue.get().number, 7);
}

TEST(queue, task_done_too_often_is_an_error) {
  Queue<int> queue;
  EXPECT_THROW(queue.task_done(), std::logic_error);
  queue.put(1);
  EXPECT_FALSE(queue.join(0s));
  queue.task_done();
  EXPECT_TRUE(queue.join());
  EXPECT_THROW(queue.task_done(), std::logic_error);
}

TEST(queue, shutdown_refuses_putters_and_lets_getters_drain) {
  Queue<int> queue;
  queue.put(1);
  queue.put(2);
  queue.shutdown();
  queue.shutdown();
  EXPECT_TRUE(queue.is_shut_down());
  EXPECT_THROW(queue.put(3), ShutDown);
  EXPECT_THROW(queue.put_nowait(3), ShutDown);
  EXPECT_EQ(queue.get(), 1);
  EXPECT_EQ(queue.try_get(), 2);
  EXPECT_THROW(queue.get(), ShutDown);
  EXPECT_THROW(static_cast<void>(queue.try_get()), ShutDown);
  queue.task_done();
  queue.task_done();
  EXPECT_TRUE(queue.join());
}

TEST(queue, immediate_shutdown_drops_what_is_left_and_frees_joiners) {
  run([] {
    Queue<std::shared_ptr<int>> queue;
    auto item = std::make_shared<int>(1);
    queue.put(item);
    queue.put(item);
    queue.get();
    auto joiner = spawn([&] { return queue.join(); });
    yield();
    queue.shutdown(true);
    EXPECT_TRUE(joiner.get());
    EXPECT_EQ(item.use_count(), 1);
    EXPECT_THROW(queue.get(), ShutDown);
    queue.task_done();
    EXPECT_THROW(queue.task_done(), std::logic_error);
  });
}

TEST(queue, an_items_destructor_may_use_the_queue_that_is_shut_down) {
  struct Asks {
    Queue<std::unique_ptr<Asks>>& queue;
    explicit Asks(Queue<std::unique_ptr<Asks>>& q) : queue(q) {}
    ~Asks() { EXPECT_TRUE(queue.empty()); }
  };
  Queue<std::unique_ptr<Asks>> queue;
  for (int n = 0; n < 100; ++n) queue.put(std::make_unique<Asks>(queue));
  queue.shutdown(true);
}

TEST(queue, a_cancelled_getter_swallows_no_item) {
  run(RunOptions{.loops = 2}, [] {
    for (int round = 0; round < 3000; ++round) {
      Queue<int> queue;
      std::atomic<int> got = 0;
      auto killed = spawn_on(1, [&] { got += queue.get(); });
      yield();
      auto killer = spawn([&] { killed.kill(); });
      queue.put(1);
      killer.get();
      killed.join();
      EXPECT_EQ(got + queue.try_get().value_or(0), 1);
    }
  });
}

TEST(queue, a_cancelled_getter_passes_the_wake_up_on) {
  run(RunOptions{.loops = 2}, [] {
    for (int round = 0; round < 2000; ++round) {
      Queue<int> queue;
      auto killed = spawn_on(1, [&] { return queue.get(); });
      auto kept = spawn([&] { return queue.get(); });
      yield();
      killed.kill();
      queue.put(1);
      killed.join();
      if (killed.successful()) queue.put(1);
      EXPECT_EQ(kept.get(), 1);
    }
  });
}

TEST(queue, a_cancelled_putter_puts_nothing) {
  run([] {
    Queue<int> queue(1);
    queue.put(1);
    auto killed = spawn([&] { queue.put(2); });
    auto kept = spawn([&] { queue.put(3); });
    yield();
    killed.kill();
    EXPECT_THROW(killed.get(), Cancelled);
    EXPECT_EQ(queue.get(), 1);
    EXPECT_EQ(queue.get(), 3);
    kept.get();
  });
}

TEST(queue, may_be_destroyed_when_the_last_item_has_arrived) {
  run(RunOptions{.loops = 2}, [] {
    for (int round = 0; round < 2000; ++round) {
      std::optional<Queue<int>> queue(std::in_place);
      auto putter = spawn_on(1, [&] { queue->put(1); });
      queue->get();
      queue.reset();
      putter.get();
    }
  });
}
