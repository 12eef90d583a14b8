#include <hawser/task/future.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <hawser/base/log.h>
#include <hawser/fiber/deadline.h>

#include "stress/rounds.h"
#include "sync/contexts.h"
#include "task/log_lines.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class FutureEverywhere : public Everywhere {};
HAWSER_EVERYWHERE(FutureEverywhere);

TEST_P(FutureEverywhere, all_who_wait_get_the_value) {
  run_in(GetParam(), [] {
    for (int round = 0; round < rounds(150); ++round) {
      Promise<std::string> promise;
      const Future<std::string> future = promise.future();
      std::atomic<int> got = 0;
      Contexts contexts(GetParam());
      for (int i = 0; i < 3; ++i) {
        contexts.start([&] {
          EXPECT_EQ(future.result(), "the value");
          ++got;
        });
      }
      contexts.start([&] { promise.set_value("the value"); });
      contexts.join();
      EXPECT_EQ(got, 3);
    }
  });
}

TEST_P(FutureEverywhere, an_error_is_thrown_to_everybody_every_time) {
  run_in(GetParam(), [] {
    Promise<int> promise;
    const Future<int> future = promise.future();
    Contexts contexts(GetParam());
    for (int i = 0; i < 3; ++i) {
      contexts.start([&] {
        EXPECT_THROW(future.result(), std::domain_error);
        EXPECT_THROW(future.result(), std::domain_error);
        EXPECT_TRUE(future.exception());
      });
    }
    contexts.start([&] { promise.set_exception(std::domain_error("bad")); });
    contexts.join();
  });
}

TEST_P(FutureEverywhere, a_timeout_leaves_the_future_as_it_was) {
  run_in(GetParam(), [] {
    for (int round = 0; round < rounds(100); ++round) {
      Promise<int> promise;
      const Future<int> future = promise.future();
      Contexts contexts(GetParam());
      for (int i = 0; i < 3; ++i) {
        contexts.start([&, i] {
          for (;;) {
            try {
              EXPECT_EQ(future.result(std::chrono::microseconds(10 * i)), 7);
              return;
            } catch (const TimedOut&) {
              yield();
            }
          }
        });
      }
      contexts.start([&] { promise.set_value(7); });
      contexts.join();
    }
  });
}

TEST_P(FutureEverywhere, a_deadline_around_the_wait_ends_it) {
  run_in(GetParam(), [] {
    Promise<int> promise;
    const Future<int> future = promise.future();
    Contexts contexts(GetParam());
    contexts.start([&] {
      const Deadline budget(1ms);
      EXPECT_THROW(future.result(), DeadlineExceeded);
      EXPECT_THROW(future.result(1h), DeadlineExceeded);
    });
    contexts.join();
    EXPECT_FALSE(future.done());
  });
}

TEST_P(FutureEverywhere, cancel_frees_all_who_wait) {
  run_in(GetParam(), [] {
    for (int round = 0; round < rounds(150); ++round) {
      Promise<int> promise;
      const Future<int> future = promise.future();
      Contexts contexts(GetParam());
      for (int i = 0; i < 2; ++i) contexts.start([&] { EXPECT_THROW(future.result(), FutureCancelled); });
      contexts.start([&] { EXPECT_TRUE(future.cancel()); });
      contexts.join();
      EXPECT_TRUE(future.cancelled());
      EXPECT_TRUE(future.done());
    }
  });
}

TEST_P(FutureEverywhere, either_cancel_or_the_work_wins) {
  run_in(GetParam(), [] {
    int ran = 0;
    for (int round = 0; round < rounds(600); ++round) {
      Promise<int> promise;
      const Future<int> future = promise.future();
      std::atomic<bool> cancelled = false;
      std::atomic<bool> begun = false;
      std::atomic<int> told = 0;
      future.on_done([&] { ++told; });
      Contexts contexts(GetParam());
      contexts.start([&] { cancelled = future.cancel(); });
      contexts.start([&] {
        begun = promise.set_running_or_notify_cancel();
        if (begun) promise.set_value(1);
      });
      contexts.join();
      EXPECT_NE(cancelled, begun);
      EXPECT_EQ(future.cancelled(), cancelled);
      EXPECT_EQ(told, 1);
      ran += begun;
    }
    RecordProperty("ran", ran);
  });
}

TEST_P(FutureEverywhere, each_callback_is_called_once_whenever_it_is_given) {
  run_in(GetParam(), [] {
    for (int round = 0; round < rounds(600); ++round) {
      Promise<int> promise;
      const Future<int> future = promise.future();
      std::atomic<int> sum = 0;
      Contexts contexts(GetParam());
      for (int i = 0; i < 2; ++i)
        contexts.start([&] {
          for (int n = 0; n < 3; ++n) future.on_done([&](const Future<int>& done) { sum += done.result(); });
        });
      contexts.start([&] { promise.set_value(1); });
      contexts.join();
      EXPECT_EQ(sum, 6);
    }
  });
}

TEST(future, tells_how_far_the_work_is) {
  Promise<int> promise;
  const Future<int> future = promise.future();
  EXPECT_FALSE(future.running() || future.done() || future.cancelled());
  EXPECT_TRUE(promise.set_running_or_notify_cancel());
  EXPECT_TRUE(future.running());
  EXPECT_FALSE(future.done());
  promise.set_value(1);
  EXPECT_FALSE(future.running());
  EXPECT_TRUE(future.done());
  EXPECT_FALSE(future.cancelled());
  EXPECT_EQ(future.exception(), nullptr);
}

TEST(future, cancel_is_false_when_it_runs_or_has_ended) {
  Promise<int> promise;
  const Future<int> future = promise.future();
  ASSERT_TRUE(promise.set_running_or_notify_cancel());
  EXPECT_FALSE(future.cancel());
  promise.set_value(1);
  EXPECT_FALSE(future.cancel());
  EXPECT_EQ(future.result(), 1);
}

TEST(future, cancelling_again_is_true) {
  Promise<int> promise;
  EXPECT_TRUE(promise.future().cancel());
  EXPECT_TRUE(promise.future().cancel());
}

TEST(future, result_and_exception_of_a_cancelled_future_throw) {
  Promise<int> promise;
  const Future<int> future = promise.future();
  future.cancel();
  EXPECT_THROW(future.result(), FutureCancelled);
  EXPECT_THROW(static_cast<void>(future.exception()), FutureCancelled);
  EXPECT_TRUE(future.wait());
}

TEST(future, what_comes_after_a_cancellation_is_dropped) {
  Promise<int> promise;
  const Future<int> future = promise.future();
  future.cancel();
  EXPECT_FALSE(promise.set_running_or_notify_cancel());
  EXPECT_FALSE(promise.set_value(1));
  EXPECT_TRUE(future.cancelled());
}

TEST(future, zero_polls_and_negative_is_refused) {
  Promise<int> promise;
  EXPECT_THROW(promise.future().result(0s), TimedOut);
  EXPECT_FALSE(promise.future().wait(0s));
  EXPECT_THROW(promise.future().result(-1s), std::invalid_argument);
}

TEST(future, a_dropped_promise_is_an_error) {
  Future<int> future;
  {
    Promise<int> promise;
    future = promise.future();
  }
  EXPECT_THROW(future.result(), BrokenPromise);
}

TEST(future, moving_a_promise_over_another_breaks_that_one) {
  Promise<int> promise;
  const Future<int> future = promise.future();
  promise = Promise<int>();
  EXPECT_THROW(future.result(), BrokenPromise);
  const Future<int> second = promise.future();
  promise.set_value(2);
  EXPECT_EQ(second.result(), 2);
}

TEST(future, a_promise_is_kept_once) {
  Promise<int> promise;
  const Future<int> future = promise.future();
  EXPECT_TRUE(promise.set_value(1));
  EXPECT_THROW(promise.set_value(2), std::logic_error);
  EXPECT_THROW(promise.set_exception(std::runtime_error("late")), std::logic_error);
  EXPECT_EQ(future.result(), 1);
}

TEST(future, set_running_twice_is_an_error) {
  Promise<int> promise;
  ASSERT_TRUE(promise.set_running_or_notify_cancel());
  EXPECT_THROW(static_cast<void>(promise.set_running_or_notify_cancel()), std::logic_error);
}

TEST(future, a_value_that_fails_to_be_made_leaves_the_promise_open) {
  struct Picky {
    explicit Picky(int n) : number(n) {
      if (n < 0) throw std::domain_error("negative");
    }
    int number;
  };
  Promise<Picky> promise;
  const Future<Picky> future = promise.future();
  EXPECT_THROW(promise.set_value(-1), std::domain_error);
  EXPECT_FALSE(future.done());
  promise.set_value(1);
  EXPECT_EQ(future.result().number, 1);
}

TEST(future, copies_are_the_same_work) {
  Promise<int> promise;
  const Future<int> one = promise.future();
  const Future<int> two = one;
  EXPECT_EQ(one, two);
  EXPECT_NE(one, Promise<int>().future());
  promise.set_value(3);
  EXPECT_EQ(two.result(), 3);
}

TEST(future, void_has_a_result_too) {
  Promise<void> promise;
  const Future<void> future = promise.future();
  promise.set_value();
  EXPECT_NO_THROW(future.result());
}

TEST(future, what_cannot_be_copied_is_lent_or_moved_out) {
  Promise<std::unique_ptr<int>> promise;
  Future<std::unique_ptr<int>> future = promise.future();
  promise.set_value(std::make_unique<int>(5));
  EXPECT_EQ(*future.result(), 5);
  const std::unique_ptr<int> own = std::move(future).result();
  EXPECT_EQ(*own, 5);
}

TEST(future, a_value_that_others_can_ask_for_is_copied) {
  Promise<std::string> promise;
  const Future<std::string> kept = promise.future();
  promise.set_value("long enough to be on the heap, certainly");
  EXPECT_EQ(Future(kept).result(), "long enough to be on the heap, certainly");
  EXPECT_EQ(kept.result(), "long enough to be on the heap, certainly");
}

TEST(future, callbacks_are_called_in_order_in_the_completing_context) {
  Promise<int> promise;
  std::vector<int> calls;
  std::thread::id where;
  for (int i = 0; i < 5; ++i)
    promise.future().on_done([&, i](const Future<int>& done) {
      EXPECT_EQ(done.result(), 9);
      where = std::this_thread::get_id();
      calls.push_back(i);
    });
  std::thread completer([&] { promise.set_value(9); });
  const auto there = completer.get_id();
  completer.join();
  EXPECT_EQ(calls, (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(where, there);
}

TEST(future, a_callback_given_late_is_called_at_once_in_the_caller) {
  Promise<int> promise;
  const Future<int> future = promise.future();
  promise.set_value(9);
  bool called = false;
  future.on_done([&] { called = true; });
  EXPECT_TRUE(called);
}

TEST(future, callbacks_hear_of_a_cancellation) {
  Promise<int> promise;
  bool cancelled = false;
  promise.future().on_done([&](const Future<int>& done) { cancelled = done.cancelled(); });
  promise.future().cancel();
  EXPECT_TRUE(cancelled);
}

TEST(future, a_callback_that_throws_is_logged_and_the_rest_run) {
  const LogLines log;
  Promise<int> promise;
  const Future<int> future = promise.future();
  bool called = false;
  future.on_done([] { throw std::runtime_error("from the callback"); });
  future.on_done([&] { called = true; });
  promise.set_value(1);
  future.on_done([] { throw std::runtime_error("late callback"); });
  EXPECT_TRUE(called);
  EXPECT_EQ(log.count("from the callback"), 1);
  EXPECT_EQ(log.count("late callback"), 1);
}

TEST(future, a_callback_may_drop_the_last_handle_and_add_another) {
  Promise<int> promise;
  auto future = std::make_unique<Future<int>>(promise.future());
  bool inner = false;
  future->on_done([&](const Future<int>& done) {
    future.reset();
    done.on_done([&] { inner = true; });
  });
  promise.set_value(1);
  EXPECT_TRUE(inner);
}

TEST(future, an_error_nobody_asked_for_is_logged_once) {
  const LogLines log;
  {
    Promise<int> promise;
    const Future<int> future = promise.future();
    promise.set_exception(std::runtime_error("unasked"));
    const Future<int> copy = future;
  }
  EXPECT_EQ(log.count("unasked"), 1);
}

TEST(future, an_error_that_was_asked_for_is_not_logged) {
  const LogLines log;
  {
    Promise<int> promise;
    const Future<int> future = promise.future();
    promise.set_exception(std::runtime_error("asked"));
    EXPECT_THROW(future.result(), std::runtime_error);
  }
  EXPECT_EQ(log.count("asked"), 0);
}

TEST(future, a_killed_fiber_stops_waiting_and_the_future_lives_on) {
  run([] {
    Promise<int> promise;
    const Future<int> future = promise.future();
    auto waiter = spawn([&] { future.result(); });
    yield();
    waiter.kill_and_join();
    EXPECT_TRUE(waiter.cancelled());
    promise.set_value(1);
    EXPECT_EQ(future.result(), 1);
  });
}

TEST(future, a_callback_of_a_killed_fiber_may_wait) {
  run([] {
    Promise<int> promise;
    bool slept = false;
    promise.future().on_done([&] {
      sleep(1us);
      slept = true;
    });
    auto worker = spawn([promise = std::move(promise)]() mutable {
      sleep(1h);
      promise.set_value(1);
    });
    yield();
    worker.kill_and_join();
    EXPECT_TRUE(slept);
  });
}
