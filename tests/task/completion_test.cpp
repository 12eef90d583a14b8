#include <hawser/task/completion.h>

#include <atomic>
#include <stdexcept>
#include <vector>

#include <hawser/fiber/as_completed.h>

#include "stress/rounds.h"
#include "sync/contexts.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

namespace {

struct Works {
  explicit Works(int count) : promises(static_cast<std::size_t>(count)) {
    for (auto& promise : promises) futures.push_back(promise.future());
  }
  std::vector<Promise<int>> promises;
  std::vector<Future<int>> futures;
};

}  // namespace

class CompletionEverywhere : public Everywhere {};
HAWSER_EVERYWHERE(CompletionEverywhere);

TEST_P(CompletionEverywhere, as_completed_gives_each_once_as_they_end) {
  run_in(GetParam(), [] {
    for (int round = 0; round < rounds(200); ++round) {
      Works works(6);
      Contexts contexts(GetParam());
      contexts.start([&] {
        int sum = 0, count = 0;
        for (const Future<int>& done : as_completed(works.futures)) {
          sum += done.result();
          ++count;
        }
        EXPECT_EQ(count, 6);
        EXPECT_EQ(sum, 15);
      });
      for (int part = 0; part < 2; ++part)
        contexts.start([&works, part] {
          for (int i = part; i < 6; i += 2) works.promises[static_cast<std::size_t>(i)].set_value(i);
        });
      contexts.join();
    }
  });
}

TEST_P(CompletionEverywhere, wait_returns_when_all_have_ended) {
  run_in(GetParam(), [] {
    for (int round = 0; round < rounds(200); ++round) {
      Works works(4);
      Contexts contexts(GetParam());
      contexts.start([&] {
        const auto [done, not_done] = wait(works.futures);
        EXPECT_EQ(done, works.futures);
        EXPECT_TRUE(not_done.empty());
      });
      for (std::size_t i = 0; i < 4; ++i) contexts.start([&works, i] { works.promises[i].set_value(1); });
      contexts.join();
    }
  });
}

TEST_P(CompletionEverywhere, leaving_early_races_with_ends) {
  run_in(GetParam(), [] {
    for (int round = 0; round < rounds(400); ++round) {
      Works works(4);
      Contexts contexts(GetParam());
      contexts.start([&] {
        EXPECT_FALSE(wait(works.futures, std::nullopt, ReturnWhen::first_completed).done.empty());
        wait(works.futures, 0s);
      });
      contexts.start([&] {
        for (const auto& done : as_completed(works.futures))
          if (done.result() == 2) break;
      });
      for (int part = 0; part < 2; ++part)
        contexts.start([&works, part] {
          for (int i = part; i < 4; i += 2) works.promises[static_cast<std::size_t>(i)].set_value(i);
        });
      contexts.join();
    }
  });
}

TEST(completion, those_that_have_ended_come_first_in_the_order_given) {
  Works works(4);
  works.promises[2].set_value(2);
  works.promises[0].set_value(0);
  std::vector<int> order;
  std::vector<std::size_t> indexes;
  auto ends = as_completed(works.futures);
  for (auto at = ends.begin(); at != ends.end(); ++at) {
    order.push_back(at->result());
    indexes.push_back(at.index());
    if (order.size() == 2) works.promises[3].set_value(3);
    if (order.size() == 3) works.promises[1].set_exception(std::domain_error("bad"));
    if (order.size() == 3) break;
  }
  EXPECT_EQ(order, (std::vector<int>{0, 2, 3}));
  EXPECT_EQ(indexes, (std::vector<std::size_t>{0, 2, 3}));
}

TEST(completion, as_completed_times_out_for_all_together) {
  Works works(3);
  works.promises[1].set_value(1);
  int got = 0;
  try {
    for (const auto& done : as_completed(works.futures, 1ms)) got += done.result();
    FAIL();
  } catch (const TimedOut& error) {
    EXPECT_STREQ(error.what(), "as_completed: 2 of 3 futures had not ended");
  }
  EXPECT_EQ(got, 1);
}

TEST(completion, wait_tells_apart_what_has_ended_at_the_timeout) {
  Works works(3);
  works.promises[1].set_value(1);
  const auto [done, not_done] = wait(works.futures, 1ms);
  EXPECT_EQ(done, std::vector<Future<int>>{works.futures[1]});
  EXPECT_EQ(not_done, (std::vector<Future<int>>{works.futures[0], works.futures[2]}));
}

TEST(completion, first_completed_counts_a_cancelled_one) {
  Works works(2);
  works.futures[1].cancel();
  EXPECT_EQ(wait(works.futures, 1h, ReturnWhen::first_completed).done.size(), 1U);
}

TEST(completion, first_exception_passes_values_and_cancelled_ones_by) {
  Works works(4);
  works.promises[0].set_value(1);
  works.futures[1].cancel();
  EXPECT_EQ(wait(works.futures, 0s, ReturnWhen::first_exception).done.size(), 2U);
  works.promises[2].set_exception(std::domain_error("bad"));
  EXPECT_EQ(wait(works.futures, 1h, ReturnWhen::first_exception).not_done.size(), 1U);
  EXPECT_THROW(works.futures[2].result(), std::domain_error);
}

TEST(completion, none_at_all_is_done) {
  EXPECT_TRUE(wait(std::vector<Future<int>>()).done.empty());
  for ([[maybe_unused]] const auto& done : as_completed(std::vector<Future<int>>())) FAIL();
}

TEST(completion, tasks_and_futures_have_the_same_loop) {
  run([] {
    std::vector<Task<int>> tasks{spawn([] { return 1; }), spawn([] { return 2; })};
    Works works(1);
    works.promises[0].set_value(3);
    int sum = 0;
    for (const auto& task : as_completed(tasks)) sum += task.get();
    for (const auto& done : as_completed(works.futures)) sum += done.result();
    EXPECT_EQ(sum, 6);
  });
}
