#include <hawser/sync/rlock.h>

#include <atomic>
#include <mutex>
#include <stdexcept>

#include <hawser/base/errors.h>
#include <hawser/fiber/deadline.h>
#include <hawser/sync/condition.h>

#include "sync/contexts.h"
#include "sync/lock_contract.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class RLockEverywhere : public Everywhere {};
HAWSER_EVERYWHERE(RLockEverywhere);

TEST_P(RLockEverywhere, loses_no_update_however_deep_it_is_held) { expect_no_lost_update<RLock>(GetParam(), 3); }

TEST_P(RLockEverywhere, a_waiter_whose_time_ran_out_leaves_no_trace) {
  expect_that_one_whose_time_ran_out_leaves_no_trace<RLock>(GetParam(), 2);
}

// The condition's waiters hold it three deep; nobody else could come in were it not wholly released.
TEST_P(RLockEverywhere, a_condition_releases_it_wholly_and_restores_its_depth) {
  run_in(GetParam(), [] {
    RLock lock;
    Condition changed(lock);
    int turn = 0;
    Contexts contexts(GetParam());
    for (int me = 0; me < 3; ++me) {
      contexts.start([&, me] {
        for (int n = 0; n < 300; ++n) {
          std::lock_guard one(lock);
          std::lock_guard two(lock);
          std::lock_guard three(lock);
          changed.wait_for([&] { return turn % 3 == me; });
          EXPECT_EQ(lock.depth(), 3U);
          EXPECT_TRUE(lock.owned());
          ++turn;
          changed.notify_all();
        }
      });
    }
    contexts.join();
    EXPECT_EQ(turn, 900);
    EXPECT_FALSE(lock.locked());
  });
}

TEST(rlock, only_its_owner_releases) {
  run([] {
    RLock lock;
    EXPECT_THROW(lock.unlock(), std::logic_error);
    std::lock_guard hold(lock);
    EXPECT_TRUE(lock.owned());
    spawn([&] {
      EXPECT_FALSE(lock.owned());
      EXPECT_FALSE(lock.try_lock());
      EXPECT_FALSE(lock.acquire(1ms));
      EXPECT_THROW(lock.unlock(), std::logic_error);
    }).get();
    std::thread([&] {
      EXPECT_FALSE(lock.try_lock());
      EXPECT_THROW(lock.unlock(), std::logic_error);
    }).join();
    EXPECT_EQ(lock.depth(), 1U);
  });
}

TEST(rlock, is_not_inherited_by_the_next_fiber_on_the_same_stack) {
  run([] {
    RLock lock;
    spawn([&] { lock.lock(); }).get();  // ended without releasing
    spawn([&] {
      EXPECT_FALSE(lock.owned());
      EXPECT_FALSE(lock.try_lock());
    }).get();
    EXPECT_TRUE(lock.locked());
  });
}

TEST(rlock, a_negative_timeout_is_refused_also_from_the_owner) {
  RLock lock;
  EXPECT_THROW(static_cast<void>(lock.acquire(-1ms)), std::invalid_argument);
  std::lock_guard hold(lock);
  EXPECT_THROW(static_cast<void>(lock.acquire(-1ms)), std::invalid_argument);
}

TEST(rlock, a_deadline_or_a_kill_ends_the_wait) {
  run([] {
    RLock lock;
    std::lock_guard hold(lock);
    spawn([&] {
      Deadline budget(1ms);
      EXPECT_THROW(lock.lock(), DeadlineExceeded);
      EXPECT_FALSE(lock.owned());
    }).get();
    auto killed = spawn([&] { lock.lock(); });
    yield();
    killed.kill_and_join();
    EXPECT_TRUE(killed.cancelled());
    EXPECT_TRUE(lock.owned());
  });
}

TEST(rlock, cancelling_a_waiter_against_the_release_leaves_the_lock_usable) {
  expect_that_cancelling_a_waiter_against_the_release_leaves_it_usable<RLock>(2);
}

TEST(rlock_condition, wait_and_notify_need_the_owner) {
  run([] {
    RLock lock;
    Condition changed(lock);
    EXPECT_THROW(changed.wait(), std::logic_error);
    EXPECT_THROW(changed.notify_all(), std::logic_error);
    std::lock_guard hold(lock);
    spawn([&] {
      EXPECT_THROW(changed.wait(1ms), std::logic_error);
      EXPECT_THROW(changed.notify_one(), std::logic_error);
    }).get();
  });
}

TEST(rlock_condition, a_timeout_a_deadline_or_a_kill_restores_the_depth) {
  run([] {
    RLock lock;
    Condition changed(lock);
    std::size_t depth_seen = 0;
    bool waits = false;
    auto killed = spawn([&] {
      std::lock_guard one(lock);
      std::lock_guard two(lock);
      EXPECT_FALSE(changed.wait(1ms));
      EXPECT_EQ(lock.depth(), 2U);
      {
        Deadline budget(1ms);
        EXPECT_THROW(changed.wait(), DeadlineExceeded);
      }
      EXPECT_EQ(lock.depth(), 2U);
      waits = true;
      try {
        changed.wait();
      } catch (const Cancelled&) {
        depth_seen = lock.depth();
        throw;
      }
    });
    yield_until([&] {
      std::lock_guard hold(lock);  // to be had only while it waits
      return waits;
    });
    killed.kill_and_join();
    EXPECT_TRUE(killed.cancelled());
    EXPECT_EQ(depth_seen, 2U);
    EXPECT_FALSE(lock.locked());
  });
}
