// Waiter, Deadline, offload: the three ways a wait ends.
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include <hawser/base/errors.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/offload.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/waiter.h>

#include "fiber/on_both.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

TEST(waiter, unpark_before_park_is_kept) {
  on_both([] {
    Waiter waiter;
    EXPECT_TRUE(waiter.unpark());
    EXPECT_EQ(waiter.park(), Wake::ready);
  });
}

TEST(waiter, expires_and_can_be_used_again) {
  on_both([] {
    Waiter waiter;
    EXPECT_EQ(waiter.park(Expiry::in(1ms)), Wake::expired);
    EXPECT_EQ(waiter.park(Expiry::in(0ms)), Wake::expired);
    waiter.unpark();
    EXPECT_EQ(waiter.park(Expiry::in(1h)), Wake::ready);
  });
}

TEST(waiter, ten_thousand_wake_ups_from_another_thread) {
  on_both([] {
    std::atomic<Waiter*> slot{nullptr};
    std::atomic<bool> stop{false};
    std::thread waker([&] {
      while (!stop) {
        if (Waiter* waiter = slot.exchange(nullptr)) waiter->unpark();
      }
    });
    for (int i = 0; i < 10'000; ++i) {
      Waiter waiter;
      slot = &waiter;
      EXPECT_EQ(waiter.park(Expiry::in(1min)), Wake::ready);
    }
    stop = true;
    waker.join();
  });
}

TEST(waiter, wake_and_timeout_race_and_both_sides_agree_on_who_won) {
  enum Verdict { none, came_in_time, came_too_late };
  struct Candidate {
    Waiter waiter;
    std::atomic<Verdict> verdict{none};
  };
  run([] {
    std::atomic<Candidate*> slot{nullptr};
    std::atomic<bool> stop{false};
    std::thread waker([&] {
      while (!stop) {
        if (Candidate* candidate = slot.exchange(nullptr)) {
          const bool in_time = candidate->waiter.unpark();
          candidate->verdict = in_time ? came_in_time : came_too_late;
        }
      }
    });
    for (int i = 0; i < 3'000; ++i) {
      Candidate candidate;
      slot = &candidate;
      const bool woken = candidate.waiter.park(Expiry::in(70us)) == Wake::ready;
      if (slot.exchange(nullptr)) {
        EXPECT_FALSE(woken) << "woken by nobody";
        continue;
      }
      while (candidate.verdict == none) std::this_thread::yield();
      EXPECT_EQ(candidate.verdict, woken ? came_in_time : came_too_late);
    }
    stop = true;
    waker.join();
  });
}

TEST(deadline, ends_a_wait_and_names_the_scope) {
  on_both([] {
    try {
      Deadline budget(2ms, "fetch");
      sleep(1h);
      FAIL();
    } catch (const DeadlineExceeded& e) {
      EXPECT_NE(std::string(e.what()).find("fetch"), std::string::npos) << e.what();
    }
  });
}

TEST(deadline, the_nearest_of_nested_scopes_wins) {
  on_both([] {
    try {
      Deadline outer(2ms, "outer");
      Deadline inner(1h, "inner");
      EXPECT_EQ(Deadline::current(), outer.expiry());
      sleep(1h);
      FAIL();
    } catch (const DeadlineExceeded& e) {
      EXPECT_NE(std::string(e.what()).find("outer"), std::string::npos) << e.what();
    }
    EXPECT_TRUE(Deadline::current().is_never());
  });
}

TEST(deadline, does_not_touch_a_wait_that_ends_before) {
  on_both([] {
    Deadline budget(1h);
    sleep(1ms);
    EXPECT_FALSE(budget.passed());
  });
}

TEST(deadline, refuses_a_negative_budget) { EXPECT_THROW(Deadline(-1s), std::invalid_argument); }

TEST(sleep, refuses_a_negative_length) {
  on_both([] { EXPECT_THROW(sleep(-1ms), std::invalid_argument); });
}

TEST(offload, runs_elsewhere_while_other_fibers_go_on) {
  run([] {
    const auto here = std::this_thread::get_id();
    std::atomic<bool> released{false};
    auto other = spawn([&] { released = true; });
    const auto there = offload([&] {
      while (!released) std::this_thread::yield();
      return std::this_thread::get_id();
    });
    EXPECT_NE(here, there);
    other.join();
  });
}

TEST(offload, rethrows_what_the_function_throws) {
  on_both([] { EXPECT_THROW(offload([] { throw std::out_of_range("there"); }), std::out_of_range); });
}

TEST(offload, a_kill_waits_for_the_function_to_end) {
  run([] {
    std::atomic<bool> started{false}, go{false}, ended{false};
    auto task = spawn([&] {
      offload([&] {
        started = true;
        while (!go) std::this_thread::yield();
        ended = true;
      });
    });
    while (!started) yield();
    task.kill();
    yield();
    EXPECT_FALSE(task.ready());
    go = true;
    task.join();
    EXPECT_TRUE(ended);
    EXPECT_TRUE(task.cancelled());
  });
}

TEST(offload, many_callers_share_the_pool) {
  run([] {
    std::atomic<int> sum{0};
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 500; ++i) tasks.push_back(spawn([&] { offload([&] { ++sum; }); }));
    for (auto& task : tasks) task.get();
    EXPECT_EQ(sum, 500);
  });
}
