#include <hawser/sync/event.h>

#include <atomic>
#include <optional>
#include <stdexcept>

#include <hawser/base/errors.h>

#include "sync/contexts.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class EventEverywhere : public Everywhere {};
HAWSER_EVERYWHERE(EventEverywhere);

TEST_P(EventEverywhere, set_frees_all_who_wait) {
  run_in(GetParam(), [] {
    Event event;
    std::atomic<int> freed = 0;
    {
      Contexts contexts(GetParam());
      for (int i = 0; i < 6; ++i) {
        contexts.start([&] {
          EXPECT_TRUE(event.wait());
          ++freed;
        });
      }
      yield();
      event.set();
    }
    EXPECT_EQ(freed, 6);
    EXPECT_TRUE(event.is_set());
    EXPECT_TRUE(event.wait(0s));
  });
}

TEST(event, set_then_clear_at_once_frees_every_waiter) {
  run([] {
    Event event;
    std::vector<Task<bool>> waiters;
    for (int i = 0; i < 100; ++i) waiters.push_back(spawn([&] { return event.wait(); }));
    yield();
    event.set();
    event.clear();
    for (auto& waiter : waiters) EXPECT_TRUE(waiter.get());
    EXPECT_FALSE(event.is_set());
  });
}

TEST(event, wait_says_when_the_time_ran_out) {
  Event event;
  EXPECT_FALSE(event.wait(0s));
  EXPECT_FALSE(event.wait(1ms));
  EXPECT_THROW(event.wait(-1s), std::invalid_argument);
  event.set();
  EXPECT_THROW(event.wait(-1s), std::invalid_argument);
}

TEST(event, a_cancelled_waiter_leaves_the_others_waiting) {
  run([] {
    Event event;
    auto killed = spawn([&] { event.wait(); });
    auto kept = spawn([&] { return event.wait(); });
    yield();
    killed.kill();
    EXPECT_THROW(killed.get(), Cancelled);
    EXPECT_FALSE(kept.ready());
    event.set();
    EXPECT_TRUE(kept.get());
  });
}

TEST(event, may_be_destroyed_by_the_one_it_freed) {
  run(RunOptions{.loops = 2}, [] {
    for (int round = 0; round < 3000; ++round) {
      std::optional<Event> event(std::in_place);
      auto setter = spawn_on(1, [&] { event->set(); });
      event->wait();
      event.reset();
      setter.get();
    }
  });
}

TEST(event, passes_what_was_written_before_set_to_a_thread) {
  for (int round = 0; round < 300; ++round) {
    Event ready;
    int value = 0;
    std::thread writer([&] {
      value = round;
      ready.set();
    });
    ready.wait();
    EXPECT_EQ(value, round);
    writer.join();
  }
}
