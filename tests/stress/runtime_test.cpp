// Wake-ups, cancellation and starts across loops, thousands of times: nothing hangs, nothing is counted twice.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/dump.h>
#include <hawser/fiber/fork.h>
#include <hawser/fiber/offload.h>
#include <hawser/fiber/waiter.h>
#include <hawser/net/socket.h>
#include <hawser/sync/condition.h>
#include <hawser/sync/event.h>
#include <hawser/sync/lock.h>
#include <hawser/sync/queue.h>
#include <hawser/sync/semaphore.h>

#include "rounds.h"

namespace hawser {
namespace {

using namespace testing;

class RuntimeRaces : public Loops {};
HAWSER_ON_LOOPS(RuntimeRaces);

TEST_P(RuntimeRaces, kill_against_lock) {
  in_loops([] {
    for (int round = 0; round < rounds(400); ++round) {
      Dice dice(round);
      Lock lock;
      int inside = 0;
      int entered = 0;
      std::vector<Task<void>> all;
      for (int i = 0; i < 8; ++i) {
        all.push_back(spawn_on(dice(count()), [&, steps = dice(3)] {
          for (int turn = 0; turn < 5; ++turn) {
            const std::lock_guard hold(lock);
            EXPECT_EQ(++inside, 1);
            ++entered;
            {
              const Shield to_the_end;  // so that `inside` is put right
              dawdle(steps);
            }
            --inside;
          }
        }));
      }
      for (const auto& task : all) {
        dawdle(dice(2));
        if (dice(2)) task.kill();
      }
      for (const auto& task : all) task.join();
      EXPECT_EQ(inside, 0);
      EXPECT_FALSE(lock.locked());
      EXPECT_TRUE(lock.try_lock());
      lock.unlock();
      EXPECT_LE(entered, 40);
    }
  });
}

TEST_P(RuntimeRaces, time_out_against_release) {
  in_loops([] {
    for (int round = 0; round < rounds(400); ++round) {
      Dice dice(round);
      Semaphore permits(2);
      std::atomic<int> held{0};
      std::vector<Task<void>> all;
      for (int i = 0; i < 8; ++i) {
        all.push_back(spawn_on(dice(count()), [&, wait = Duration(dice(50'000))] {
          if (!permits.acquire(wait)) return;
          EXPECT_LE(held.fetch_add(1) + 1, 2);
          yield();
          held.fetch_sub(1);
          permits.release();
        }));
      }
      for (const auto& task : all) task.get();
      EXPECT_TRUE(permits.acquire(Duration::zero()));
      EXPECT_TRUE(permits.acquire(Duration::zero()));
      EXPECT_FALSE(permits.acquire(Duration::zero()));
    }
  });
}

// Items go round all loops; what a cancelled taker has taken is either his or still there.
TEST_P(RuntimeRaces, wake_across_loops) {
  in_loops([] {
    for (int round = 0; round < rounds(150); ++round) {
      Dice dice(round);
      constexpr int kItems = 200;
      Queue<int> queue(4);
      std::atomic<int> taken{0};
      std::vector<Task<void>> takers;
      for (int i = 0; i < 4; ++i) {
        takers.push_back(spawn_on(dice(count()), [&] {
          for (;;) {
            static_cast<void>(queue.get());
            taken.fetch_add(1);
          }
        }));
      }
      std::vector<Task<void>> givers;
      for (int i = 0; i < 2; ++i) {
        givers.push_back(spawn_on(dice(count()), [&] {
          for (int item = 0; item < kItems / 2; ++item) queue.put(item);
        }));
      }
      dawdle(dice(20));
      takers[0].kill();
      takers[1].kill();
      for (const auto& giver : givers) giver.get();
      wait_until([&] { return taken.load() >= kItems; });
      EXPECT_EQ(taken.load(), kItems);
      for (const auto& taker : takers) taker.kill();
      for (const auto& taker : takers) taker.join();
    }
  });
}

TEST_P(RuntimeRaces, unpark_against_time_out_and_kill) {
  in_loops([] {
    for (int round = 0; round < rounds(1500); ++round) {
      Dice dice(round);
      std::atomic<Waiter*> known{nullptr};
      std::atomic<bool> told{false};
      auto sleeper = spawn_on(dice(count()), [&, patience = Duration(dice(40'000))] {
        Waiter waiter("stress");
        known.store(&waiter);
        const Wake why = waiter.park(Expiry::in(patience));
        // Whoever knows the waiter must have done with it before it goes.
        const Shield to_the_end;
        wait_until([&] { return told.load(); });
        EXPECT_TRUE(why == Wake::ready || why == Wake::expired || why == Wake::cancelled);
      });
      auto waker = spawn_on(dice(count()), [&, steps = dice(3)] {
        Waiter* waiter = nullptr;
        wait_until([&] { return (waiter = known.load()) != nullptr; });
        dawdle(steps);
        waiter->unpark();
        told = true;
      });
      if (dice(2)) {
        wait_until([&] { return known.load() != nullptr; });
        sleeper.kill();
      }
      join_all(sleeper, waker);
    }
  });
}

TEST_P(RuntimeRaces, storms_of_spawn_on) {
  in_loops([] {
    std::atomic<int> born{0};
    std::atomic<int> died{0};
    struct Life {
      Life(std::atomic<int>& b, std::atomic<int>& d) : dead(d) { b.fetch_add(1); }
      Life(const Life&) = delete;
      ~Life() { dead.fetch_add(1); }
      std::atomic<int>& dead;
    };
    for (int round = 0; round < rounds(60); ++round) {
      std::vector<Task<void>> storms;
      for (int loop = 0; loop < count(); ++loop) {
        storms.push_back(spawn_on(loop, [&, round, loop] {
          Dice dice(round * 7 + loop);
          std::vector<Task<void>> all;
          for (int i = 0; i < 100; ++i) {
            auto life = std::make_shared<Life>(born, died);
            all.push_back(spawn_on(dice(count()), [life = std::move(life), steps = dice(3)] { dawdle(steps); }));
            if (dice(4) == 0) all[static_cast<std::size_t>(dice(static_cast<int>(all.size())))].kill();
          }
          for (const auto& task : all) task.join();
        }));
      }
      for (const auto& storm : storms) storm.get();
    }
    EXPECT_EQ(born.load(), died.load());
    EXPECT_EQ(born.load(), rounds(60) * count() * 100);
  });
}

TEST_P(RuntimeRaces, offload_against_cancel) {
  in_loops([] {
    for (int round = 0; round < rounds(300); ++round) {
      Dice dice(round);
      std::vector<Task<void>> all;
      for (int i = 0; i < 24; ++i) {
        all.push_back(spawn_on(dice(count()), [] {
          // Borrowed by the function: it must be there until that has ended.
          std::vector<int> borrowed(100, 1);
          const int sum = offload([&] {
            int total = 0;
            for (const int one : borrowed) total += one;
            return total;
          });
          EXPECT_EQ(sum, 100);
        }));
      }
      for (const auto& task : all) {
        if (dice(3) == 0) yield();
        if (dice(2)) task.kill();
      }
      for (const auto& task : all) task.join();
      for (const auto& task : all) EXPECT_TRUE(task.successful() || task.cancelled());
    }
  });
}

TEST_P(RuntimeRaces, groups_that_fail_on_every_loop) {
  in_loops([] {
    std::vector<Task<void>> all;
    for (int loop = 0; loop < count(); ++loop) {
      all.push_back(spawn_on(loop, [loop] {
        for (int round = 0; round < rounds(300); ++round) {
          Dice dice(round + loop);
          TaskGroup group;
          for (int i = 0; i < 6; ++i) group.spawn([] { sleep(1h); });
          group.spawn([steps = dice(4)] {
            dawdle(steps);
            throw std::runtime_error("one fails");
          });
          EXPECT_THROW(group.join(), std::runtime_error);
          EXPECT_EQ(group.size(), 0U);
        }
      }));
    }
    for (const auto& task : all) task.get();
  });
}

// Groups over all loops: their tasks end, fail, are cancelled from here and from elsewhere; the scope holds them all.
TEST_P(RuntimeRaces, groups_across_loops) {
  in_loops([] {
    for (int round = 0; round < rounds(2000); ++round) {
      Dice dice(round);
      std::atomic<int> born{0};
      std::atomic<int> died{0};
      const int end = dice(4);
      {
        TaskGroup group;
        for (int i = 0; i < 12; ++i) {
          group.spawn_on(dice(count()), [&, i, end, steps = dice(4)] {
            struct Life {
              explicit Life(std::atomic<int>& b, std::atomic<int>& d) : dead(d) { ++b; }
              Life(const Life&) = delete;
              ~Life() { ++dead; }
              std::atomic<int>& dead;
            } life(born, died);
            dawdle(steps);
            if (i == 5 && end == 1) throw std::runtime_error("one fails");
            if (i == 7 && end == 2) group.cancel();
            if (end != 0) sleep(1h);
          });
          dawdle(dice(2));
        }
        if (end == 3) group.cancel();
        if (end == 1) {
          EXPECT_THROW(group.join(), std::runtime_error);
        } else if (dice(2) || end == 0) {
          group.join();
        }
      }
      EXPECT_EQ(born.load(), died.load());
      EXPECT_TRUE(end != 0 || born.load() == 12) << born.load();
    }
  });
}

// run() ends while fibers of other loops wait for everything there is to wait for.
TEST_P(RuntimeRaces, runs_that_end_in_the_middle_of_it) {
  for (int round = 0; round < rounds(200); ++round) {
    Lock lock;
    Event never;
    Queue<int> empty;
    auto [a, b] = socketpair();
    run({.loops = count()}, [&, &end = a] {
      Dice dice(round);
      std::vector<Task<void>> all;
      for (int i = 0; i < 3; ++i) {
        all.push_back(spawn_on(dice(count()), [&] { static_cast<void>(never.wait()); }));
        all.push_back(spawn_on(dice(count()), [&] { static_cast<void>(empty.get()); }));
        all.push_back(spawn_on(dice(count()), [] { sleep(1h); }));
        all.push_back(spawn_on(dice(count()), [&] {
          const std::lock_guard hold(lock);
          sleep(1h);
        }));
      }
      all.push_back(spawn_on(dice(count()), [&] { static_cast<void>(end.recv(1)); }));
      dawdle(dice(10));
    });
    EXPECT_FALSE(lock.locked());
  }
}

// What the child of a process with running loops may do: run loops of its own, on the sockets it was made with.
int live_in_a_forked_child(Socket& end) {
  Lock lock;
  {
    const std::lock_guard hold(lock);
    end.send_all("from the child");  // as a plain thread
  }
  return run([&] {
    Queue<int> queue(1);
    auto other = spawn([&] {
      for (int i = 0; i < 10; ++i) queue.put(i);
      sleep(1us);
    });
    int sum = 0;
    for (int i = 0; i < 10; ++i) sum += queue.get();
    other.join();
    end.send_all(" and its loop");
    return sum == 45 ? 0 : 1;
  });
}

TEST_P(RuntimeRaces, fork_with_running_loops) {
  in_loops([] {
    std::atomic<bool> stop{false};
    std::vector<Task<void>> noise;  // of fibers that run, wait and offload while we fork
    for (int loop = 0; loop < count(); ++loop) {
      noise.push_back(spawn_on(loop, [&] {
        while (!stop) {
          sleep(10us);
          offload([] {});
          yield();
        }
      }));
    }
    for (int round = 0; round < rounds(60); ++round) {
      auto [ours, theirs] = socketpair();
      const pid_t child = fork_process();
      if (child == 0) ::_exit(live_in_a_forked_child(theirs));
      ASSERT_GT(child, 0);
      theirs.close();
      std::string said;
      while (const Bytes part = ours.recv(64)) said += part.view();
      EXPECT_EQ(said, "from the child and its loop");
      int status = -1;
      offload([&] { ::waitpid(child, &status, 0); });
      EXPECT_EQ(status, 0);
    }
    stop = true;
    for (const auto& task : noise) task.get();
  });
}

}  // namespace
}  // namespace hawser
