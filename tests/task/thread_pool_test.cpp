#include <hawser/task/thread_pool.h>

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <hawser/fiber/deadline.h>
#include <hawser/fiber/fork.h>
#include <hawser/sync/event.h>
#include <hawser/task/completion.h>
#include <hawser/task/thread.h>
#include <hawser/task/when.h>

#include "stress/rounds.h"
#include "sync/contexts.h"
#include "task/log_lines.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class ThreadPoolEverywhere : public Everywhere {};
HAWSER_EVERYWHERE(ThreadPoolEverywhere);

TEST_P(ThreadPoolEverywhere, everything_submitted_is_done_once) {
  run_in(GetParam(), [] {
    for (int round = 0; round < rounds(50); ++round) {
      std::atomic<int> ran = 0;
      {
        ThreadPool pool(3);
        Contexts contexts(GetParam());
        for (int who = 0; who < 3; ++who)
          contexts.start([&] {
            std::vector<Future<int>> futures;
            for (int i = 0; i < 100; ++i)
              futures.push_back(pool.submit([&ran, i] {
                ++ran;
                return i;
              }));
            for (int i = 0; i < 100; ++i) EXPECT_EQ(futures[static_cast<std::size_t>(i)].result(), i);
          });
        contexts.join();
      }
      EXPECT_EQ(ran, 300);
    }
  });
}

TEST_P(ThreadPoolEverywhere, now_and_then_a_task_wakes_a_sleeping_pool) {
  run_in(GetParam(), [] {
    ThreadPool pool(2);
    for (int round = 0; round < rounds(500); ++round) {
      EXPECT_EQ(pool.submit([round] { return round; }).result(), round);
      if (round % 10 == 0) sleep(50us);
    }
  });
}

TEST_P(ThreadPoolEverywhere, shutdown_races_with_submit_and_nothing_is_left_undone) {
  run_in(GetParam(), [] {
    int refused = 0;
    for (int round = 0; round < rounds(500); ++round) {
      ThreadPool pool(2);
      std::atomic<int> ran = 0;
      std::atomic<int> accepted = 0;
      Contexts contexts(GetParam());
      contexts.start([&] {
        try {
          for (int i = 0; i < 20; ++i) {
            pool.submit([&] { ++ran; });
            ++accepted;
          }
        } catch (const ExecutorShutDown&) {
          ++refused;
        }
      });
      contexts.start([&] {
        for (int i = 0; i < round % 40; ++i) yield();
        pool.shutdown();
      });
      contexts.join();
      EXPECT_EQ(ran, accepted);
    }
    RecordProperty("refused", refused);
  });
}

TEST_P(ThreadPoolEverywhere, each_future_is_done_or_cancelled_after_a_shutdown_that_cancels) {
  run_in(GetParam(), [] {
    for (int round = 0; round < rounds(300); ++round) {
      ThreadPool pool(2);
      std::vector<Future<void>> futures;
      std::atomic<int> ran = 0;
      for (int i = 0; i < 50; ++i) futures.push_back(pool.submit([&] { ++ran; }));
      pool.shutdown({.cancel_pending = true});
      int cancelled = 0;
      for (const auto& future : futures) {
        EXPECT_TRUE(future.done());
        cancelled += future.cancelled();
      }
      EXPECT_EQ(ran + cancelled, 50);
    }
  });
}

TEST_P(ThreadPoolEverywhere, cancel_races_with_the_work) {
  run_in(GetParam(), [] {
    ThreadPool pool(2);
    for (int round = 0; round < rounds(3000); ++round) {
      std::atomic<bool> ran = false;
      const Future<void> future = pool.submit([&] { ran = true; });
      const bool cancelled = future.cancel();
      EXPECT_TRUE(future.wait());
      EXPECT_NE(ran, cancelled);
    }
  });
}

TEST_P(ThreadPoolEverywhere, callbacks_race_with_completion) {
  run_in(GetParam(), [] {
    ThreadPool pool(2);
    std::atomic<int> called = 0;
    for (int round = 0; round < rounds(3000); ++round) {
      pool.submit([] { return 1; }).on_done([&](const Future<int>& done) { called += done.result(); });
    }
    pool.shutdown();
    EXPECT_EQ(called, rounds(3000));
  });
}

TEST_P(ThreadPoolEverywhere, a_bounded_pool_makes_the_submitter_wait) {
  run_in(GetParam(), [] {
    ThreadPool pool(1, {.max_queued = 2});
    std::atomic<int> ran = 0;
    Contexts contexts(GetParam());
    for (int who = 0; who < 3; ++who)
      contexts.start([&] {
        for (int i = 0; i < rounds(300); ++i) pool.submit([&] { ++ran; });
      });
    contexts.join();
    pool.shutdown();
    EXPECT_EQ(ran, 3 * rounds(300));
  });
}

TEST_P(ThreadPoolEverywhere, who_waits_for_room_is_told_of_the_shutdown) {
  run_in(GetParam(), [] {
    ThreadPool pool(1, {.max_queued = 1});
    Event begun;
    Event release;
    pool.submit([&] {
      begun.set();
      release.wait();
    });
    begun.wait();
    pool.submit([] {});
    Contexts contexts(GetParam());
    contexts.start([&] { EXPECT_THROW(pool.submit([] {}), ExecutorShutDown); });
    contexts.start([&] {
      for (int i = 0; i < 50; ++i) yield();
      pool.shutdown({.wait = false});
    });
    contexts.join();
    release.set();
  });
}

TEST_P(ThreadPoolEverywhere, waiting_for_room_ends_with_the_deadline) {
  run_in(GetParam(), [] {
    ThreadPool pool(1, {.max_queued = 1});
    Event begun;
    Event release;
    pool.submit([&] {
      begun.set();
      release.wait();
    });
    begun.wait();
    pool.submit([] {});
    {
      const Deadline budget(1ms);
      EXPECT_THROW(pool.submit([] {}), DeadlineExceeded);
    }
    release.set();
  });
}

TEST_P(ThreadPoolEverywhere, leaving_the_scope_waits_for_queued_work) {
  run_in(GetParam(), [] {
    int ran = 0;
    {
      ThreadPool pool(1);
      for (int i = 0; i < 100; ++i) pool.submit([&] { ++ran; });
    }
    EXPECT_EQ(ran, 100);
  });
}

TEST(thread_pool, passes_arguments_and_results) {
  ThreadPool pool(2);
  EXPECT_EQ(pool.submit([](int a, int b) { return a * b; }, 6, 7).result(), 42);
  auto owned =
      pool.submit([](std::unique_ptr<int> n) { return std::make_unique<int>(*n + 1); }, std::make_unique<int>(1));
  EXPECT_EQ(*owned.result(), 2);
  EXPECT_EQ(pool.submit(&std::string::size, std::string("four")).result(), 4U);
}

TEST(thread_pool, what_a_function_throws_is_thrown_by_result) {
  ThreadPool pool(1);
  const Future<int> future = pool.submit([]() -> int { throw std::domain_error("bad"); });
  EXPECT_THROW(future.result(), std::domain_error);
}

TEST(thread_pool, an_exception_may_be_looked_at_when_its_future_has_gone) {
  ThreadPool pool(2);
  for (int round = 0; round < rounds(500); ++round) {
    try {
      pool.submit([]() -> int { throw std::runtime_error("no such host"); }).result();
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "no such host");
    }
  }
}

TEST(thread_pool, one_thread_works_in_the_order_of_submission) {
  std::vector<int> order;
  {
    ThreadPool pool(1);
    for (int i = 0; i < 1000; ++i) pool.submit([&order, i] { order.push_back(i); });
  }
  std::vector<int> expected(1000);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(order, expected);
}

TEST(thread_pool, long_work_does_not_hold_up_what_other_threads_could_do) {
  for (int round = 0; round < rounds(300); ++round) {
    ThreadPool pool(3);
    Event release;
    std::vector<Future<void>> futures;
    futures.push_back(pool.submit([&] { release.wait(); }));
    futures.push_back(pool.submit([&] { release.wait(); }));
    for (int i = 0; i < 20; ++i) futures.push_back(pool.submit([] {}));
    for (std::size_t i = 2; i < futures.size(); ++i) futures[i].result();
    EXPECT_FALSE(futures[0].done());
    release.set();
  }
}

TEST(thread_pool, as_many_work_at_a_time_as_it_has_threads) {
  ThreadPool pool(4);
  std::atomic<int> there = 0;
  std::vector<Future<void>> futures;
  for (int i = 0; i < 4; ++i)
    futures.push_back(pool.submit([&] {
      ++there;
      while (there < 4) std::this_thread::yield();
    }));
  for (const auto& future : futures) future.result();
}

TEST(thread_pool, threads_are_started_on_demand_and_used_again) {
  ThreadPool pool(8);
  const std::size_t before = active_count();
  pool.submit([] {}).result();
  EXPECT_EQ(active_count(), before + 1);
  for (int i = 0; i < 1000; ++i) pool.submit([] {}).result();
  EXPECT_LE(active_count(), before + 8);
  EXPECT_EQ(pool.size(), 8U);
}

TEST(thread_pool, one_task_starts_one_thread) {
  std::atomic<int> started = 0;
  std::vector<std::thread> crowd;
  for (int i = 0; i < 4; ++i) {
    crowd.emplace_back([&] {
      for (int round = 0; round < rounds(2000); ++round) {
        ThreadPool pool(2, {.initializer = [&] { ++started; }});
        pool.submit([] {}).result();
      }
    });
  }
  for (std::thread& thread : crowd) thread.join();
  EXPECT_EQ(started, 4 * rounds(2000));
}

TEST(thread_pool, a_pool_without_work_has_no_threads) {
  const std::size_t before = active_count();
  const ThreadPool pool(8);
  EXPECT_EQ(active_count(), before);
}

TEST(thread_pool, its_threads_have_its_name) {
  ThreadPool pool(1, {.name = "crew"});
  EXPECT_EQ(pool.submit([] { return current_thread().name(); }).result(), "crew-0");
  const auto kernel_name = pool.submit([] {
    char name[16] = {};
    ::pthread_getname_np(::pthread_self(), name, sizeof name);
    return std::string(name);
  });
  EXPECT_EQ(kernel_name.result(), "crew-0");
}

TEST(thread_pool, submit_after_shutdown_is_an_error_and_shutdown_may_be_repeated) {
  ThreadPool pool(2, {.name = "gone"});
  pool.submit([] {}).result();
  pool.shutdown();
  pool.shutdown();
  pool.shutdown({.cancel_pending = true});
  try {
    pool.submit([] {});
    FAIL();
  } catch (const ExecutorShutDown& error) {
    EXPECT_STREQ(error.what(), "submit: 'gone' is shut down");
  }
}

TEST(thread_pool, shutdown_need_not_wait) {
  ThreadPool pool(1);
  Event release;
  const Future<void> running = pool.submit([&] { release.wait(); });
  const Future<int> queued = pool.submit([] { return 1; });
  pool.shutdown({.wait = false});
  EXPECT_FALSE(queued.done());
  release.set();
  EXPECT_EQ(queued.result(), 1);
}

TEST(thread_pool, cancelling_what_is_pending_frees_its_waiters_at_once) {
  ThreadPool pool(1);
  Event begun;
  Event release;
  const Future<void> running = pool.submit([&] {
    begun.set();
    release.wait();
  });
  begun.wait();
  const Future<int> queued = pool.submit([] { return 1; });
  pool.shutdown({.wait = false, .cancel_pending = true});
  EXPECT_THROW(queued.result(), FutureCancelled);
  EXPECT_FALSE(running.done());
  release.set();
}

TEST(thread_pool, waiting_for_a_shutdown_ends_with_the_deadline) {
  ThreadPool pool(1);
  Event release;
  pool.submit([&] { release.wait(); });
  {
    const Deadline budget(1ms);
    EXPECT_THROW(pool.shutdown(), DeadlineExceeded);
  }
  EXPECT_THROW(pool.submit([] {}), ExecutorShutDown);
  release.set();
}

TEST(thread_pool, a_worker_cannot_wait_for_the_end_of_its_own_pool) {
  ThreadPool pool(1);
  pool.submit([&] {
        EXPECT_THROW(pool.shutdown(), std::logic_error);
        pool.shutdown({.wait = false});
      })
      .result();
}

TEST(thread_pool, a_worker_that_waits_for_its_own_pool_does_the_work) {
  ThreadPool pool(1);
  const auto outer = pool.submit([&] { return pool.submit([] { return 20; }).result() + 1; });
  EXPECT_EQ(outer.result(), 21);
}

TEST(thread_pool, nested_waits_of_any_depth_end) {
  ThreadPool pool(2);
  std::function<int(int)> fibonacci = [&](int n) {
    if (n < 2) return n;
    const Future<int> one = pool.submit(std::cref(fibonacci), n - 1);
    const Future<int> two = pool.submit(std::cref(fibonacci), n - 2);
    return one.result() + two.result();
  };
  EXPECT_EQ(pool.submit(std::cref(fibonacci), 12).result(), 144);
}

TEST(thread_pool, a_worker_may_wait_for_what_hangs_together_with_its_own_pool) {
  for (int round = 0; round < rounds(200); ++round) {
    ThreadPool pool(1);
    const auto by_then =
        pool.submit([&] { return pool.submit([] { return 1; }).then([](int n) { return n + 1; }).result(); });
    EXPECT_EQ(by_then.result(), 2);
    const auto by_when = pool.submit([&] {
      return when_all(std::vector{pool.submit([] { return 1; }), pool.submit([] { return 2; })}).result().size();
    });
    EXPECT_EQ(by_when.result(), 2U);
    const auto by_wait = pool.submit([&] {
      return wait(std::vector{pool.submit([] { return 1; }), pool.submit([] { return 2; })}).done.size();
    });
    EXPECT_EQ(by_wait.result(), 2U);
    const auto timed = pool.submit([&] { return pool.submit([] { return 3; }).result(1h); });
    EXPECT_EQ(timed.result(), 3);
  }
}

TEST(thread_pool, the_threads_that_came_to_help_go_again) {
  ThreadPool pool(1);
  const std::size_t before = active_count();
  for (int i = 0; i < 20; ++i) pool.submit([&] { pool.submit([] {}).then([] {}).result(); }).result();
  for (int i = 0; i < 20; ++i) pool.submit([] {}).result();
  EXPECT_LE(active_count(), before + 3);
}

TEST(thread_pool, a_worker_does_not_wait_for_room_in_its_own_pool) {
  ThreadPool pool(1, {.max_queued = 1});
  const auto sum = pool.submit([&] {
    std::vector<Future<int>> futures;
    for (int i = 0; i < 10; ++i) futures.push_back(pool.submit([i] { return i; }));
    int total = 0;
    for (const auto& future : futures) total += future.result();
    return total;
  });
  EXPECT_EQ(sum.result(), 45);
}

TEST(thread_pool, the_initializer_runs_first_on_each_thread) {
  thread_local int prepared = 0;
  ThreadPool pool(2, {.initializer = [] { ++prepared; }});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(pool.submit([] { return prepared; }).result(), 1);
}

TEST(thread_pool, an_initializer_that_throws_breaks_the_pool) {
  const LogLines log;
  for (int round = 0; round < rounds(200); ++round) {
    ThreadPool pool(2, {.name = "bad", .initializer = [] { throw std::runtime_error("no database"); }});
    std::vector<Future<int>> futures;
    try {
      for (int i = 0; i < 5; ++i) futures.push_back(pool.submit([] { return 1; }));
    } catch (const BrokenThreadPool&) {
    }
    for (const auto& future : futures) EXPECT_THROW(future.result(), BrokenThreadPool);
    try {
      pool.submit([] { return 1; });
      FAIL();
    } catch (const BrokenExecutor& error) {
      EXPECT_STREQ(error.what(), "bad: the initializer threw: no database");
    }
  }
}

TEST(thread_pool, a_future_outlives_its_pool) {
  Future<std::string> future;
  {
    ThreadPool pool(1);
    future = pool.submit([] { return std::string("kept"); });
  }
  EXPECT_EQ(future.result(), "kept");
}

TEST(thread_pool, what_the_work_held_is_free_before_it_has_ended) {
  ThreadPool pool(2);
  for (int round = 0; round < rounds(500); ++round) {
    auto held = std::make_shared<int>(1);
    const std::weak_ptr<int> watch = held;
    pool.submit([held = std::move(held)] { return *held; }).result();
    EXPECT_TRUE(watch.expired());
  }
}

TEST(thread_pool, a_fiber_that_waits_for_a_thread_lets_others_run) {
  run([] {
    ThreadPool pool(1);
    Event release;
    auto waiter = spawn([&] {
      return pool
          .submit([&] {
            release.wait();
            return 5;
          })
          .result();
    });
    bool others = false;
    auto other = spawn([&] {
      others = true;
      release.set();
    });
    EXPECT_EQ(waiter.get(), 5);
    EXPECT_TRUE(others);
  });
}

TEST(thread_pool, a_forked_child_is_told_that_it_has_no_threads) {
  ThreadPool pool(1);
  pool.submit([] {}).result();
  const pid_t child = fork_process();
  if (child == 0) {
    int status = 1;
    try {
      pool.submit([] {});
    } catch (const std::logic_error&) {
      pool.shutdown();
      status = 0;
#if !defined(__SANITIZE_THREAD__)  // which knows no threads in a forked child
      ThreadPool own(1);
      status = own.submit([] { return 0; }).result();
#endif
    }
    ::_exit(status);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(pool.submit([] { return 1; }).result(), 1);
}

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)  // which want memory of their own
TEST(thread_pool, submit_says_when_not_a_single_thread_can_be_started) {
  const pid_t child = fork_process();
  if (child == 0) {
    // Larger than any stack that an earlier thread has left behind.
    pthread_attr_t large;
    ::pthread_attr_init(&large);
    ::pthread_attr_setstacksize(&large, 64 << 20);
    ::pthread_setattr_default_np(&large);
    ThreadPool pool(2);
    rlimit before{};
    ::getrlimit(RLIMIT_AS, &before);
    const rlimit nothing_more{.rlim_cur = 1, .rlim_max = before.rlim_max};
    ::setrlimit(RLIMIT_AS, &nothing_more);
    bool refused = false;
    try {
      pool.submit([] { return 1; });
    } catch (const SystemError& error) {
      refused = error.error_number() == EAGAIN;
    }
    ::setrlimit(RLIMIT_AS, &before);
    ::_exit(refused && pool.submit([] { return 1; }).result() == 1 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}
#endif

TEST(thread_pool, zero_threads_means_as_many_as_processors) {
  const ThreadPool pool;
  EXPECT_GE(pool.size(), 1U);
}
