#include <hawser/sync/deadlock.h>

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <hawser/base/log.h>
#include <hawser/sync/barrier.h>
#include <hawser/sync/condition.h>
#include <hawser/sync/lock.h>
#include <hawser/sync/rlock.h>

#include "sync/contexts.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

namespace {

// Tracking on, and what is logged meanwhile.
class Tracking {
 public:
  explicit Tracking(OnDeadlock then = OnDeadlock::report) : was_(lock_tracking()) {
    set_log_sink([this](LogLevel, std::string_view line) {
      std::lock_guard hold(mutex_);
      lines_.emplace_back(line);
    });
    set_lock_tracking(true, then);
  }
  Tracking(const Tracking&) = delete;
  Tracking& operator=(const Tracking&) = delete;
  ~Tracking() {
    set_lock_tracking(was_);
    set_log_sink({});
  }
  std::vector<std::string> lines() {
    std::lock_guard hold(mutex_);
    return lines_;
  }

 private:
  bool was_;
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

bool names_all(const std::string& text, const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), [&](const auto& name) { return text.find(name) != text.npos; });
}

// A context's name, whatever it is.
void call_me(const char* name) {
  set_fiber_name(name);
  if (!in_fiber()) pthread_setname_np(pthread_self(), name);
}

}  // namespace

class DeadlockEverywhere : public Everywhere {};
HAWSER_EVERYWHERE(DeadlockEverywhere);

// Noodles and a fork: each eater takes one and waits for the other. One of them gives way in the end.
TEST_P(DeadlockEverywhere, names_both_eaters_and_both_locks) {
  run_in(GetParam(), [] {
    Tracking tracking;
    Lock noodles("noodles");
    Lock fork("fork");
    Barrier both_have_one(2);
    std::atomic<bool> give_way = false;
    const auto eat = [&](const char* name, Lock& first, Lock& second, bool patient) {
      call_me(name);
      std::lock_guard hold(first);
      both_have_one.wait();
      if (patient) {
        std::lock_guard other(second);
      } else {
        while (!second.acquire(20ms) && !give_way) {
        }
      }
    };
    Contexts contexts(GetParam());
    contexts.start([&] { eat("Lin", noodles, fork, true); });
    contexts.start([&] { eat("Wu", fork, noodles, false); });
    const std::vector<std::string> everything{"'Lin'", "'Wu'", "lock 'noodles' held by", "lock 'fork' held by",
                                              "deadlock"};
    std::vector<std::string> found;
    yield_until([&] {
      found = find_deadlocks();
      return !found.empty();
    });
    ASSERT_EQ(found.size(), 1U);
    EXPECT_TRUE(names_all(found[0], everything)) << found[0];
    EXPECT_NE(found[0].find("until a timeout"), std::string::npos) << found[0];
    yield_until([&] { return names_all(deadlock_report(), everything); });
    give_way = true;
    contexts.join();
    EXPECT_TRUE(find_deadlocks().empty());
    EXPECT_EQ(deadlock_report(), "");
    ASSERT_FALSE(tracking.lines().empty());
    for (const std::string& line : tracking.lines()) EXPECT_TRUE(names_all(line, everything)) << line;
  });
}

TEST_P(DeadlockEverywhere, is_thrown_in_the_one_who_closes_the_circle) {
  run_in(GetParam(), [] {
    Tracking tracking(OnDeadlock::raise);
    Lock noodles("noodles");
    Lock fork("fork");
    for (int round = 0; round < 100; ++round) {
      Barrier both_have_one(2);
      std::atomic<int> ate = 0;
      std::atomic<int> thrown = 0;
      const auto eat = [&](const char* name, Lock& first, Lock& second) {
        call_me(name);
        std::lock_guard hold(first);
        both_have_one.wait();
        try {
          std::lock_guard other(second);
          ++ate;
        } catch (const DeadlockDetected& e) {
          EXPECT_TRUE(names_all(e.what(), {"'Lin'", "'Wu'", "'noodles'", "'fork'"})) << e.what();
          ++thrown;
        }
      };
      Contexts contexts(GetParam());
      contexts.start([&] { eat("Lin", noodles, fork); });
      contexts.start([&] { eat("Wu", fork, noodles); });
      contexts.join();
      EXPECT_EQ(ate, 1);
      EXPECT_EQ(thrown, 1);
    }
    EXPECT_FALSE(noodles.locked());
    EXPECT_FALSE(fork.locked());
  });
}

// Locks taken in one order by everybody: never a word, whatever the timing.
TEST_P(DeadlockEverywhere, is_not_seen_where_there_is_none) {
  run_in(GetParam(), [] {
    Tracking tracking(OnDeadlock::raise);
    Lock a("a");
    RLock b("b");
    Condition changed(b);
    Contexts contexts(GetParam());
    for (int i = 0; i < 4; ++i) {
      contexts.start([&, i] {
        for (int n = 0; n < 500; ++n) {
          std::unique_lock first(a, std::defer_lock);
          if (n % 3 != 0) {
            first.lock();
          } else if (!a.acquire(std::chrono::microseconds(n % 7))) {
            continue;
          } else {
            first = std::unique_lock(a, std::adopt_lock);
          }
          std::lock_guard second(b);
          std::lock_guard again(b);
          if ((n + i) % 8 == 0) yield();
          if (n % 16 == 0) changed.notify_all();
        }
      });
    }
    std::vector<std::string> seen;
    for (int n = 0; n < 200; ++n) {
      for (auto& text : find_deadlocks()) seen.push_back(text);
      yield();
    }
    contexts.join();
    EXPECT_TRUE(seen.empty()) << seen.front();
    EXPECT_TRUE(tracking.lines().empty()) << tracking.lines().front();
    EXPECT_EQ(deadlock_report(), "");
  });
}

TEST(deadlock, is_seen_between_a_fiber_and_the_thread_that_waits_for_it) {
  Tracking tracking;
  pthread_setname_np(pthread_self(), "the thread");
  Lock lock("the lock");
  lock.lock();
  run([&] {
    set_fiber_name("the fiber");
    EXPECT_FALSE(lock.acquire(1ms));
  });
  lock.unlock();
  ASSERT_EQ(tracking.lines().size(), 1U);
  EXPECT_TRUE(names_all(tracking.lines()[0], {"fiber 'the fiber' waits for lock 'the lock'",
                                              "held by thread 'the thread'", "who waits for the end of fiber"}))
      << tracking.lines()[0];
}

TEST(deadlock, of_one_who_locks_twice) {
  run([] {
    Tracking tracking(OnDeadlock::raise);
    set_fiber_name("the only one");
    Lock lock;
    lock.lock();
    EXPECT_THROW(lock.lock(), DeadlockDetected);
    EXPECT_TRUE(lock.locked());
    lock.unlock();
    EXPECT_FALSE(lock.locked());
    ASSERT_EQ(tracking.lines().size(), 1U);
    EXPECT_TRUE(
        names_all(tracking.lines()[0], {"fiber 'the only one' waits for lock 0x", "held by fiber 'the only one'"}));
  });
}

TEST(deadlock, goes_through_joins) {
  run([] {
    Tracking tracking(OnDeadlock::raise);
    Lock lock("the lock");
    set_fiber_name("boss");
    std::lock_guard hold(lock);
    auto worker = spawn([&] { std::lock_guard mine(lock); });
    worker.set_name("worker");
    yield();
    EXPECT_THROW(worker.join(), DeadlockDetected);
    EXPECT_FALSE(worker.join(1ms)) << "a timeout opens the circle again";
    ASSERT_EQ(tracking.lines().size(), 2U);
    EXPECT_EQ(tracking.lines()[0],
              "deadlock: fiber 'boss' waits for the end of fiber 'worker', who waits for lock 'the lock' held by fiber "
              "'boss'");
    worker.kill_and_join(1ms);
  });
}

TEST(deadlock, two_tasks_that_join_each_other) {
  run([] {
    Tracking tracking(OnDeadlock::raise);
    Task<void> a, b;
    a = spawn([&] { b.join(); });
    b = spawn([&] { a.join(); });
    EXPECT_THROW(b.get(), DeadlockDetected);
    a.get();
  });
}

TEST(deadlock, the_report_tells_waits_that_are_none) {
  run([] {
    Tracking tracking;
    set_fiber_name("holder");
    Lock lock("the lock");
    std::unique_lock hold(lock);
    auto waiter = spawn([&] {
      set_fiber_name("waiter");
      std::lock_guard mine(lock);
    });
    yield();
    EXPECT_EQ(deadlock_report(), "fiber 'waiter' waits for lock 'the lock' held by fiber 'holder'\n");
    set_fiber_name("renamed");
    EXPECT_EQ(deadlock_report(), "fiber 'waiter' waits for lock 'the lock' held by fiber 'renamed'\n");
    EXPECT_TRUE(find_deadlocks().empty());
    hold.unlock();
    waiter.get();
    EXPECT_EQ(deadlock_report(), "");
    EXPECT_TRUE(tracking.lines().empty());
  });
}

TEST(deadlock, a_lock_held_before_tracking_has_an_unknown_holder) {
  run([] {
    set_lock_tracking(false);
    Lock lock("the lock");
    lock.lock();
    Tracking tracking;
    auto waiter = spawn([&] { std::lock_guard mine(lock); });
    yield();
    EXPECT_NE(deadlock_report().find("nobody that is known"), std::string::npos);
    lock.unlock();
    waiter.get();
  });
}

TEST(deadlock, tracking_may_be_switched_while_locks_are_in_use) {
  run(RunOptions{.loops = 2}, [] {
    Tracking tracking;
    Lock lock;
    int count = 0;
    std::atomic<bool> done = false;
    auto switcher = spawn([&] {
      for (bool on = false; !done; on = !on) {
        set_lock_tracking(on);
        yield();
      }
    });
    Contexts contexts(Place::mixed);
    for (int i = 0; i < 4; ++i) {
      contexts.start([&] {
        for (int n = 0; n < 2000; ++n) {
          std::lock_guard hold(lock);
          const int seen = count;
          if (n % 16 == 0) yield();
          count = seen + 1;
        }
      });
    }
    contexts.join();
    done = true;
    switcher.get();
    EXPECT_EQ(count, 8000);
    EXPECT_TRUE(tracking.lines().empty());
  });
}
