#include <hawser/sync/condition.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <stdexcept>

#include <hawser/base/errors.h>

#include "sync/contexts.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class ConditionEverywhere : public Everywhere {};
HAWSER_EVERYWHERE(ConditionEverywhere);

TEST_P(ConditionEverywhere, hands_items_from_producers_to_consumers) {
  run_in(GetParam(), [] {
    Lock lock;
    Condition changed(lock);
    std::deque<int> items;
    std::atomic<int> sum = 0;
    {
      Contexts contexts(GetParam());
      for (int c = 0; c < 2; ++c) {
        contexts.start([&] {
          for (int n = 0; n < 1000; ++n) {
            std::lock_guard hold(lock);
            changed.wait_for([&] { return !items.empty(); });
            sum += items.front();
            items.pop_front();
          }
        });
      }
      for (int p = 0; p < 2; ++p) {
        contexts.start([&] {
          for (int n = 0; n < 1000; ++n) {
            std::lock_guard hold(lock);
            items.push_back(n);
            changed.notify_one();
          }
        });
      }
    }
    EXPECT_EQ(sum, 2 * 999 * 1000 / 2);
  });
}

TEST_P(ConditionEverywhere, notify_all_wakes_all) {
  run_in(GetParam(), [] {
    Lock lock;
    Condition changed(lock);
    int waiting = 0;
    bool go = false;
    Contexts contexts(GetParam());
    for (int i = 0; i < 5; ++i) {
      contexts.start([&] {
        std::lock_guard hold(lock);
        ++waiting;
        changed.wait_for([&] { return go; });
      });
    }
    yield_until([&] {
      std::lock_guard hold(lock);
      return waiting == 5;
    });
    {
      std::lock_guard hold(lock);
      go = true;
      changed.notify_all();
    }
    contexts.join();
  });
}

TEST(condition, wait_and_notify_need_the_lock) {
  Lock lock;
  Condition changed(lock);
  EXPECT_THROW(changed.wait(), std::logic_error);
  EXPECT_THROW(changed.wait_for([] { return false; }, 1ms), std::logic_error);
  EXPECT_THROW(changed.notify_one(), std::logic_error);
  EXPECT_THROW(changed.notify_all(), std::logic_error);
}

TEST(condition, a_timeout_is_told_with_the_lock_held) {
  Lock lock;
  Condition changed(lock);
  std::lock_guard hold(lock);
  EXPECT_FALSE(changed.wait(1ms));
  EXPECT_FALSE(changed.wait_for([] { return false; }, 1ms));
  EXPECT_TRUE(changed.wait_for([] { return true; }, 0ms));
  EXPECT_TRUE(lock.locked());
}

TEST(condition, notify_wakes_so_many_and_the_longest_waiting) {
  run([] {
    Lock lock;
    Condition changed(lock);
    std::vector<int> woken;
    std::vector<Task<void>> waiters;
    for (int i = 0; i < 4; ++i) {
      waiters.push_back(spawn([&, i] {
        std::lock_guard hold(lock);
        changed.wait();
        woken.push_back(i);
      }));
    }
    yield();
    {
      std::lock_guard hold(lock);
      changed.notify(2);
    }
    waiters[1].join();
    EXPECT_EQ(woken, (std::vector<int>{0, 1}));
    {
      std::lock_guard hold(lock);
      changed.notify_all();
    }
    for (auto& waiter : waiters) waiter.get();
  });
}

TEST(condition, a_cancelled_waiter_holds_the_lock_while_it_unwinds) {
  run([] {
    Lock lock;
    Condition changed(lock);
    auto waiter = spawn([&] {
      std::lock_guard hold(lock);
      changed.wait();
    });
    yield();
    waiter.kill();
    EXPECT_THROW(waiter.get(), Cancelled);
    EXPECT_FALSE(lock.locked());
  });
}

TEST(condition, cancelling_a_waiter_swallows_no_wake_up) {
  run(RunOptions{.loops = 2}, [] {
    for (int round = 0; round < 2000; ++round) {
      Lock lock;
      Condition changed(lock);
      int tokens = 0;
      int waiting = 0;
      const auto take = [&] {
        std::lock_guard hold(lock);
        ++waiting;
        changed.wait_for([&] { return tokens > 0; });
        --tokens;
        changed.notify_one();
      };
      auto first = spawn_on(1, take);
      auto second = spawn(take);
      yield_until([&] {
        std::lock_guard hold(lock);
        return waiting == 2;
      });
      first.kill();
      {
        std::lock_guard hold(lock);
        tokens = 2;
        changed.notify_one();
        changed.notify_one();
      }
      second.get();
      first.join();
    }
  });
}
