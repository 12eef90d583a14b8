#include <hawser/sync/lock.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>

#include <hawser/base/errors.h>
#include <hawser/fiber/deadline.h>

#include "sync/contexts.h"
#include "sync/lock_contract.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class LockEverywhere : public Everywhere {};
HAWSER_EVERYWHERE(LockEverywhere);

TEST_P(LockEverywhere, loses_no_update) { expect_no_lost_update<Lock>(GetParam(), 1); }

TEST_P(LockEverywhere, the_one_who_keeps_taking_it_does_not_starve_others) {
  run_in(GetParam(), [] {
    Lock lock;
    std::atomic<bool> served = false;
    Contexts contexts(GetParam());
    lock.lock();
    contexts.start([&] {
      std::lock_guard hold(lock);
      served = true;
    });
    lock.unlock();
    while (!served) {
      std::lock_guard hold(lock);
      yield();
    }
    contexts.join();
  });
}

TEST_P(LockEverywhere, a_waiter_whose_time_ran_out_leaves_no_trace) {
  expect_that_one_whose_time_ran_out_leaves_no_trace<Lock>(GetParam(), 1);
}

TEST(lock, release_when_unlocked_is_an_error) {
  Lock lock;
  EXPECT_THROW(lock.unlock(), std::logic_error);
  lock.lock();
  lock.unlock();
  EXPECT_THROW(lock.release(), std::logic_error);
}

TEST(lock, any_context_may_release) {
  run([] {
    Lock lock;
    lock.lock();
    std::thread([&] { lock.unlock(); }).join();
    EXPECT_FALSE(lock.locked());
    lock.lock();
    spawn([&] { lock.unlock(); }).get();
    EXPECT_FALSE(lock.locked());
  });
}

TEST(lock, acquire_tells_whether_it_got_it_in_time) {
  Lock lock;
  EXPECT_TRUE(lock.acquire(0s));
  EXPECT_FALSE(lock.try_lock());
  EXPECT_FALSE(lock.acquire(0s));
  EXPECT_FALSE(lock.acquire(1ms));
  EXPECT_THROW(static_cast<void>(lock.acquire(-1ms)), std::invalid_argument);
  run([&] { EXPECT_FALSE(lock.acquire(1ms)); });
  lock.unlock();
}

TEST(lock, a_waiting_fiber_lets_others_of_its_loop_run) {
  run([] {
    Lock lock;
    lock.lock();
    auto waiter = spawn([&] { std::lock_guard hold(lock); });
    auto other = spawn([] { return 7; });
    EXPECT_EQ(other.get(), 7);
    EXPECT_FALSE(waiter.ready());
    lock.unlock();
    waiter.get();
  });
}

TEST(lock, a_deadline_ends_the_wait) {
  Lock lock;
  lock.lock();
  const auto wait_long = [&] {
    Deadline budget(1ms, "budget");
    lock.lock();
  };
  EXPECT_THROW(wait_long(), DeadlineExceeded);
  run([&] { EXPECT_THROW(wait_long(), DeadlineExceeded); });
  lock.unlock();
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

TEST(lock, cancelling_a_waiter_against_the_release_leaves_the_lock_usable) {
  expect_that_cancelling_a_waiter_against_the_release_leaves_it_usable<Lock>(1);
}

TEST(lock, may_guard_its_own_lifetime) {
  struct Shared {
    Lock lock;
    int users = 2;
  };
  const auto leave = [](Shared* shared) {
    shared->lock.lock();
    const bool last = --shared->users == 0;
    shared->lock.unlock();
    if (last) delete shared;
  };
  run(RunOptions{.loops = 2}, [&] {
    for (int round = 0; round < 2000; ++round) {
      auto* shared = std::make_unique<Shared>().release();
      auto other = spawn_on(1, [=] { leave(shared); });
      leave(shared);
      other.get();
    }
  });
}
