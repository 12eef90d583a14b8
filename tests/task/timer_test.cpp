#include <hawser/task/timer.h>

#include <atomic>
#include <memory>
#include <stdexcept>

#include <hawser/fiber/run.h>
#include <hawser/sync/event.h>

#include "stress/rounds.h"
#include "sync/contexts.h"
#include "task/log_lines.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class TimerEverywhere : public Everywhere {};
HAWSER_EVERYWHERE(TimerEverywhere);

TEST_P(TimerEverywhere, calls_the_function_once) {
  run_in(GetParam(), [] {
    std::atomic<int> sum = 0;
    Timer timer(
        1ms, [&](int n) { sum += n; }, 5);
    EXPECT_FALSE(timer.finished());
    timer.start();
    EXPECT_TRUE(timer.join());
    EXPECT_EQ(sum, 5);
    EXPECT_EQ(timer.calls(), 1U);
    EXPECT_TRUE(timer.finished());
  });
}

TEST_P(TimerEverywhere, cancelled_in_time_it_is_never_called) {
  run_in(GetParam(), [] {
    bool called = false;
    Timer timer(1h, [&] { called = true; });
    timer.start();
    EXPECT_FALSE(timer.join(0s));
    EXPECT_TRUE(timer.cancel());
    EXPECT_FALSE(timer.cancel());
    EXPECT_TRUE(timer.join());
    EXPECT_FALSE(called);
  });
}

TEST_P(TimerEverywhere, either_the_call_or_cancel_wins) {
  run_in(GetParam(), [] {
    for (int round = 0; round < rounds(200); ++round) {
      std::atomic<int> called = 0;
      Timer timer(std::chrono::microseconds(round), [&] { ++called; });
      timer.start();
      sleep(100us);
      const bool cancelled = timer.cancel();
      timer.join();
      EXPECT_EQ(called, cancelled ? 0 : 1);
    }
  });
}

TEST_P(TimerEverywhere, leaving_the_scope_cancels_or_waits_for_the_call) {
  run_in(GetParam(), [] {
    for (int round = 0; round < rounds(100); ++round) {
      std::atomic<bool> inside = false;
      {
        Timer timer(0s, [&] {
          inside = true;
          sleep(50us);
          inside = false;
        });
        timer.start();
        if (round % 2) sleep(20us);
      }
      EXPECT_FALSE(inside);
    }
  });
}

TEST_P(TimerEverywhere, a_repeating_one_goes_on_until_it_is_cancelled) {
  run_in(GetParam(), [] {
    Event often;
    std::atomic<int> calls = 0;
    RepeatingTimer timer(100us, [&] {
      if (++calls == 5) often.set();
    });
    timer.start();
    often.wait();
    EXPECT_TRUE(timer.cancel());
    EXPECT_TRUE(timer.join());
    EXPECT_GE(timer.calls(), 5U);
  });
}

TEST_P(TimerEverywhere, an_error_ends_it_and_is_rethrown_by_join) {
  run_in(GetParam(), [] {
    RepeatingTimer timer(100us, [] { throw std::domain_error("bad"); });
    timer.start();
    EXPECT_THROW(timer.join(), std::domain_error);
    EXPECT_EQ(timer.calls(), 1U);
    EXPECT_FALSE(timer.cancel());
  });
}

TEST_P(TimerEverywhere, its_own_call_may_cancel_it) {
  run_in(GetParam(), [] {
    std::unique_ptr<RepeatingTimer> timer;
    timer = std::make_unique<RepeatingTimer>(100us, [&] { EXPECT_TRUE(timer->cancel()); });
    timer->start();
    timer->join();
    EXPECT_EQ(timer->calls(), 1U);
  });
}

TEST(timer, its_own_call_may_destroy_it) {
  for (const bool fiber : {false, true}) {
    const auto body = [] {
      Event gone;
      auto timer = std::make_shared<std::unique_ptr<Timer>>();
      *timer = std::make_unique<Timer>(100us, [timer, &gone] {
        timer->reset();
        gone.set();
      });
      (*timer)->start();
      gone.wait();
    };
    if (fiber) {
      run(body);
    } else {
      body();
    }
  }
}

TEST(timer, an_error_nobody_asked_for_is_logged) {
  const LogLines log;
  run([] {
    Timer timer(0s, [] { throw std::runtime_error("in the timer"); });
    timer.start();
    while (!timer.finished()) yield();
  });
  EXPECT_EQ(log.count("in the timer"), 1);
}

TEST(timer, is_started_once_and_joined_afterwards) {
  Timer timer(0s, [] {});
  EXPECT_THROW(timer.join(), std::logic_error);
  timer.start();
  EXPECT_THROW(timer.start(), std::logic_error);
  timer.join();
}

TEST(timer, refuses_times_that_make_no_sense) {
  EXPECT_THROW(Timer(-1s, [] {}), std::invalid_argument);
  EXPECT_THROW(RepeatingTimer(0s, [] {}), std::invalid_argument);
}

TEST(timer, one_that_was_cancelled_before_the_start_does_nothing) {
  bool called = false;
  Timer timer(0s, [&] { called = true; });
  EXPECT_TRUE(timer.cancel());
  timer.start();
  EXPECT_TRUE(timer.join());
  EXPECT_FALSE(called);
}

TEST(timer, the_end_of_run_ends_it) {
  for (int round = 0; round < rounds(50); ++round) {
    bool called = false;
    run([&] {
      auto owner = spawn([&] {
        Timer timer(1h, [&] { called = true; });
        timer.start();
        sleep(1h);
      });
      for (int i = 0; i < round % 4; ++i) yield();
    });
    EXPECT_FALSE(called);
  }
}
