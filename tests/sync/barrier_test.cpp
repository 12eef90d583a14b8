#include <hawser/sync/barrier.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>

#include <hawser/base/errors.h>
#include <hawser/fiber/deadline.h>

#include "sync/contexts.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class BarrierEverywhere : public Everywhere {};
HAWSER_EVERYWHERE(BarrierEverywhere);

TEST_P(BarrierEverywhere, nobody_goes_on_before_all_are_there) {
  run_in(GetParam(), [] {
    constexpr int kParties = 4, kRounds = 500;
    Barrier barrier(kParties);
    std::atomic<int> arrived = 0;
    std::atomic<int> places = 0;
    Contexts contexts(GetParam());
    for (int i = 0; i < kParties; ++i) {
      contexts.start([&] {
        for (int round = 1; round <= kRounds; ++round) {
          ++arrived;
          places += static_cast<int>(barrier.wait());
          EXPECT_GE(arrived, round * kParties);
          barrier.wait();  // so that nobody counts in the next round while another one looks
        }
      });
    }
    contexts.join();
    EXPECT_EQ(places, kRounds * (0 + 1 + 2 + 3)) << "a different place for each";
    EXPECT_FALSE(barrier.broken());
  });
}

TEST_P(BarrierEverywhere, the_action_runs_once_a_round_before_anybody_goes_on) {
  run_in(GetParam(), [] {
    std::atomic<int> actions = 0;
    Barrier barrier(3, [&] {
      yield();
      ++actions;
    });
    Contexts contexts(GetParam());
    for (int i = 0; i < 3; ++i) {
      contexts.start([&] {
        for (int round = 1; round <= 200; ++round) {
          barrier.wait();
          EXPECT_GE(actions, round);
          EXPECT_LE(actions, round + 1);
        }
      });
    }
    contexts.join();
    EXPECT_EQ(actions, 200);
  });
}

TEST_P(BarrierEverywhere, more_contexts_than_parties_take_turns) {
  run_in(GetParam(), [] {
    std::atomic<int> actions = 0;
    Barrier barrier(2, [&] {
      yield();
      ++actions;
    });
    std::atomic<int> tickets = 600;
    Contexts contexts(GetParam());
    for (int i = 0; i < 6; ++i) {
      contexts.start([&] {
        while (tickets-- > 0) barrier.wait();
      });
    }
    contexts.join();
    EXPECT_EQ(actions, 300);
  });
}

// Whoever gives up breaks it for all; whoever got through, got through with all the others.
TEST_P(BarrierEverywhere, timeouts_against_arrivals_agree_on_what_happened) {
  run_in(GetParam(), [] {
    constexpr int kParties = 3, kRounds = 300;
    std::vector<std::atomic<int>> passed(kRounds);
    Barrier barrier(kParties);
    Barrier gather(kParties);
    Contexts contexts(GetParam());
    for (int i = 0; i < kParties; ++i) {
      contexts.start([&, i] {
        for (int round = 0; round < kRounds; ++round) {
          try {
            barrier.wait(i == 0 ? Timeout(std::chrono::microseconds(round % 50)) : std::nullopt);
            ++passed[static_cast<std::size_t>(round)];
          } catch (const BrokenBarrier&) {
            EXPECT_TRUE(barrier.broken());
          }
          if (gather.wait() == 0) barrier.reset();
          gather.wait();
        }
      });
    }
    contexts.join();
    for (auto& count : passed) EXPECT_TRUE(count == 0 || count == kParties) << count;
  });
}

TEST_P(BarrierEverywhere, abort_and_reset_free_all_who_wait) {
  run_in(GetParam(), [] {
    for (const bool reset : {false, true}) {
      Barrier barrier(5);
      std::atomic<int> freed = 0;
      Contexts contexts(GetParam());
      for (int i = 0; i < 4; ++i) {
        contexts.start([&] {
          EXPECT_THROW(barrier.wait(), BrokenBarrier);
          ++freed;
        });
      }
      yield_until([&] { return barrier.waiting() == 4; });
      reset ? barrier.reset() : barrier.abort();
      contexts.join();
      EXPECT_EQ(freed, 4);
      EXPECT_EQ(barrier.broken(), !reset);
      EXPECT_EQ(barrier.waiting(), 0U);
    }
  });
}

TEST(barrier, needs_a_party) {
  EXPECT_THROW(Barrier(0), std::invalid_argument);
  Barrier alone(1);
  EXPECT_EQ(alone.wait(), 0U);
  EXPECT_EQ(alone.wait(0s), 0U);
  EXPECT_EQ(alone.parties(), 1U);
  EXPECT_THROW(alone.wait(-1ms), std::invalid_argument);
}

TEST(barrier, a_timeout_breaks_it_until_it_is_reset) {
  run([] {
    Barrier barrier(3);
    auto other = spawn([&] { EXPECT_THROW(barrier.wait(), BrokenBarrier); });
    yield();
    EXPECT_THROW(barrier.wait(1ms), BrokenBarrier);
    other.get();
    EXPECT_TRUE(barrier.broken());
    EXPECT_THROW(barrier.wait(), BrokenBarrier);
    barrier.reset();
    std::vector<Task<std::size_t>> parties;
    for (int i = 0; i < 3; ++i) parties.push_back(spawn([&] { return barrier.wait(); }));
    std::vector<std::size_t> places;
    for (auto& party : parties) places.push_back(party.get());
    EXPECT_EQ(places, (std::vector<std::size_t>{0, 1, 2}));
  });
}

TEST(barrier, a_deadline_or_a_kill_breaks_it_and_says_so_to_whom_it_struck) {
  run([] {
    for (const bool kill : {false, true}) {
      Barrier barrier(3);
      auto other = spawn([&] { EXPECT_THROW(barrier.wait(), BrokenBarrier); });
      auto struck = spawn([&] {
        if (kill) {
          barrier.wait();
        } else {
          Deadline budget(1ms);
          barrier.wait();
        }
      });
      yield();
      if (kill) struck.kill();
      if (kill) {
        EXPECT_THROW(struck.get(), Cancelled);
      } else {
        EXPECT_THROW(struck.get(), DeadlineExceeded);
      }
      other.get();
      EXPECT_TRUE(barrier.broken());
    }
  });
}

TEST(barrier, an_action_that_throws_breaks_it_and_its_error_goes_to_the_last_party) {
  run([] {
    Barrier barrier(2, [] { throw std::range_error("x"); });
    auto first = spawn([&] { EXPECT_THROW(barrier.wait(), BrokenBarrier); });
    yield();
    EXPECT_THROW(barrier.wait(), std::range_error);
    first.get();
    EXPECT_TRUE(barrier.broken());
  });
}

TEST(barrier, may_be_broken_while_the_action_runs) {
  run([] {
    bool go = false;
    Barrier barrier(2, [&] {
      while (!go) yield();
    });
    auto first = spawn([&] { EXPECT_THROW(barrier.wait(), BrokenBarrier); });
    yield();
    auto last = spawn([&] { EXPECT_THROW(barrier.wait(), BrokenBarrier); });
    yield();
    barrier.abort();
    first.get();
    EXPECT_FALSE(last.ready());
    go = true;
    last.get();
  });
}
