#include <hawser/process/process_queue.h>

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/task.h>
#include <hawser/process/process.h>

#include "process/contexts.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class ProcessQueueInBoth : public InBoth {};
HAWSER_IN_BOTH(ProcessQueueInBoth);

namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kKillRounds = 30;
#else
constexpr int kKillRounds = 150;
#endif

// Counts that all processes see.
class SharedCounts {
 public:
  SharedCounts()
      : counts_(static_cast<std::atomic<long>*>(
            ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  SharedCounts(const SharedCounts&) = delete;
  SharedCounts& operator=(const SharedCounts&) = delete;
  ~SharedCounts() { ::munmap(counts_, 4096); }
  std::atomic<long>& operator[](int which) { return counts_[which]; }

 private:
  std::atomic<long>* counts_;
};

}  // namespace

TEST_P(ProcessQueueInBoth, items_cross_in_order) {
  run_in(GetParam(), [] {
    ProcessQueue<std::string> queue(5);
    Process child([&] {
      for (int i = 0; i < 1000; ++i) queue.put("item " + std::to_string(i));
    });
    child.start();
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(queue.get(), "item " + std::to_string(i));
    EXPECT_TRUE(queue.empty());
    child.join();
    EXPECT_EQ(child.exit_code(), 0);
  });
}

TEST_P(ProcessQueueInBoth, full_and_empty_are_told_in_time) {
  run_in(GetParam(), [] {
    ProcessQueue<int> queue(2);
    EXPECT_THROW(queue.get(0s), Empty);
    EXPECT_THROW(queue.get(5ms), Empty);
    EXPECT_EQ(queue.try_get(), std::nullopt);
    queue.put(1);
    queue.put(2);
    EXPECT_TRUE(queue.full());
    EXPECT_EQ(queue.qsize(), 2U);
    EXPECT_THROW(queue.put(3, 0s), Full);
    EXPECT_THROW(queue.put(3, 5ms), Full);
    EXPECT_FALSE(queue.try_put(3));
    EXPECT_EQ(queue.get(), 1);
    EXPECT_TRUE(queue.try_put(3));
    EXPECT_EQ(queue.get(), 2);
    EXPECT_EQ(queue.get_nowait(), 3);
    EXPECT_THROW(queue.get(-1s), std::invalid_argument);
  });
}

TEST_P(ProcessQueueInBoth, bytes_are_bounded_too) {
  run_in(GetParam(), [] {
    ProcessQueue<std::string> queue(0, {.capacity_bytes = 1000});
    EXPECT_THROW(queue.put(std::string(1000, 'x')), std::length_error);
    queue.put(std::string(600, 'a'));
    EXPECT_THROW(queue.put(std::string(600, 'b'), 5ms), Full);
    queue.put(std::string(100, 'c'));
    EXPECT_EQ(queue.get(), std::string(600, 'a'));
    queue.put(std::string(600, 'b'));  // over the end of the ring
    EXPECT_EQ(queue.get(), std::string(100, 'c'));
    EXPECT_EQ(queue.get(), std::string(600, 'b'));
  });
}

TEST_P(ProcessQueueInBoth, a_large_item_waits_for_its_room) {
  run_in(GetParam(), [] {
    ProcessQueue<std::string> queue(0, {.capacity_bytes = 1000});
    for (int i = 0; i < 8; ++i) queue.put(std::string(80, 'x'));
    Process child([&] { queue.put(std::string(900, 'y')); });
    child.start();
    for (int i = 0; i < 8; ++i) EXPECT_EQ(queue.get(), std::string(80, 'x'));
    EXPECT_EQ(queue.get(), std::string(900, 'y'));
  });
}

TEST_P(ProcessQueueInBoth, join_waits_until_all_is_done) {
  run_in(GetParam(), [] {
    ProcessQueue<int> queue;
    SharedCounts counts;
    Process child(
        [&] {
          for (;;) {
            counts[0] += queue.get();
            queue.task_done();
          }
        },
        {.daemon = true});
    for (int i = 1; i <= 100; ++i) queue.put(i);
    EXPECT_FALSE(queue.join(5ms));
    child.start();
    EXPECT_TRUE(queue.join());
    EXPECT_EQ(counts[0], 5050);
    EXPECT_THROW(queue.task_done(), std::logic_error);
  });
}

TEST_P(ProcessQueueInBoth, shutdown_reaches_every_process) {
  run_in(GetParam(), [] {
    ProcessQueue<int> queue;
    std::vector<Process> children;
    for (int i = 0; i < 3; ++i) {
      children.emplace_back([&] {
        try {
          for (;;) queue.get();
        } catch (const ShutDown&) {
          ::_exit(5);
        }
      });
      children.back().start();
    }
    for (int i = 0; i < 20; ++i) queue.put(i);
    queue.shutdown();
    EXPECT_THROW(queue.put(1), ShutDown);
    for (auto& child : children) {
      child.join();
      EXPECT_EQ(child.exit_code(), 5);
    }
  });
}

TEST_P(ProcessQueueInBoth, immediate_shutdown_drops_what_is_left) {
  run_in(GetParam(), [] {
    ProcessQueue<int> queue;
    queue.put(1);
    queue.shutdown(true);
    EXPECT_THROW(queue.get(), ShutDown);
    EXPECT_TRUE(queue.join());
  });
}

TEST_P(ProcessQueueInBoth, several_processes_put_and_get_every_item_once) {
  run_in(GetParam(), [] {
    ProcessQueue<int> queue(10);
    SharedCounts counts;
    {
      std::vector<Process> children;
      for (int i = 0; i < 3; ++i) {
        children.emplace_back([&] {
          for (int n = 1; n <= 2000; ++n) queue.put(n);
        });
        children.emplace_back([&] {
          try {
            for (;;) {
              counts[0] += queue.get();
              ++counts[1];
              queue.task_done();
            }
          } catch (const ShutDown&) {
            // The end.
          }
        });
      }
      for (auto& child : children) child.start();
      for (std::size_t i = 0; i < children.size(); i += 2) children[i].join();
      queue.join();
      queue.shutdown();
    }
    EXPECT_EQ(counts[1], 6000);
    EXPECT_EQ(counts[0], 3L * 2000 * 2001 / 2);
  });
  EXPECT_TRUE(no_children());
}

TEST(process_queue, waiting_lets_other_fibers_run_and_ends_in_all_ways) {
  run([] {
    ProcessQueue<int> queue(1);
    auto first = spawn([&] { return queue.get(); });
    auto second = spawn([&] { return queue.get(); });
    yield();
    Process child([&] {
      queue.put(1);
      queue.put(2);
    });
    child.start();
    EXPECT_EQ(first.get() + second.get(), 3);
    EXPECT_THROW(
        {
          Deadline budget(5ms);
          queue.get();
        },
        DeadlineExceeded);
    auto cancelled = spawn([&] { queue.get(); });
    yield();
    cancelled.kill();
    EXPECT_THROW(cancelled.get(), Cancelled);
    queue.put(7);
    EXPECT_EQ(queue.get(), 7);
  });
}

// A process that is stopped while it may hold the queue holds up nobody for longer than their timeouts.
TEST_P(ProcessQueueInBoth, a_stopped_process_does_not_wedge_those_with_a_timeout) {
  run_in(GetParam(), [] {
    ProcessQueue<int> queue(1000);
    Process child(
        [&] {
          for (;;) {
            static_cast<void>(queue.try_put(1));
            static_cast<void>(queue.try_get());
          }
        },
        {.daemon = true});
    child.start();
    for (int round = 0; round < 20; ++round) {
      child.send_signal(SIGSTOP);
      try {
        queue.put(2, 5ms);
        queue.get(5ms);
      } catch (const std::runtime_error&) {
        // Full or Empty, in time.
      }
      child.send_signal(SIGCONT);
    }
    child.kill();
  });
}

// Killed at any moment, in the middle of put() and get() too: the others go on, every item that comes out is whole, and
// no more is lost than what the dead had in their hands.
TEST_P(ProcessQueueInBoth, processes_killed_anywhere_wedge_nobody) {
  run_in(GetParam(), [] {
    std::mt19937 random(5);
    for (int round = 0; round < kKillRounds; ++round) {
      ProcessQueue<std::vector<int>> queue(4, {.capacity_bytes = 4000});
      SharedCounts counts;
      Process putter(
          [&] {
            for (int n = 0;; ++n) {
              queue.put(std::vector<int>(static_cast<std::size_t>(n % 100), n));
              ++counts[0];
            }
          },
          {.daemon = true});
      Process getter(
          [&] {
            for (;;) {
              queue.get();
              ++counts[1];
            }
          },
          {.daemon = true});
      putter.start();
      getter.start();
      const auto steps = static_cast<long>(random() % 200);
      while (counts[0] < steps) yield();
      for (auto spin = random() % 2000; spin > 0; --spin) static_cast<void>(counts[0].load());
      (round % 2 ? putter : getter).kill();
      (round % 2 ? putter : getter).join();
      if (round % 2) {
        // Nobody puts any more but us: what is left comes out, by whoever gets it, and ours after it.
        queue.put(std::vector<int>(3, -1), 20s);
        getter.kill();
        getter.join();
        static_cast<void>(queue.try_get());  // it may have died with the queue full
        queue.put(std::vector<int>(3, -2), 20s);
      }
      if (round % 2 == 0) {
        for (int i = 0; i < 10; ++i) {
          const auto numbers = queue.get(20s);
          for (const int number : numbers) EXPECT_EQ(number % 100, static_cast<int>(numbers.size()));
        }
        putter.kill();
        putter.join();
      }
      std::vector<int> last;
      while (auto numbers = queue.try_get()) last = *numbers;
      if (round % 2) {
        EXPECT_EQ(last, std::vector<int>(3, -2));
      }
      queue.put(std::vector<int>(1, 9), 20s);
      EXPECT_EQ(queue.get(20s), std::vector<int>(1, 9));
    }
  });
  EXPECT_TRUE(no_children());
}
