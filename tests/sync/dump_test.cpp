// What dump_fibers() says of waits for locks and their like.
#include <hawser/fiber/dump.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/sync/barrier.h>
#include <hawser/sync/channel.h>
#include <hawser/sync/condition.h>
#include <hawser/sync/deadlock.h>
#include <hawser/sync/event.h>
#include <hawser/sync/lifo_queue.h>
#include <hawser/sync/lock.h>
#include <hawser/sync/priority_queue.h>
#include <hawser/sync/queue.h>
#include <hawser/sync/rlock.h>
#include <hawser/sync/semaphore.h>

namespace hawser {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Tracking {
 public:
  explicit Tracking(bool on) : was_(lock_tracking()) { set_lock_tracking(on); }
  Tracking(const Tracking&) = delete;
  Tracking& operator=(const Tracking&) = delete;
  ~Tracking() { set_lock_tracking(was_); }

 private:
  bool was_;
};

// The dump's line of a fiber that does that until it is killed.
std::string line_while(const std::function<void()>& wait) {
  auto waiting = spawn(wait);
  waiting.set_name("Lin");
  yield();
  const std::string text = dump_fibers({.stacks = false});
  waiting.kill();
  waiting.join();
  const auto begin = text.find("'Lin'");
  return begin == std::string::npos ? text : text.substr(begin, text.find('\n', begin) - begin);
}

TEST(DumpOfLocks, tells_the_name_of_what_is_waited_for) {
  run([] {
    Lock lock("noodles");
    RLock rlock("fork");
    Condition condition(lock, "fresh noodles");
    Condition recursive(rlock, "clean forks");
    Semaphore semaphore(0, "chairs");
    BoundedSemaphore bounded(1, "the table");
    Event event("dinner");
    Barrier barrier(2, {}, "all sit");
    Queue<int> queue(1, "orders");
    LifoQueue<int> pile(1, "plates");
    PriorityQueue<int> guests(1, {}, "guests");
    Channel<int> channel("hatch");
    ASSERT_TRUE(bounded.try_acquire());
    EXPECT_THAT(line_while([&] {
                  const std::lock_guard hold(lock);
                  condition.wait();
                }),
                HasSubstr("parked in condition 'fresh noodles', for 0."));
    EXPECT_THAT(line_while([&] {
                  const std::lock_guard hold(rlock);
                  recursive.wait();
                }),
                HasSubstr("parked in condition 'clean forks', for 0."));
    EXPECT_THAT(line_while([&] { semaphore.acquire(); }), HasSubstr("parked in semaphore 'chairs', for 0."));
    EXPECT_THAT(line_while([&] { bounded.acquire(); }), HasSubstr("parked in semaphore 'the table', for 0."));
    EXPECT_THAT(line_while([&] { event.wait(); }), HasSubstr("parked in event 'dinner', for 0."));
    EXPECT_THAT(line_while([&] { barrier.wait(); }), HasSubstr("parked in barrier 'all sit', for 0."));
    EXPECT_THAT(line_while([&] { queue.get(); }), HasSubstr("parked in queue get 'orders', for 0."));
    EXPECT_THAT(line_while([&] { pile.get(); }), HasSubstr("parked in queue get 'plates', for 0."));
    EXPECT_THAT(line_while([&] { guests.get(); }), HasSubstr("parked in queue get 'guests', for 0."));
    queue.put(1);
    EXPECT_THAT(line_while([&] { queue.put(2); }), HasSubstr("parked in queue put 'orders', for 0."));
    EXPECT_THAT(line_while([&] { queue.join(); }), HasSubstr("parked in queue join 'orders', for 0."));
    EXPECT_THAT(line_while([&] { channel.receive(); }), HasSubstr("parked in channel receive 'hatch', for 0."));
    EXPECT_THAT(line_while([&] { channel.send(1); }), HasSubstr("parked in channel send 'hatch', for 0."));
    const std::lock_guard hold(lock);
    const std::lock_guard hold_recursive(rlock);
    EXPECT_THAT(line_while([&] { lock.lock(); }), HasSubstr("parked in lock 'noodles'"));
    EXPECT_THAT(line_while([&] { rlock.lock(); }), HasSubstr("parked in lock 'fork'"));
  });
}

TEST(DumpOfLocks, tells_who_holds_a_lock_while_that_is_tracked) {
  const Tracking on(true);
  run([] {
    Lock lock("noodles");
    auto holder = spawn([&] {
      set_fiber_name("Wu");
      const std::lock_guard hold(lock);
      sleep(std::chrono::hours(1));
    });
    yield();
    EXPECT_THAT(line_while([&] { lock.lock(); }), HasSubstr("parked in lock 'noodles' held by fiber 'Wu', for 0."));
    holder.kill();
    holder.join();

    // One without a name, held by a thread.
    Lock unnamed;
    Event held;
    Event enough;
    std::thread thread([&] {
      ::pthread_setname_np(::pthread_self(), "cook");
      const std::lock_guard hold(unnamed);
      held.set();
      enough.wait();
    });
    held.wait();
    EXPECT_THAT(line_while([&] { unnamed.lock(); }), HasSubstr("parked in lock held by thread 'cook' ("));
    enough.set();
    thread.join();
  });
}

TEST(DumpOfLocks, says_nothing_of_holders_otherwise) {
  const Tracking off(false);
  run([] {
    Lock lock("noodles");
    const std::lock_guard hold(lock);
    EXPECT_THAT(line_while([&] { lock.lock(); }), Not(HasSubstr("held by")));
  });
}

// The lock is handed on all the time while others look who has it.
TEST(DumpOfLocks, may_be_taken_while_locks_go_round) {
  const Tracking on(true);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr int kDumps = 50;
#else
  constexpr int kDumps = 500;
#endif
  run({.loops = 2}, [] {
    std::optional<Lock> lock(std::in_place, "noodles");
    std::atomic<bool> stop{false};
    std::vector<Task<void>> guests;
    for (int i = 0; i < 8; ++i) {
      guests.push_back(spawn_on(i % 2, [&] {
        while (!stop) {
          const std::lock_guard hold(*lock);
          yield();
        }
      }));
      guests.back().set_name("guest");
    }
    std::size_t seen = 0;
    for (int i = 0; i < kDumps || seen == 0; ++i) {
      yield();
      seen += dump_fibers({.stacks = false}).find("in lock 'noodles' held by fiber") != std::string::npos ? 1 : 0;
    }
    EXPECT_GT(seen, 0U);
    stop = true;
    for (auto& guest : guests) guest.get();
    lock.reset();
  });
}

}  // namespace
}  // namespace hawser
