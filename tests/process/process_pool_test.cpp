#include <hawser/process/process_pool.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/fork.h>
#include <hawser/fiber/task.h>
#include <hawser/process/current_process.h>
#include <hawser/sync/event.h>
#include <hawser/task/completion.h>

#include "process/contexts.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class ProcessPoolInBoth : public InBoth {};
HAWSER_IN_BOTH(ProcessPoolInBoth);

namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kKillRounds = 20;
constexpr int kMany = 500;
#else
constexpr int kKillRounds = 200;
constexpr int kMany = 5000;
#endif

struct Page {
  std::string url;
  int size = 0;
};

int power(int base, int exponent) {
  int result = 1;
  for (int i = 0; i < exponent; ++i) result *= base;
  return result;
}
Page get_page(const std::string& url) { return {url, static_cast<int>(url.size())}; }
std::size_t length(std::string_view text) { return text.size(); }
void nothing() {}
int own_pid() { return ::getpid(); }
int throw_many(std::size_t size) { throw std::runtime_error(std::string(size, 'x')); }
int throw_number(int number) { throw std::invalid_argument("bad number " + std::to_string(number)); }
void throw_no_exception() { throw 7; }
int die_by(int signal) {
  ::raise(signal);
  return 0;
}
int exit_with(int code) { std::exit(code); }
void abort_it() { std::abort(); }
std::string many(std::size_t size) { return std::string(size, 'x'); }

// Counts that all processes see: a file that each worker maps.
std::string shared_file() { return ::testing::TempDir() + "pool_counts_" + std::to_string(::getpid()); }
std::atomic<long>* g_counts = nullptr;
void open_counts(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (::ftruncate(file.get(), 4096) != 0) throw_errno("ftruncate", path);
  g_counts = static_cast<std::atomic<long>*>(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0));
}
struct Counts {
  Counts() { open_counts(path); }
  Counts(const Counts&) = delete;
  Counts& operator=(const Counts&) = delete;
  ~Counts() {
    ::munmap(g_counts, 4096);
    std::remove(path.c_str());
  }
  std::string path = shared_file();
};
// Counts itself, and says by [0] that it runs; ends when [1] is set.
int hold_up() {
  ++g_counts[0];
  while (g_counts[1] == 0) ::usleep(200);
  return ::getpid();
}
void count_up() { ++g_counts[2]; }
void count_number(int number) { ++g_counts[10 + number]; }

void yield_until(const std::function<bool()>& condition) {
  while (!condition()) hawser::sleep(200us);
}

int g_initialised = 0;
void initialise(int number, const std::string& text) { g_initialised = number + static_cast<int>(text.size()); }
int initialised() { return g_initialised; }
void fail_to_initialise() { throw std::runtime_error("no tables"); }

template <class T>
std::string error_of(const Future<T>& future) {
  try {
    future.result();
    return "no error";
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace

TEST_P(ProcessPoolInBoth, runs_functions_in_other_processes) {
  run_in(GetParam(), [] {
    ProcessPool pool(2);
    EXPECT_EQ(pool.submit(power, 2, 10).result(), 1024);
    EXPECT_EQ(pool.submit(get_page, "http://a").result().size, 8);
    EXPECT_EQ(pool.submit(length, "four").result(), 4U);
    EXPECT_NE(pool.submit(own_pid).result(), ::getpid());
    pool.submit(nothing).result();
    EXPECT_EQ(pool.submit([](int a, int b) { return a + b; }, 1, 2).result(), 3);
    EXPECT_EQ(pool.size(), 2U);
  });
  EXPECT_TRUE(no_children());
}

TEST_P(ProcessPoolInBoth, many_tasks_all_come_back_to_their_futures) {
  run_in(GetParam(), [] {
    ProcessPool pool(2);
    std::vector<Future<int>> futures;
    for (int i = 0; i < kMany; ++i) futures.push_back(pool.submit(power, i, 2));
    for (int i = 0; i < kMany; ++i) ASSERT_EQ(futures[std::size_t(i)].result(), i * i);
  });
}

TEST_P(ProcessPoolInBoth, large_arguments_and_results_cross) {
  run_in(GetParam(), [] {
    ProcessPool pool(2);
    std::vector<Future<std::string>> futures;
    for (int i = 0; i < 5; ++i) futures.push_back(pool.submit(many, std::size_t{3'000'000}));
    for (auto& future : futures) EXPECT_EQ(future.result().size(), 3'000'000U);
    EXPECT_EQ(pool.submit(get_page, std::string(5'000'000, 'u')).result().size, 5'000'000);
  });
}

TEST_P(ProcessPoolInBoth, arguments_and_results_have_a_limit) {
  run_in(GetParam(), [] {
    ProcessPool pool(1, {.limit = 10'000});
    EXPECT_THROW(pool.submit(get_page, std::string(20'000, 'x')), std::length_error);
    EXPECT_THROW(pool.submit(many, 20'000).result(), RemoteError);
    EXPECT_EQ(pool.submit(many, 5'000).result().size(), 5'000U);
  });
}

TEST_P(ProcessPoolInBoth, what_a_function_throws_crosses_with_its_type) {
  run_in(GetParam(), [] {
    ProcessPool pool(1);
    const auto thrown = pool.submit(throw_number, 7);
    try {
      thrown.result();
      ADD_FAILURE();
    } catch (const RemoteError& error) {
      EXPECT_EQ(error.type_name(), "std::invalid_argument");
      EXPECT_EQ(error.message(), "bad number 7");
      EXPECT_STREQ(error.what(), "std::invalid_argument: bad number 7");
    }
    EXPECT_EQ(error_of(pool.submit(throw_no_exception)), "int: not a std::exception");
    EXPECT_EQ(pool.submit(power, 2, 2).result(), 4);
  });
}

TEST_P(ProcessPoolInBoth, a_long_message_of_what_was_thrown_is_cut_and_kills_nobody) {
  run_in(GetParam(), [] {
    ProcessPool pool(1, {.limit = 64, .deaths_in_a_row = 1});
    EXPECT_EQ(error_of(pool.submit(throw_many, 20'000)), "std::runtime_error: " + std::string(20'000, 'x'));
    const std::string cut = error_of(pool.submit(throw_many, 200'000));
    EXPECT_TRUE(cut.starts_with("std::runtime_error: xxx")) << cut.substr(0, 100);
    EXPECT_LE(cut.size(), std::size_t{64} * 1024);
    EXPECT_TRUE(error_of(pool.submit(many, 100)).starts_with("std::length_error: "));
    EXPECT_EQ(pool.submit(power, 2, 2).result(), 4);
  });
}

TEST_P(ProcessPoolInBoth, a_worker_that_dies_fails_its_task_and_no_other) {
  run_in(GetParam(), [] {
    ProcessPool pool(2);
    std::vector<Future<int>> futures;
    for (int i = 0; i < 200; ++i) {
      if (i % 50 == 25) futures.push_back(pool.submit(die_by, i < 100 ? SIGKILL : SIGTERM));
      futures.push_back(pool.submit(power, i, 1));
    }
    int died = 0;
    int done = 0;
    for (auto& future : futures) {
      try {
        future.result();
        ++done;
      } catch (const ProcessDied& error) {
        EXPECT_TRUE(error.exit_code() == -SIGKILL || error.exit_code() == -SIGTERM);
        ++died;
      }
    }
    EXPECT_EQ(died, 4);
    EXPECT_EQ(done, 200);
  });
  EXPECT_TRUE(no_children());
}

TEST_P(ProcessPoolInBoth, a_death_is_told_with_its_signal_or_status) {
  run_in(GetParam(), [] {
    ProcessPool pool(1);
    EXPECT_NE(error_of(pool.submit(die_by, SIGKILL)).find("was killed by SIGKILL"), std::string::npos);
    EXPECT_NE(error_of(pool.submit(exit_with, 300)).find("exited with status 44"), std::string::npos);
    EXPECT_NE(error_of(pool.submit(exit_with, 0)).find("exited with status 0"), std::string::npos);
    EXPECT_NE(error_of(pool.submit(abort_it)).find("was killed by SIGABRT"), std::string::npos);
    EXPECT_EQ(pool.submit(power, 2, 2).result(), 4);
  });
}

TEST_P(ProcessPoolInBoth, repeated_deaths_break_the_pool) {
  run_in(GetParam(), [] {
    ProcessPool pool(2, {.deaths_in_a_row = 4});
    std::vector<Future<int>> futures;
    for (int i = 0; i < 10; ++i) futures.push_back(pool.submit(die_by, SIGKILL));
    int died = 0;
    int broken = 0;
    for (auto& future : futures) {
      try {
        future.result();
        ADD_FAILURE();
      } catch (const ProcessDied&) {
        ++died;
      } catch (const BrokenProcessPool&) {
        ++broken;
      }
    }
    EXPECT_GE(died, 4);
    EXPECT_EQ(died + broken, 10);
    EXPECT_THROW(pool.submit(power, 1, 1), BrokenProcessPool);
  });
  EXPECT_TRUE(no_children());
}

TEST_P(ProcessPoolInBoth, the_initializer_is_called_in_each_worker) {
  run_in(GetParam(), [] {
    g_initialised = 99;
    ProcessPool pool(2, {.initializer = {initialise, 40, "ab"}});
    for (int i = 0; i < 20; ++i) EXPECT_EQ(pool.submit(initialised).result(), 42);
    ProcessPool without(1, {.initializer = nothing});
    EXPECT_EQ(without.submit(initialised).result(), 0);
  });
}

TEST_P(ProcessPoolInBoth, an_initializer_that_throws_breaks_the_pool) {
  run_in(GetParam(), [] {
    ProcessPool pool(2, {.initializer = fail_to_initialise});
    Future<int> never;
    try {
      never = pool.submit(power, 1, 1);  // throws, too, when the first worker has come to its end already
      never.result();
      ADD_FAILURE();
    } catch (const BrokenProcessPool& error) {
      EXPECT_NE(std::string(error.what()).find("no tables"), std::string::npos) << error.what();
    }
  });
  EXPECT_TRUE(no_children());
}

TEST_P(ProcessPoolInBoth, workers_are_replaced_after_so_many_tasks) {
  run_in(GetParam(), [] {
    ProcessPool pool(2, {.max_tasks_per_worker = 3});
    std::vector<int> pids;
    std::vector<Future<int>> futures;
    for (int i = 0; i < 30; ++i) futures.push_back(pool.submit(own_pid));
    for (auto& future : futures) pids.push_back(future.result());
    std::sort(pids.begin(), pids.end());
    for (const int pid : pids) EXPECT_LE(std::count(pids.begin(), pids.end(), pid), 3);
    EXPECT_GE(std::unique(pids.begin(), pids.end()) - pids.begin(), 10);
  });
  EXPECT_TRUE(no_children());
}

TEST_P(ProcessPoolInBoth, map_gives_results_in_order) {
  run_in(GetParam(), [] {
    ProcessPool pool(2);
    std::vector<std::string> urls;
    for (int i = 0; i < 100; ++i) urls.push_back(std::string(std::size_t(i), 'u'));
    int expected = 0;
    for (const Page& page : pool.map(get_page, urls)) EXPECT_EQ(page.size, expected++);
    EXPECT_EQ(expected, 100);
    const std::vector<int> bases{1, 2, 3};
    int sum = 0;
    for (const int n : pool.map({.chunk = 2}, power, bases, bases)) sum += n;
    EXPECT_EQ(sum, 1 + 4 + 27);
    expected = 0;
    for (const int n : pool.map(
             {.chunk = 7}, [](int n) { return n + 1; }, std::views::iota(0, 100))) {
      EXPECT_EQ(n, ++expected);
    }
  });
}

TEST_P(ProcessPoolInBoth, map_throws_in_the_place_of_the_result_and_cancels_the_rest) {
  run_in(GetParam(), [] {
    ProcessPool pool(2);
    std::vector<int> given;
    EXPECT_THROW(
        {
          for (const int n : pool.map(
                   {.chunk = 4}, [](int n) { return n == 10 ? throw_number(n) : n; }, std::views::iota(0))) {
            given.push_back(n);
          }
        },
        RemoteError);
    std::vector<int> expected(10);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(given, expected);
  });
}

TEST_P(ProcessPoolInBoth, map_has_a_timeout_from_the_call) {
  run_in(GetParam(), [] {
    const Counts counts;
    ProcessPool pool(1, {.initializer = {open_counts, counts.path}});
    auto results = pool.map(
        {.timeout = 20ms}, [](int) { return hold_up(); }, std::views::iota(0));
    EXPECT_THROW(results.begin(), TimedOut);
    g_counts[1] = 1;
  });
}

TEST_P(ProcessPoolInBoth, a_task_in_line_can_be_cancelled_and_one_that_runs_cannot) {
  run_in(GetParam(), [] {
    const Counts counts;
    ProcessPool pool(1, {.initializer = {open_counts, counts.path}});
    auto first = pool.submit(hold_up);
    yield_until([] { return g_counts[0] == 1; });
    auto second = pool.submit(count_up);
    EXPECT_TRUE(first.running());
    EXPECT_FALSE(first.cancel());
    EXPECT_TRUE(second.cancel());
    EXPECT_TRUE(second.cancelled());
    g_counts[1] = 1;
    first.result();
    pool.submit(nothing).result();
    EXPECT_EQ(g_counts[2], 0);
  });
}

TEST_P(ProcessPoolInBoth, shutdown_does_what_is_in_line_and_refuses_more) {
  run_in(GetParam(), [] {
    ProcessPool pool(2);
    std::vector<Future<int>> futures;
    for (int i = 0; i < 100; ++i) futures.push_back(pool.submit(power, i, 1));
    pool.shutdown();
    for (auto& future : futures) EXPECT_TRUE(future.done());
    EXPECT_THROW(pool.submit(power, 1, 1), ExecutorShutDown);
    pool.shutdown();
    EXPECT_TRUE(no_children());
  });
}

TEST_P(ProcessPoolInBoth, shutdown_may_cancel_what_is_in_line) {
  run_in(GetParam(), [] {
    const Counts counts;
    ProcessPool pool(1, {.initializer = {open_counts, counts.path}});
    auto first = pool.submit(hold_up);
    yield_until([] { return g_counts[0] == 1; });
    std::vector<Future<void>> futures;
    for (int i = 0; i < 10; ++i) futures.push_back(pool.submit(count_up));
    pool.shutdown({.wait = false, .cancel_pending = true});
    for (auto& future : futures) EXPECT_TRUE(future.cancelled());
    EXPECT_FALSE(first.done());
    g_counts[1] = 1;
    first.result();
    pool.shutdown();
    EXPECT_EQ(g_counts[2], 0);
  });
}

TEST_P(ProcessPoolInBoth, callbacks_are_called_and_may_submit) {
  run_in(GetParam(), [] {
    ProcessPool pool(1);
    Event called;
    std::atomic<int> sum{0};
    pool.submit(power, 2, 3).on_done([&](const Future<int>& done) {
      sum += done.result();
      pool.submit(power, 2, 4).on_done([&](const Future<int>& next) {
        sum += next.result();
        EXPECT_THROW(pool.shutdown(), std::logic_error);
        called.set();
      });
    });
    called.wait();
    EXPECT_EQ(sum, 24);
  });
}

// What was sent ahead to a worker that turned out to be busy for long is done by another.
TEST_P(ProcessPoolInBoth, short_tasks_do_not_wait_behind_a_long_one) {
  run_in(GetParam(), [] {
    const Counts counts;
    ProcessPool pool(2, {.initializer = {open_counts, counts.path}});
    for (int round = 0; round < 10; ++round) {
      g_counts[0] = g_counts[1] = g_counts[2] = 0;
      std::vector<Future<void>> futures;
      Future<int> held;
      for (int i = 0; i < 300; ++i) {
        if (i == 150) held = pool.submit(hold_up);
        futures.push_back(pool.submit(count_up));
      }
      for (auto& future : futures) future.result();  // while the long one runs
      EXPECT_EQ(g_counts[2], 300);
      EXPECT_FALSE(held.done());
      g_counts[1] = 1;
      held.result();
    }
  });
}

TEST_P(ProcessPoolInBoth, the_line_may_have_a_bound) {
  run_in(GetParam(), [] {
    const Counts counts;
    ProcessPool pool(1, {.initializer = {open_counts, counts.path}, .max_queued = 2});
    auto held = pool.submit(hold_up);
    yield_until([] { return g_counts[0] == 1; });
    static_cast<void>(pool.submit(count_up));
    static_cast<void>(pool.submit(count_up));
    EXPECT_THROW(
        {
          Deadline budget(10ms);
          static_cast<void>(pool.submit(count_up));
        },
        DeadlineExceeded);
    g_counts[1] = 1;
    pool.submit(count_up).result();
    EXPECT_EQ(g_counts[2], 3);
  });
}

TEST_P(ProcessPoolInBoth, leaving_scope_waits_for_all) {
  run_in(GetParam(), [] {
    const Counts counts;
    {
      ProcessPool pool(2, {.initializer = {open_counts, counts.path}});
      for (int i = 0; i < 100; ++i) static_cast<void>(pool.submit(count_up));
    }
    EXPECT_EQ(g_counts[2], 100);
  });
  EXPECT_TRUE(no_children());
}

TEST_P(ProcessPoolInBoth, workers_are_clean) {
  run_in(GetParam(), [] {
    const UniqueFd open = duplicate(1);
    ProcessPool pool(1);
    EXPECT_EQ(pool.submit([](int fd) { return ::fcntl(fd, F_GETFD); }, open.get()).result(), -1);
    EXPECT_TRUE(pool.submit([] {
                      const ProcessInfo own = current_process();
                      return own.daemon && own.name == "pool-0" && own.parent_pid == ::getppid() && !in_fiber();
                    })
                    .result());
    EXPECT_EQ(pool.submit([] { return run([] { return spawn([] { return 3; }).get(); }); }).result(), 3);
  });
}

#ifndef __SANITIZE_THREAD__  // a child forked beside threads is not for it
TEST_P(ProcessPoolInBoth, a_forked_child_leaves_the_pool_alone) {
  run_in(GetParam(), [] {
    auto pool = std::make_unique<ProcessPool>(1);
    pool->submit(nothing).result();
    const pid_t child = fork_process();
    if (child == 0) {
      bool refused = false;
      try {
        static_cast<void>(pool->submit(nothing));
      } catch (const std::logic_error&) {
        refused = true;
      }
      pool.reset();
      ::_exit(refused ? 5 : 6);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(WEXITSTATUS(status), 5);
    EXPECT_EQ(pool->submit(power, 3, 2).result(), 9);
  });
}
#endif

// Killed from outside at any moment: every future ends, every task is done once or its worker died while it ran it.
TEST_P(ProcessPoolInBoth, workers_killed_anywhere_lose_no_task) {
  run_in(GetParam(), [] {
    const Counts counts;
    ProcessPool pool(2, {.initializer = {open_counts, counts.path}, .deaths_in_a_row = 1000});
    pool.submit(nothing).result();
    std::mt19937 random(3);
    int died = 0;
    for (int round = 0; round < kKillRounds; ++round) {
      for (int i = 0; i < 20; ++i) g_counts[10 + i] = 0;
      std::vector<Future<void>> futures;
      for (int i = 0; i < 20; ++i) futures.push_back(pool.submit(count_number, i));
      for (auto spin = random() % 3000; spin > 0; --spin) static_cast<void>(g_counts[0].load());
      if (const auto pids = pool.worker_pids(); !pids.empty()) ::kill(pids[random() % pids.size()], SIGKILL);
      for (int i = 0; i < 20; ++i) {
        try {
          futures[std::size_t(i)].result(20s);
          EXPECT_EQ(g_counts[10 + i], 1);
        } catch (const ProcessDied&) {
          ++died;
          EXPECT_LE(g_counts[10 + i], 1);
        }
      }
    }
    EXPECT_LE(died, kKillRounds);
    EXPECT_EQ(pool.submit(power, 2, 2).result(), 4);
  });
  EXPECT_TRUE(no_children());
}

TEST_P(ProcessPoolInBoth, pools_leave_no_descriptor_behind) {
  run_in(GetParam(), [] {
    int before = 0;
    for (int round = 0; round < 10; ++round) {
      {
        ProcessPool pool(2);
        EXPECT_TRUE(pool.submit(die_by, SIGKILL).exception());
        pool.submit(nothing).result();
      }
      if (round == 0) before = open_descriptors();
    }
    EXPECT_EQ(open_descriptors(), before);
  });
}

TEST_P(ProcessPoolInBoth, many_submit_at_once) {
  run_in(GetParam(), [] {
    ProcessPool pool(2);
    std::atomic<int> sum{0};
    const auto work = [&] {
      for (int i = 0; i < kMany / 10; ++i) sum += pool.submit(power, 1, i).result();
    };
    if (in_fiber()) {
      std::vector<Task<void>> tasks;
      for (int i = 0; i < 10; ++i) tasks.push_back(spawn(work));
      join_all(tasks);
    } else {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 10; ++i) threads.emplace_back(work);
      threads.clear();
    }
    EXPECT_EQ(sum, kMany / 10 * 10);
  });
}
