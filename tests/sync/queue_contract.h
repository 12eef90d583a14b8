// What a Queue, a LifoQueue and a PriorityQueue of numbers promise alike, whoever puts and gets.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <vector>

#include <hawser/sync/queue_errors.h>

#include "sync/contexts.h"

namespace hawser::testing {

template <class AnyQueue>
void expect_that_every_item_arrives_once(Place place, AnyQueue& queue) {
  constexpr int kEach = 1500;
  std::vector<std::atomic<int>> seen(3 * kEach);
  {
    Contexts contexts(place);
    for (int p = 0; p < 3; ++p) {
      contexts.start([&, p] {
        for (int n = 0; n < kEach; ++n) queue.put(p * kEach + n);
      });
      contexts.start([&] {
        for (int n = 0; n < kEach; ++n) {
          ++seen[static_cast<std::size_t>(queue.get())];
          queue.task_done();
        }
      });
    }
  }
  for (auto& count : seen) EXPECT_EQ(count, 1);
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.join(std::chrono::seconds(0)));
}

// Precondition: a bounded queue.
template <class AnyQueue>
void expect_that_waiters_that_time_out_lose_no_item(Place place, AnyQueue& queue) {
  constexpr int kEach = 800;
  std::atomic<int> put = 0, got = 0, putting = 2;
  {
    Contexts contexts(place);
    for (int p = 0; p < 2; ++p) {
      contexts.start([&] {
        for (int n = 0; n < kEach; ++n) {
          try {
            queue.put(n, std::chrono::microseconds(n % 3));
            ++put;
          } catch (const Full&) {
            yield();
          }
        }
        --putting;
      });
      contexts.start([&] {
        for (int n = 0; putting > 0 || !queue.empty(); ++n) {
          try {
            queue.get(std::chrono::microseconds(n % 3));
            ++got;
          } catch (const Empty&) {
            yield();
          }
        }
      });
    }
  }
  EXPECT_EQ(got, put);
}

// Precondition: an empty queue with a bound of 1.
template <class AnyQueue>
void expect_that_shutdown_frees_all_who_wait(Place place, AnyQueue& full, bool immediate) {
  AnyQueue empty;
  full.put(1);
  std::atomic<int> freed = 0;
  Contexts contexts(place);
  for (int i = 0; i < 2; ++i) {
    contexts.start([&] {
      EXPECT_THROW(full.put(2), ShutDown);
      ++freed;
    });
    contexts.start([&] {
      EXPECT_THROW(empty.get(), ShutDown);
      ++freed;
    });
  }
  contexts.start([&] {
    if (immediate) {
      EXPECT_TRUE(full.join());
    } else {
      EXPECT_FALSE(full.join(std::chrono::milliseconds(1)));
    }
  });
  yield();
  full.shutdown(immediate);
  empty.shutdown();
  contexts.join();
  EXPECT_EQ(freed, 4);
  EXPECT_TRUE(full.is_shut_down());
  if (!immediate) {
    EXPECT_EQ(full.get(), 1);
  }
  EXPECT_THROW(full.get(), ShutDown);
  EXPECT_THROW(static_cast<void>(full.try_get()), ShutDown);
  EXPECT_THROW(full.put_nowait(3), ShutDown);
}

}  // namespace hawser::testing
