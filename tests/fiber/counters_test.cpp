#include <hawser/fiber/counters.h>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <hawser/base/fd.h>
#include <hawser/fiber/pollable.h>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/waiter.h>

namespace hawser {
namespace {

using namespace std::chrono_literals;

// The counters of the loop that the caller runs on.
LoopCounters here() {
  for (const LoopCounters& one : runtime_counters().loops) {
    if (one.loop == loop_index()) return one;
  }
  throw std::logic_error("no counters of this loop");
}

TEST(Counters, of_switches_grow_with_each_yield) {
  run([] {
    auto other = spawn([] {
      for (int i = 0; i < 100; ++i) yield();
    });
    const LoopCounters before = here();
    for (int i = 0; i < 100; ++i) yield();
    other.join();
    const LoopCounters after = here();
    EXPECT_GE(after.switches - before.switches, 200U);
    EXPECT_LE(after.switches - before.switches, 210U);
    EXPECT_GT(after.turns, before.turns - 1);
  });
}

TEST(Counters, of_parks_tell_waits_that_waited) {
  run([] {
    const LoopCounters before = here();
    Waiter early;
    early.unpark();
    EXPECT_EQ(early.park(), Wake::ready);
    EXPECT_EQ(here().parks, before.parks);
    Waiter waiter;
    auto waker = spawn([&] { waiter.unpark(); });
    EXPECT_EQ(waiter.park(), Wake::ready);
    const LoopCounters after = here();
    EXPECT_EQ(after.parks, before.parks + 1);
    EXPECT_EQ(after.wakes_here, before.wakes_here + 1);
    EXPECT_EQ(after.wakes_across, before.wakes_across);
    waker.join();
  });
}

TEST(Counters, of_wakes_tell_own_from_foreign) {
  run([] {
    const LoopCounters before = here();
    Waiter waiter;
    std::thread waker([&] { waiter.unpark(); });
    EXPECT_EQ(waiter.park(), Wake::ready);
    waker.join();
    const LoopCounters after = here();
    EXPECT_LE(after.wakes_across, before.wakes_across + 1);  // it may have come before we waited
    EXPECT_EQ(after.wakes_across - before.wakes_across, after.parks - before.parks);
  });
}

TEST(Counters, of_timers_tell_started_from_fired) {
  run([] {
    const LoopCounters before = here();
    sleep(1ms);
    Waiter waiter;
    auto waker = spawn([&] { waiter.unpark(); });
    EXPECT_EQ(waiter.park(Expiry::in(1h)), Wake::ready);
    waker.join();
    const LoopCounters after = here();
    EXPECT_EQ(after.timers_started, before.timers_started + 2);
    EXPECT_EQ(after.timers_fired, before.timers_fired + 1);
    EXPECT_GT(after.sleeps + after.polls, before.sleeps + before.polls);
  });
}

TEST(Counters, of_submits_grow_when_something_is_waited_for) {
  run([] {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    Pollable reading{UniqueFd(ends[0])};
    const UniqueFd writing(ends[1]);
    const LoopCounters before = here();
    auto writer = spawn([&] { EXPECT_EQ(::write(writing.get(), "x", 1), 1); });
    const std::string name = "a pipe";
    {
      Pollable::Use use(reading, Direction::read, "read", name);
      EXPECT_EQ(use.wait(Expiry::never()), Wake::ready);
    }
    writer.join();
    const LoopCounters after = here();
    EXPECT_GT(after.submits, before.submits);
    EXPECT_GT(after.engine_calls, before.engine_calls);
    EXPECT_LE(after.engine_calls - before.engine_calls, 20 + after.polls - before.polls);
  });
}

TEST(Counters, of_fibers_and_stacks_tell_what_there_is) {
  run([] {
    std::vector<Task<void>> tasks;
    Waiter* waiters[20] = {};
    for (auto*& slot : waiters) {
      tasks.push_back(spawn([&slot] {
        Waiter waiter;
        slot = &waiter;
        static_cast<void>(waiter.park());
      }));
    }
    EXPECT_EQ(here().unstarted, 20U);
    EXPECT_EQ(here().fibers_live, 1U);
    yield();
    const LoopCounters many = here();
    EXPECT_EQ(many.unstarted, 0U);
    EXPECT_EQ(many.fibers_live, 21U);
    EXPECT_GE(many.fibers_created, 21U);
    EXPECT_EQ(many.stacks_mapped, many.stacks_free + many.fibers_live + many.fibers_idle);
    for (Waiter* waiter : waiters) waiter->unpark();
    for (const Task<void>& task : tasks) task.join();
    const LoopCounters after = here();
    EXPECT_EQ(after.fibers_live, 1U);
    EXPECT_EQ(after.fibers_idle, 20U);
    EXPECT_EQ(after.stacks_mapped, many.stacks_mapped);
  });
}

TEST(Counters, may_be_read_while_they_change) {
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    std::uint64_t last = 0;
    while (!stop.load()) {
      const RuntimeCounters now = runtime_counters();
      std::uint64_t sum = 0;
      for (const LoopCounters& one : now.loops) sum += one.switches;
      EXPECT_EQ(now.total.switches, sum);
      EXPECT_GE(now.total.switches, last);
      last = now.total.switches;
    }
  });
  run({.loops = 2}, [] {
    auto there = spawn_on(1, [] {
      for (int i = 0; i < 20'000; ++i) yield();
    });
    for (int i = 0; i < 20'000; ++i) yield();
    there.join();
  });
  stop = true;
  reader.join();
}

}  // namespace
}  // namespace hawser
