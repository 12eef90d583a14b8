// What a Lock and an RLock promise alike, however many contexts take them. `depth`: how often each of them takes it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>

#include "sync/contexts.h"

namespace hawser::testing {

template <class AnyLock>
void expect_no_lost_update(Place place, std::size_t depth) {
  run_in(place, [&] {
    AnyLock lock;
    int count = 0;
    {
      Contexts contexts(place);
      for (int i = 0; i < 4; ++i) {
        contexts.start([&] {
          for (int n = 0; n < 2000; ++n) {
            std::lock_guard hold(lock);
            const int seen = count;
            if (n % 16 == 0) yield();
            for (std::size_t d = 1; d < depth; ++d) EXPECT_TRUE(lock.try_lock());
            if constexpr (requires { lock.depth(); }) {
              EXPECT_EQ(lock.depth(), depth);
            }
            count = seen + 1;
            for (std::size_t d = 1; d < depth; ++d) lock.unlock();
          }
        });
      }
    }
    EXPECT_EQ(count, 8000);
    EXPECT_FALSE(lock.locked());
  });
}

template <class AnyLock>
void expect_that_one_whose_time_ran_out_leaves_no_trace(Place place, std::size_t depth) {
  run_in(place, [&] {
    AnyLock lock;
    std::atomic<int> held = 0;
    {
      Contexts contexts(place);
      for (int i = 0; i < 4; ++i) {
        contexts.start([&, i] {
          for (int n = 0; n < 1000; ++n) {
            if (!lock.acquire(std::chrono::microseconds((n + i) % 3))) continue;
            EXPECT_EQ(++held, 1);
            for (std::size_t d = 1; d < depth; ++d) EXPECT_TRUE(lock.acquire(std::chrono::seconds(0)));
            if (n % 8 == 0) yield();
            --held;
            for (std::size_t d = 0; d < depth; ++d) lock.release();
          }
        });
      }
    }
    EXPECT_TRUE(lock.try_lock());
    lock.unlock();
  });
}

template <class AnyLock>
void expect_that_cancelling_a_waiter_against_the_release_leaves_it_usable(std::size_t depth) {
  run(RunOptions{.loops = 2}, [&] {
    for (int round = 0; round < 3000; ++round) {
      AnyLock lock;
      for (std::size_t d = 0; d < depth; ++d) lock.lock();
      auto first = spawn_on(1, [&] { std::lock_guard hold(lock); });
      auto second = spawn([&] { std::lock_guard hold(lock); });
      yield();
      first.kill();
      for (std::size_t d = 0; d < depth; ++d) lock.unlock();
      second.get();
      first.join();
      EXPECT_FALSE(lock.locked());
    }
  });
}

}  // namespace hawser::testing
