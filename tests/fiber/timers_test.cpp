#include <hawser/fiber/timers.h>

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <vector>

using namespace hawser;
using namespace hawser::detail;
using namespace std::chrono_literals;

TEST(timers, fire_in_time_and_never_early) {
  std::mt19937_64 random(7);
  Clock::time_point now{};
  Timers timers(now);
  struct Entry {
    Timer timer;
    Clock::time_point when;
  };
  std::map<Timer*, std::unique_ptr<Entry>> waiting;
  std::size_t fired = 0;
  for (int round = 0; round < 20'000; ++round) {
    if (random() % 3) {
      auto entry = std::make_unique<Entry>();
      const auto digits = random() % 44;
      entry->when = now + Duration(static_cast<std::int64_t>(random() & ((std::uint64_t{1} << digits) - 1)));
      timers.start(entry->timer, entry->when);
      Timer* key = &entry->timer;
      waiting[key] = std::move(entry);
    } else if (!waiting.empty() && random() % 2) {
      auto it = waiting.begin();
      std::advance(it, static_cast<long>(random() % std::min<std::size_t>(waiting.size(), 20)));
      timers.cancel(*it->first);
      waiting.erase(it);
    }
    now += Duration(static_cast<std::int64_t>(random() % 2'000'000'000));
    timers.fire(now, [&](Timer& timer) {
      auto it = waiting.find(&timer);
      ASSERT_NE(it, waiting.end());
      EXPECT_LE(it->second->when, now);
      waiting.erase(it);
      ++fired;
    });
    for (const auto& [timer, entry] : waiting) EXPECT_GT(entry->when + 66us, now) << "a timer is late";
    if (waiting.empty()) {
      EXPECT_TRUE(timers.next().is_never());
    }
  }
  EXPECT_GT(fired, 1000U);
  for (auto& [timer, entry] : waiting) timers.cancel(*timer);
  EXPECT_TRUE(timers.empty());
}

TEST(timers, next_is_never_later_than_the_earliest) {
  std::mt19937_64 random(11);
  Clock::time_point now{};
  Timers timers(now);
  std::vector<std::unique_ptr<Timer>> all;
  Clock::time_point earliest = Clock::time_point::max();
  for (int i = 0; i < 500; ++i) {
    all.push_back(std::make_unique<Timer>());
    const auto when = now + Duration(static_cast<std::int64_t>(random() % 100'000'000'000));
    earliest = std::min(earliest, when);
    timers.start(*all.back(), when);
  }
  // Follow next() as the loop does: it must reach the earliest timer without passing it.
  int fired = 0;
  for (int turns = 0; fired == 0 && turns < 100; ++turns) {
    ASSERT_FALSE(timers.next().is_never());
    EXPECT_LE(timers.next().when(), earliest + 66us);
    now = std::max(now, timers.next().when());
    timers.fire(now, [&](Timer&) { ++fired; });
  }
  EXPECT_GT(fired, 0);
  for (auto& timer : all) timers.cancel(*timer);
}

TEST(timers, a_fired_timer_may_be_started_again_from_its_call) {
  Clock::time_point now{};
  Timers timers(now);
  Timer timer;
  timers.start(timer, now + 1ms);
  int fired = 0;
  for (int i = 0; i < 10; ++i) {
    now += 2ms;
    timers.fire(now, [&](Timer& due) {
      ++fired;
      timers.start(due, now + 1ms);
    });
  }
  EXPECT_EQ(fired, 10);
  timers.cancel(timer);
}
