#include <hawser/sync/semaphore.h>

#include <atomic>
#include <stdexcept>

#include <hawser/base/errors.h>

#include "sync/contexts.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class SemaphoreEverywhere : public Everywhere {};
HAWSER_EVERYWHERE(SemaphoreEverywhere);

TEST_P(SemaphoreEverywhere, lets_no_more_in_than_it_has_permits) {
  run_in(GetParam(), [] {
    Semaphore permits(3);
    std::atomic<int> inside = 0;
    std::atomic<int> most = 0;
    {
      Contexts contexts(GetParam());
      for (int i = 0; i < 8; ++i) {
        contexts.start([&] {
          for (int n = 0; n < 300; ++n) {
            permits.acquire();
            const int now = ++inside;
            if (now > most) most = now;
            yield();
            --inside;
            permits.release();
          }
        });
      }
    }
    EXPECT_LE(most, 3);
    EXPECT_EQ(permits.value(), 3);
  });
}

TEST_P(SemaphoreEverywhere, waiters_that_time_out_swallow_no_permit) {
  run_in(GetParam(), [] {
    Semaphore permits(1);
    {
      Contexts contexts(GetParam());
      for (int i = 0; i < 4; ++i) {
        contexts.start([&, i] {
          for (int n = 0; n < 1000; ++n) {
            if (!permits.acquire(std::chrono::microseconds((n + i) % 3))) continue;
            if (n % 8 == 0) yield();
            permits.release();
          }
        });
      }
    }
    EXPECT_EQ(permits.value(), 1);
  });
}

TEST(semaphore, serves_in_order_of_arrival) {
  run([] {
    Semaphore permits(0);
    std::vector<int> order;
    std::vector<Task<void>> waiters;
    for (int i = 0; i < 5; ++i) {
      waiters.push_back(spawn([&, i] {
        permits.acquire();
        order.push_back(i);
      }));
    }
    yield();
    permits.release(5);
    for (auto& waiter : waiters) waiter.get();
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
    EXPECT_EQ(permits.value(), 0);
  });
}

TEST(semaphore, cancelling_a_waiter_against_the_release_loses_no_permit) {
  run(RunOptions{.loops = 2}, [] {
    for (int round = 0; round < 3000; ++round) {
      Semaphore permits(0);
      std::atomic<int> taken = 0;
      auto waiter = spawn_on(1, [&] {
        permits.acquire();
        ++taken;
      });
      yield();
      auto killer = spawn([&] { waiter.kill(); });
      permits.release();
      killer.get();
      waiter.join();
      EXPECT_EQ(permits.value() + taken, 1);
    }
  });
}

TEST(semaphore, refuses_nonsense) {
  EXPECT_THROW(Semaphore(-1), std::invalid_argument);
  Semaphore permits(0);
  EXPECT_THROW(permits.release(0), std::invalid_argument);
  EXPECT_THROW(permits.acquire(-1ms), std::invalid_argument);
  EXPECT_FALSE(permits.acquire(1ms));
  EXPECT_FALSE(permits.try_acquire());
}

TEST(bounded_semaphore, refuses_to_go_over_its_start) {
  BoundedSemaphore permits(2);
  EXPECT_THROW(permits.release(), std::logic_error);
  permits.acquire();
  EXPECT_THROW(permits.release(2), std::logic_error);
  EXPECT_EQ(permits.value(), 1);
  permits.release();
  EXPECT_EQ(permits.value(), 2);
}
