#include <hawser/task/thread.h>

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <hawser/fiber/deadline.h>
#include <hawser/fiber/fork.h>
#include <hawser/sync/event.h>

#include "stress/rounds.h"
#include "sync/contexts.h"
#include "task/log_lines.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

namespace {

std::string kernel_name() {
  char name[16] = {};
  ::pthread_getname_np(::pthread_self(), name, sizeof name);
  return name;
}

// What a child process made by fork() ends with.
template <class Body>
int status_of_child(Body&& body) {
  const pid_t child = fork_process();
  if (child == 0) {
    body();
    std::exit(7);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

struct Counter : Thread {
  using Thread::Thread;
  ~Counter() override { finish(); }
  void run() override {
    for (int i = 0; i < 1000; ++i) ++counted;
  }
  int counted = 0;
};

}  // namespace

class ThreadEverywhere : public Everywhere {};
HAWSER_EVERYWHERE(ThreadEverywhere);

TEST_P(ThreadEverywhere, join_waits_for_the_end) {
  run_in(GetParam(), [] {
    for (int round = 0; round < rounds(200); ++round) {
      int result = 0;
      Thread thread([&] { result = round; });
      thread.start();
      Contexts contexts(GetParam());
      for (int i = 0; i < 2; ++i)
        contexts.start([&] {
          EXPECT_TRUE(thread.join());
          EXPECT_EQ(result, round);
        });
      contexts.join();
      EXPECT_FALSE(thread.is_alive());
    }
  });
}

TEST_P(ThreadEverywhere, join_tells_whether_it_ended_in_time) {
  run_in(GetParam(), [] {
    Event release;
    Thread thread([&] { release.wait(); });
    thread.start();
    EXPECT_FALSE(thread.join(1ms));
    EXPECT_FALSE(thread.join(0s));
    EXPECT_TRUE(thread.is_alive());
    {
      const Deadline budget(1ms);
      EXPECT_THROW(thread.join(), DeadlineExceeded);
    }
    release.set();
    EXPECT_TRUE(thread.join(1h));
  });
}

TEST_P(ThreadEverywhere, join_rethrows_what_the_thread_threw_every_time) {
  run_in(GetParam(), [] {
    Thread thread([] { throw std::domain_error("bad"); });
    thread.start();
    EXPECT_THROW(thread.join(), std::domain_error);
    EXPECT_THROW(thread.join(1s), std::domain_error);
  });
}

TEST_P(ThreadEverywhere, leaving_the_scope_waits) {
  run_in(GetParam(), [] {
    bool ended = false;
    {
      Thread thread([&] {
        sleep(1ms);
        ended = true;
      });
      thread.start();
    }
    EXPECT_TRUE(ended);
  });
}

TEST(thread, gets_its_arguments) {
  std::string got;
  Thread thread([](std::string& to, std::unique_ptr<int> n, const char* text) { to = text + std::to_string(*n); },
                std::ref(got), std::make_unique<int>(4), "number ", {.name = "with arguments"});
  EXPECT_EQ(thread.name(), "with arguments");
  thread.start();
  thread.join();
  EXPECT_EQ(got, "number 4");
}

TEST(thread, a_class_may_override_run) {
  Counter counter({.name = "counter"});
  counter.start();
  counter.join();
  EXPECT_EQ(counter.counted, 1000);
}

TEST(thread, a_class_waits_for_its_run_in_its_destructor) {
  for (int round = 0; round < rounds(200); ++round) {
    Counter counter;
    counter.start();
  }
}

TEST(thread, starting_twice_is_an_error) {
  Thread thread([] {});
  thread.start();
  EXPECT_THROW(thread.start(), std::logic_error);
  thread.join();
  EXPECT_THROW(thread.start(), std::logic_error);
}

TEST(thread, joining_before_the_start_is_an_error) {
  Thread thread([] {});
  EXPECT_THROW(thread.join(), std::logic_error);
  EXPECT_THROW(thread.join(0s), std::logic_error);
}

TEST(thread, joining_oneself_is_an_error) {
  std::exception_ptr error;
  Thread thread([&] {
    try {
      current_thread().join();
    } catch (const std::logic_error&) {
      error = std::current_exception();
    }
  });
  thread.start();
  thread.join();
  EXPECT_TRUE(error);
}

TEST(thread, one_that_is_not_started_just_goes) {
  const Thread thread([] { FAIL(); });
  EXPECT_FALSE(thread.is_alive());
  EXPECT_EQ(thread.ident(), 0U);
}

TEST(thread, is_alive_from_start_to_end) {
  Event release;
  Thread thread([&] { release.wait(); });
  EXPECT_FALSE(thread.is_alive());
  thread.start();
  EXPECT_TRUE(thread.is_alive());
  release.set();
  thread.join();
  EXPECT_FALSE(thread.is_alive());
}

TEST(thread, the_kernel_knows_its_name_also_a_new_one) {
  std::string before, after;
  Event named;
  Event renamed;
  Thread thread(
      [&] {
        before = kernel_name();
        named.set();
        renamed.wait();
        after = kernel_name();
      },
      {.name = "a name that is too long"});
  thread.start();
  named.wait();
  thread.set_name("short");
  renamed.set();
  thread.join();
  EXPECT_EQ(before, "a name that is ");
  EXPECT_EQ(after, "short");
  EXPECT_EQ(thread.name(), "short");
}

TEST(thread, names_are_numbered_by_default) {
  const Thread one;
  const Thread two;
  EXPECT_EQ(one.name().substr(0, 7), "Thread-");
  EXPECT_NE(one.name(), two.name());
}

TEST(thread, knows_itself) {
  std::uint64_t ident = 0;
  pid_t native = 0;
  std::string name;
  Thread thread(
      [&] {
        ident = current_thread().ident();
        native = ::gettid();
        name = current_thread().name();
      },
      {.name = "me"});
  thread.start();
  thread.join();
  EXPECT_EQ(ident, thread.ident());
  EXPECT_EQ(native, thread.native_id());
  EXPECT_EQ(name, "me");
}

TEST(thread, the_main_thread_is_known_everywhere) {
  EXPECT_EQ(current_thread(), main_thread());
  EXPECT_EQ(main_thread().name(), "MainThread");
  EXPECT_EQ(main_thread().native_id(), ::getpid());
  EXPECT_TRUE(main_thread().is_alive());
  std::thread([] {
    EXPECT_NE(current_thread(), main_thread());
    EXPECT_TRUE(current_thread().is_alive());
  }).join();
}

TEST(thread, enumerate_has_those_that_live) {
  Event release;
  Thread one([&] { release.wait(); }, {.name = "one"});
  Thread two([&] { release.wait(); }, {.name = "two", .daemon = true});
  const std::size_t before = active_count();
  one.start();
  two.start();
  const std::vector<AnyThread> all = enumerate();
  EXPECT_EQ(all.size(), before + 2);
  EXPECT_EQ(active_count(), before + 2);
  EXPECT_EQ(all.front(), main_thread());
  EXPECT_EQ(std::count(all.begin(), all.end(), AnyThread(one)), 1);
  EXPECT_EQ(all.back().name(), "two");
  EXPECT_TRUE(all.back().daemon());
  release.set();
  one.join();
  two.join();
  EXPECT_EQ(active_count(), before);
}

TEST(thread, daemon_is_chosen_before_the_start) {
  Thread thread([] {});
  thread.set_daemon(true);
  EXPECT_TRUE(thread.daemon());
  thread.start();
  EXPECT_THROW(thread.set_daemon(false), std::logic_error);
  thread.join();
}

TEST(thread, a_daemon_goes_on_without_its_handle) {
  auto release = std::make_shared<Event>();
  auto ended = std::make_shared<Event>();
  {
    Thread thread(
        [release, ended] {
          release->wait();
          ended->set();
        },
        {.daemon = true});
    thread.start();
  }
  release->set();
  EXPECT_TRUE(ended->wait());
}

TEST(thread, a_failure_that_nobody_joined_is_logged) {
  const LogLines log;
  {
    Thread thread([] { throw std::runtime_error("lost?"); }, {.name = "careless"});
    thread.start();
  }
  EXPECT_EQ(log.count("thread 'careless' failed and nobody joined it: lost?"), 1);
}

TEST(thread, a_failure_that_was_joined_is_not_logged) {
  const LogLines log;
  {
    Thread thread([] { throw std::runtime_error("seen"); });
    thread.start();
    EXPECT_THROW(thread.join(), std::runtime_error);
  }
  EXPECT_EQ(log.count("seen"), 0);
}

TEST(thread, the_hook_hears_of_failures_and_may_fail_itself) {
  const LogLines log;
  std::string heard;
  set_thread_failure_hook([&](const ThreadFailure& failure) {
    heard = failure.name + ": " + describe(failure.error);
    throw std::runtime_error("the hook's own");
  });
  {
    Thread thread([] { throw std::runtime_error("broken"); }, {.name = "worker"});
    thread.start();
  }
  set_thread_failure_hook({});
  EXPECT_EQ(heard, "worker: broken");
  EXPECT_EQ(log.count("the hook's own"), 1);
}

TEST(thread, what_it_held_is_free_at_its_end) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  Thread thread([held = std::move(held)] {});
  thread.start();
  thread.join();
  EXPECT_TRUE(watch.expired());
}

TEST(thread, waiting_from_a_fiber_lets_others_run) {
  run([] {
    Event release;
    Thread thread([&] { release.wait(); });
    thread.start();
    auto waiter = spawn([&] { thread.join(); });
    auto releaser = spawn([&] { release.set(); });
    waiter.get();
  });
}

TEST(thread, a_killed_fiber_stops_waiting) {
  run([] {
    Event release;
    Thread thread([&] { release.wait(); });
    thread.start();
    auto waiter = spawn([&] { thread.join(); });
    yield();
    waiter.kill_and_join();
    EXPECT_TRUE(waiter.cancelled());
    release.set();
  });
}

#if !defined(__SANITIZE_THREAD__)  // which knows no threads in a forked child
TEST(thread, the_end_of_the_program_waits_for_all_but_daemons) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const int status = status_of_child([&] {
    static Thread* forgotten = nullptr;
    forgotten = new Thread([&] {  // NOLINT: on purpose
      sleep(5ms);
      EXPECT_EQ(::write(pipe[1], "x", 1), 1);
    });
    forgotten->start();
    static Thread* daemon = nullptr;
    daemon = new Thread([] { sleep(1h); }, {.daemon = true});  // NOLINT: on purpose
    daemon->start();
  });
  ::close(pipe[1]);
  char byte = 0;
  EXPECT_EQ(::read(pipe[0], &byte, 1), 1);
  ::close(pipe[0]);
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(thread, a_thread_that_calls_exit_does_not_wait_for_itself) {
  const int status = status_of_child([] {
    Thread thread([] { std::exit(5); });
    thread.start();
    thread.join();
  });
  EXPECT_EQ(WEXITSTATUS(status), 5);
}

TEST(thread, a_class_destroyed_under_its_run_ends_the_program) {
  struct Careless : Thread {
    explicit Careless(Event& e) : release(e) {}
    void run() override { release.wait(); }
    Event& release;
  };
  const int status = status_of_child([] {
    set_log_sink([](LogLevel, std::string_view) {});
    auto* release = new Event();  // NOLINT: outlives everything
    Careless thread(*release);
    thread.start();
  });
  EXPECT_TRUE(WIFSIGNALED(status));
}

#endif

// The new thread is telling its name, or the old one its end, at the moment of the fork.
TEST(thread, a_forked_child_can_name_a_thread_whatever_it_was_doing) {
  for (int round = 0; round < rounds(300); ++round) {
    Thread thread([] {}, {.name = "busy"});
    thread.start();
    // Not _exit(): the thread sanitizer would complain there of the parent's thread, which the child can't join.
    const int status = status_of_child([&] { ::syscall(SYS_exit_group, thread.name() == "busy" ? 0 : 1); });
    ASSERT_EQ(status, 0);
    thread.join();
  }
}

TEST(thread, a_forked_child_has_one_thread_which_is_the_main_one) {
  Event running;
  Event release;
  Thread thread([&] {
    running.set();
    release.wait();
  });
  thread.start();
  // A thread that begins allocates, and AddressSanitizer's allocator has locks that a forked child would find held.
  running.wait();
  const int status = status_of_child([&] {
    const bool right = active_count() == 1 && current_thread() == main_thread();
    bool refused = false;
    try {
      thread.join();
    } catch (const std::logic_error&) {
      refused = true;
    }
#if !defined(__SANITIZE_THREAD__)  // which knows no threads in a forked child
    Thread own([] {});
    own.start();
    own.join();
#endif
    ::_exit(right && refused ? 0 : 1);
  });
  EXPECT_EQ(status, 0);
  release.set();
  thread.join();
}
