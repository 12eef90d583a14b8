#include <hawser/task/when.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "stress/rounds.h"
#include "sync/contexts.h"
#include "task/log_lines.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class WhenEverywhere : public Everywhere {};
HAWSER_EVERYWHERE(WhenEverywhere);

TEST_P(WhenEverywhere, when_all_has_every_value_in_order_whoever_ends_last) {
  run_in(GetParam(), [] {
    for (int round = 0; round < rounds(400); ++round) {
      std::vector<Promise<int>> promises(4);
      std::vector<Future<int>> futures;
      for (auto& promise : promises) futures.push_back(promise.future());
      Contexts contexts(GetParam());
      for (int i = 0; i < 4; ++i)
        contexts.start([&promises, i] { promises[static_cast<std::size_t>(i)].set_value(i); });
      EXPECT_EQ(when_all(futures).result(), (std::vector<int>{0, 1, 2, 3}));
      contexts.join();
    }
  });
}

TEST_P(WhenEverywhere, when_any_names_one_that_has_ended) {
  run_in(GetParam(), [] {
    for (int round = 0; round < rounds(400); ++round) {
      std::vector<Promise<int>> promises(3);
      std::vector<Future<int>> futures;
      for (auto& promise : promises) futures.push_back(promise.future());
      Contexts contexts(GetParam());
      for (auto& promise : promises) contexts.start([&promise] { promise.set_value(1); });
      EXPECT_TRUE(futures[when_any(futures).result()].done());
      contexts.join();
    }
  });
}

TEST(then, runs_the_continuation_with_the_value) {
  Promise<int> promise;
  const Future<std::string> text = promise.future().then([](int n) { return std::to_string(n); });
  EXPECT_FALSE(text.done());
  promise.set_value(42);
  EXPECT_EQ(text.result(), "42");
}

TEST(then, chains_with_and_without_values) {
  Promise<void> promise;
  int effect = 0;
  const Future<void> end =
      promise.future().then([] { return 2; }).then([&](int n) { effect = n; }).then([&] { ++effect; });
  promise.set_value();
  end.result();
  EXPECT_EQ(effect, 3);
}

TEST(then, an_error_passes_continuations_by) {
  const LogLines log;
  bool called = false;
  {
    Promise<int> promise;
    const auto end = promise.future().then([&](int) { called = true; }).then([&] { called = true; });
    promise.set_exception(std::domain_error("bad"));
    EXPECT_THROW(end.result(), std::domain_error);
  }
  EXPECT_FALSE(called);
  EXPECT_EQ(log.count("bad"), 0);
}

TEST(then, what_the_continuation_throws_is_the_error) {
  Promise<int> promise;
  const auto end = promise.future().then([](int) -> int { throw std::domain_error("bad"); });
  promise.set_value(1);
  EXPECT_THROW(end.result(), std::domain_error);
}

TEST(then, a_cancellation_passes_on) {
  Promise<int> promise;
  const auto end = promise.future().then([](int n) { return n; });
  promise.future().cancel();
  EXPECT_TRUE(end.cancelled());
}

TEST(then, cancelling_the_second_leaves_the_first) {
  Promise<int> promise;
  const Future<int> first = promise.future();
  bool called = false;
  const auto second = first.then([&](int) { called = true; });
  EXPECT_TRUE(second.cancel());
  promise.set_value(1);
  EXPECT_EQ(first.result(), 1);
  EXPECT_FALSE(called);
}

TEST(then, a_continuation_that_returns_a_future_is_waited_for) {
  Promise<int> promise;
  Promise<std::string> later;
  const Future<std::string> end = promise.future().then([&](int) { return later.future(); });
  promise.set_value(1);
  EXPECT_FALSE(end.done());
  later.set_value("late");
  EXPECT_EQ(end.result(), "late");
}

TEST(then, errors_of_the_inner_future_and_of_the_first_pass_on) {
  Promise<int> promise;
  Promise<int> later;
  const auto end = promise.future().then([&](int) { return later.future(); });
  promise.set_value(1);
  later.future().cancel();
  EXPECT_THROW(end.result(), FutureCancelled);

  Promise<int> failing;
  const auto other = failing.future().then([&](int) { return later.future(); });
  failing.set_exception(std::domain_error("bad"));
  EXPECT_THROW(other.result(), std::domain_error);

  Promise<int> cancelled;
  const auto third = cancelled.future().then([&](int) { return later.future(); });
  cancelled.future().cancel();
  EXPECT_TRUE(third.cancelled());
}

TEST(when_all, different_types_make_a_tuple) {
  Promise<int> number;
  Promise<std::string> text;
  Promise<void> nothing;
  const auto all = when_all(number.future(), text.future(), nothing.future());
  text.set_value("two");
  nothing.set_value();
  EXPECT_FALSE(all.done());
  number.set_value(1);
  EXPECT_EQ(std::get<0>(all.result()), 1);
  EXPECT_EQ(std::get<1>(all.result()), "two");
}

TEST(when_all, the_first_error_ends_it_and_the_others_are_not_lost) {
  const LogLines log;
  {
    std::vector<Promise<int>> promises(3);
    const auto all = when_all(std::vector{promises[0].future(), promises[1].future(), promises[2].future()});
    promises[1].set_exception(std::domain_error("first"));
    EXPECT_THROW(all.result(), std::domain_error);
    promises[0].set_exception(std::runtime_error("second"));
  }
  EXPECT_EQ(log.count("first"), 0);
}

TEST(when_all, a_cancelled_one_ends_it) {
  std::vector<Promise<int>> promises(2);
  const auto all = when_all(std::vector{promises[0].future(), promises[1].future()});
  promises[0].future().cancel();
  EXPECT_THROW(all.result(), FutureCancelled);
}

TEST(when_all, of_none_is_done) {
  EXPECT_TRUE(when_all(std::vector<Future<int>>()).result().empty());
  EXPECT_NO_THROW(when_all(std::vector<Future<void>>()).result());
}

TEST(when_all, values_that_cannot_be_copied_are_moved) {
  std::vector<Promise<std::unique_ptr<int>>> promises(2);
  const auto all = when_all(std::vector{promises[0].future(), promises[1].future()});
  for (auto& promise : promises) promise.set_value(std::make_unique<int>(4));
  EXPECT_EQ(*all.result()[1], 4);
}

TEST(when_any, counts_errors_and_cancellations) {
  Promise<int> one;
  Promise<std::string> two;
  const auto first = when_any(one.future(), two.future());
  two.future().cancel();
  EXPECT_EQ(first.result(), 1U);
}

TEST(when_any, of_none_is_an_error) {
  EXPECT_THROW(static_cast<void>(when_any(std::vector<Future<int>>())), std::invalid_argument);
}
