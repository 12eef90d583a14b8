#include <hawser/task/fiber_pool.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/sync/event.h>
#include <hawser/task/when.h>

#include "stress/rounds.h"
#include "sync/contexts.h"
#include "task/log_lines.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

// Submitters in fibers of this loop, of several, and on threads beside.
class FiberPoolEverywhere : public Everywhere {};
INSTANTIATE_TEST_SUITE_P(in, FiberPoolEverywhere, ::testing::Values(Place::fibers, Place::loops, Place::mixed),
                         place_name);

TEST_P(FiberPoolEverywhere, everything_submitted_is_done_once) {
  run_in(GetParam(), [] {
    for (int round = 0; round < rounds(50); ++round) {
      std::atomic<int> ran = 0;
      {
        FiberPool pool(5, {.all_loops = round % 2 == 0});
        Contexts contexts(GetParam());
        for (int who = 0; who < 3; ++who)
          contexts.start([&] {
            std::vector<Future<int>> futures;
            for (int i = 0; i < 100; ++i)
              futures.push_back(pool.submit([&ran, i] {
                if (i % 7 == 0) yield();
                ++ran;
                return i;
              }));
            for (int i = 0; i < 100; ++i) EXPECT_EQ(futures[static_cast<std::size_t>(i)].result(), i);
          });
        contexts.join();
      }
      EXPECT_EQ(ran, 300);
    }
  });
}

TEST_P(FiberPoolEverywhere, now_and_then_a_task_wakes_a_sleeping_pool) {
  run_in(GetParam(), [] {
    FiberPool pool(3, {.all_loops = true});
    Contexts contexts(GetParam());
    for (int who = 0; who < 2; ++who)
      contexts.start([&] {
        for (int round = 0; round < rounds(300); ++round) {
          EXPECT_EQ(pool.submit([round] { return round; }).result(), round);
          if (round % 10 == 0) sleep(20us);
        }
      });
    contexts.join();
  });
}

TEST_P(FiberPoolEverywhere, shutdown_races_with_submit_and_nothing_is_left_undone) {
  run_in(GetParam(), [] {
    for (int round = 0; round < rounds(300); ++round) {
      FiberPool pool(2, {.all_loops = true});
      std::atomic<int> ran = 0;
      std::atomic<int> accepted = 0;
      Contexts contexts(GetParam());
      contexts.start([&] {
        try {
          for (int i = 0; i < 20; ++i) {
            pool.submit([&] { ++ran; });
            ++accepted;
            if (i % 5 == 0) yield();
          }
        } catch (const ExecutorShutDown&) {
        }
      });
      contexts.start([&] {
        for (int i = 0; i < round % 20; ++i) yield();
        pool.shutdown();
      });
      contexts.join();
      EXPECT_EQ(ran, accepted);
    }
  });
}

TEST(fiber_pool, at_most_so_many_work_at_a_time) {
  run([] {
    FiberPool pool(3);
    int now = 0, most = 0;
    std::vector<Future<void>> futures;
    for (int i = 0; i < 20; ++i)
      futures.push_back(pool.submit([&] {
        most = std::max(most, ++now);
        sleep(100us);
        --now;
      }));
    for (const auto& future : futures) future.result();
    EXPECT_EQ(most, 3);
  });
}

TEST(fiber_pool, waiting_work_lets_the_others_go_on) {
  run([] {
    FiberPool pool(50);
    Event all;
    int there = 0;
    std::vector<Future<void>> futures;
    for (int i = 0; i < 50; ++i)
      futures.push_back(pool.submit([&] {
        if (++there == 50) all.set();
        all.wait();
      }));
    for (const auto& future : futures) future.result();
  });
}

TEST(fiber_pool, its_fibers_are_on_the_makers_loop_or_on_all) {
  run({.loops = 2}, [] {
    FiberPool here(4);
    FiberPool everywhere(4, {.all_loops = true});
    std::set<int> one;
    std::set<int> both;
    Event met;
    std::atomic<int> there = 0;
    std::vector<Future<int>> futures;
    for (int i = 0; i < 4; ++i) one.insert(here.submit(&loop_index).result());
    for (int i = 0; i < 4; ++i)
      futures.push_back(everywhere.submit([&] {
        if (++there == 4) met.set();
        met.wait();
        return loop_index();
      }));
    for (const auto& future : futures) both.insert(future.result());
    EXPECT_EQ(one, std::set<int>{loop_index()});
    EXPECT_EQ(both, (std::set<int>{0, 1}));
  });
}

TEST(fiber_pool, its_fibers_have_its_name) {
  run([] {
    FiberPool pool(1, {.name = "spiders"});
    EXPECT_EQ(pool.submit([] { return fiber_name(); }).result(), "spiders-0");
  });
}

TEST(fiber_pool, errors_and_cancellation_are_the_futures) {
  run([] {
    FiberPool pool(1);
    Event release;
    const auto failing = pool.submit([&] {
      release.wait();
      throw std::domain_error("bad");
    });
    yield();
    const Future<int> pending = pool.submit([] { return 1; });
    EXPECT_TRUE(pending.cancel());
    EXPECT_FALSE(failing.cancel());
    release.set();
    EXPECT_THROW(failing.result(), std::domain_error);
    EXPECT_THROW(pending.result(), FutureCancelled);
  });
}

TEST(fiber_pool, a_worker_may_wait_for_its_own_pool) {
  run([] {
    FiberPool pool(1);
    const auto direct = pool.submit([&] { return pool.submit([] { return 1; }).result(); });
    EXPECT_EQ(direct.result(), 1);
    const auto composed =
        pool.submit([&] { return when_all(pool.submit([] { return 1; }), pool.submit([] { return 2; })).result(); });
    EXPECT_EQ(std::get<1>(composed.result()), 2);
  });
}

TEST(fiber_pool, map_is_there_too) {
  run([] {
    FiberPool pool(4);
    int sum = 0;
    for (const int n : pool.map(
             {.timeout = 1h, .chunk = 2},
             [](int x) {
               sleep(10us);
               return x * 2;
             },
             std::vector{1, 2, 3, 4, 5}))
      sum += n;
    EXPECT_EQ(sum, 30);
  });
}

TEST(fiber_pool, is_bounded_when_asked_for) {
  run([] {
    FiberPool pool(1, {.max_queued = 2});
    int ran = 0;
    for (int i = 0; i < 100; ++i) pool.submit([&] { ++ran; });
    pool.shutdown();
    EXPECT_EQ(ran, 100);
  });
}

TEST(fiber_pool, an_initializer_that_throws_breaks_it) {
  run([] {
    const LogLines log;
    FiberPool pool(2, {.initializer = [] { throw std::runtime_error("no"); }});
    const auto future = pool.submit([] { return 1; });
    EXPECT_THROW(future.result(), BrokenThreadPool);
    EXPECT_THROW(pool.submit([] {}), BrokenExecutor);
  });
}

TEST(fiber_pool, needs_run_and_fibers) {
  EXPECT_THROW(FiberPool(1), std::logic_error);
  run([] { EXPECT_THROW(FiberPool(0), std::invalid_argument); });
}

TEST(fiber_pool, the_end_of_run_ends_it) {
  for (int round = 0; round < rounds(100); ++round) {
    Future<void> running;
    Future<void> pending;
    bool unwound = false;
    run({.loops = 2}, [&] {
      auto owner = spawn([&] {
        FiberPool pool(1, {.all_loops = round % 2 == 0});
        running = pool.submit([&] {
          struct Seen {
            bool& flag;
            ~Seen() { flag = true; }
          } seen{unwound};
          sleep(1h);
        });
        pending = pool.submit([] {});
        sleep(1h);
      });
      for (int i = 0; i < round % 5; ++i) yield();
    });
    if (running.valid()) {
      EXPECT_TRUE(running.done());
      EXPECT_EQ(unwound, !running.cancelled());
      EXPECT_THROW(running.result(), Cancelled);
    }
    EXPECT_TRUE(!pending.valid() || pending.done());
  }
}
