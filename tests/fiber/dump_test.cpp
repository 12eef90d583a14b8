#include <hawser/fiber/dump.h>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/pollable.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/waiter.h>

namespace hawser {
namespace {

using namespace std::chrono_literals;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

// Named functions to find in stacks; not to be inlined, nor to end in a jump.
[[gnu::noinline]] void wait_for_the_bell(Waiter& waiter) {
  static_cast<void>(waiter.park());
  asm volatile("");
}
[[gnu::noinline]] void serve_a_guest(Waiter& waiter) {
  wait_for_the_bell(waiter);
  asm volatile("");
}
[[gnu::noinline]] void compute_for_ever(const std::atomic<bool>& stop) {
  while (!stop.load()) {
  }
  asm volatile("");
}
[[gnu::noinline]] std::string look_around() {
  std::string text = dump_fibers();
  asm volatile("");
  return text;
}

// The threads of a run() need a moment to begin.
void all_loops_run(int count) {
  for (int loop = 0; loop < count; ++loop) spawn_on(loop, [] {}).join();
}

TEST(Dump, names_each_fiber_and_what_it_waits_for) {
  run([] {
    Waiter* bell = nullptr;
    auto parked = spawn([&] {
      set_fiber_name("guest 7");
      Waiter waiter("bell");
      bell = &waiter;
      serve_a_guest(waiter);
    });
    auto ready = spawn([] {
      set_fiber_name("in line");
      yield();
    });
    auto sleeper = spawn([] {
      set_fiber_name("sleeper");
      sleep(1h);
    });
    yield();
    auto late = spawn([] {});
    late.set_name("tomorrow");
    const std::string text = look_around();
    EXPECT_THAT(text, ContainsRegex("5 fibers on 1 loop"));
    EXPECT_THAT(text, HasSubstr("'main' running"));
    EXPECT_THAT(text, ContainsRegex("'guest 7' parked in bell, for 0\\.[0-9]+ s\n"));
    EXPECT_THAT(text,
                ContainsRegex("'sleeper' parked in sleep, for 0\\.[0-9]+ s, at most 3[56][0-9][0-9]\\.[0-9]+ s more"));
    EXPECT_THAT(text, HasSubstr("'in line' ready"));
    EXPECT_THAT(text, HasSubstr("'tomorrow' not started"));
    sleeper.kill();
    bell->unpark();
    join_all(parked, ready, sleeper, late);
  });
}

TEST(Dump, shows_the_stacks_from_the_innermost_function_out) {
  run([] {
    Waiter* bell = nullptr;
    auto parked = spawn([&] {
      Waiter waiter("bell");
      bell = &waiter;
      serve_a_guest(waiter);
    });
    yield();
    const std::string text = look_around();
    const auto inner = text.find("wait_for_the_bell");
    const auto outer = text.find("serve_a_guest");
    ASSERT_NE(inner, std::string::npos) << text;
    ASSERT_NE(outer, std::string::npos) << text;
    EXPECT_LT(inner, outer);
    EXPECT_THAT(text, HasSubstr("look_around"));
    EXPECT_THAT(text, Not(HasSubstr("hawser::detail::Loop")));
    EXPECT_THAT(dump_fibers({.stacks = false}), Not(HasSubstr("serve_a_guest")));
    bell->unpark();
    parked.join();
  });
}

TEST(Dump, tells_descriptor_and_object_of_a_wait) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd other(ends[1]);
  Pollable pipe{UniqueFd(ends[0])};
  run([&] {
    const std::string peer = "the peer's name";
    auto reader = spawn([&] {
      Pollable::Use use(pipe, Direction::read, "read", peer);
      use.drained();
      EXPECT_EQ(use.wait(Expiry::never()), Wake::cancelled);
    });
    yield();
    EXPECT_THAT(dump_fibers(), HasSubstr("parked in read the peer's name (fd " + std::to_string(pipe.fd()) + ")"));
    reader.kill();
    reader.join();
  });
}

TEST(Dump, comes_from_all_loops_whoever_asks) {
  run({.loops = 3}, [] {
    std::vector<Task<void>> tasks;
    for (int loop = 1; loop < 3; ++loop) {
      tasks.push_back(spawn_on(loop, [loop] {
        set_fiber_name("guest of " + std::to_string(loop));
        sleep(1h);
      }));
    }
    const auto complete = [](const std::string& text) {
      return text.find("'guest of 1' parked") != std::string::npos &&
             text.find("'guest of 2' parked") != std::string::npos && text.find("'main'") != std::string::npos;
    };
    while (!complete(dump_fibers())) yield();
    // From a thread, which belongs to no loop.
    std::string text;
    std::atomic<bool> done{false};
    std::thread asker([&] {
      text = dump_fibers();
      done = true;
    });
    while (!done) yield();
    asker.join();
    EXPECT_TRUE(complete(text)) << text;
    for (const auto& task : tasks) task.kill();
    for (const auto& task : tasks) task.join();
  });
}

TEST(Dump, does_not_wait_for_a_loop_that_is_busy) {
  run({.loops = 2}, [] {
    std::atomic<bool> stop{false};
    std::atomic<bool> busy{false};
    auto worker = spawn_on(1, [&] {
      set_fiber_name("number cruncher");
      busy = true;
      compute_for_ever(stop);
    });
    while (!busy) yield();
    const std::string text = dump_fibers();
    EXPECT_THAT(text, ContainsRegex("loop 1: busy, has not come round for [0-9.]+ s\n  'number cruncher' running\n"));
    EXPECT_THAT(text, HasSubstr("compute_for_ever"));
    stop = true;
    worker.join();
    // The question that nobody waited for any more harms nobody.
    EXPECT_THAT(dump_fibers(), HasSubstr("'main' running"));
  });
}

TEST(Dump, is_not_ended_by_deadline_or_cancellation) {
  run({.loops = 2}, [] {
    all_loops_run(2);
    auto asker = spawn([] {
      while (!cancel_requested()) {
        try {
          yield();
        } catch (const Cancelled&) {
        }
      }
      EXPECT_THAT(dump_fibers(), HasSubstr("on 2 loops"));
    });
    yield();
    asker.kill();
    asker.get();
    const Deadline passed(Duration::zero());
    EXPECT_THAT(dump_fibers(), HasSubstr("on 2 loops"));
  });
}

TEST(Dump, leaves_out_what_is_too_much) {
  run([] {
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 50; ++i) tasks.push_back(spawn([] { sleep(1h); }));
    yield();
    const std::string text = dump_fibers({.most_fibers = 10});
    EXPECT_THAT(text, HasSubstr("51 fibers on 1 loop"));
    EXPECT_THAT(text, HasSubstr("  and 41 more\n"));
    for (const auto& task : tasks) task.kill();
    for (const auto& task : tasks) task.join();
  });
}

TEST(Dump, of_nothing_is_short) { EXPECT_THAT(dump_fibers(), ContainsRegex("^hawser: 0 fibers on 0 loops")); }

// Standard error into a pipe, until destroyed.
class Errors {
 public:
  Errors() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    from_.reset(ends[0]);
    before_.reset(::dup(STDERR_FILENO));
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
  }
  ~Errors() { ::dup2(before_.get(), STDERR_FILENO); }
  std::string read_until(const std::string& end) {
    std::string text;
    char chunk[4096];
    while (text.find(end) == std::string::npos) {
      const ssize_t got = ::read(from_.get(), chunk, sizeof chunk);
      if (got <= 0) break;
      text.append(chunk, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  UniqueFd from_;
  UniqueFd before_;
};

TEST(Dump, is_printed_by_a_signal) {
  dump_fibers_on(SIGUSR2);
  Errors errors;
  run([&] {
    auto parked = spawn([] {
      set_fiber_name("last in the list");
      sleep(1h);
    });
    yield();
    std::string text;
    for (int round = 0; round < 3; ++round) {
      ::kill(::getpid(), SIGUSR2);
      std::atomic<bool> done{false};
      std::thread reader([&] {
        text = errors.read_until("'main' ");
        done = true;
      });
      while (!done) yield();
      reader.join();
      EXPECT_THAT(text, HasSubstr("2 fibers on 1 loop"));
    }
    parked.kill();
    parked.join();
  });
}

TEST(Dump, on_a_signal_that_cannot_be_had_is_an_error) { EXPECT_THROW(dump_fibers_on(SIGKILL), SystemError); }

// Dumps from everywhere while fibers come, wait and go on several loops.
TEST(Dump, may_be_taken_at_any_moment) {
  run({.loops = 3}, [] {
    all_loops_run(3);
    std::atomic<bool> stop{false};
    std::vector<Task<void>> churn;
    for (int loop = 0; loop < 3; ++loop) {
      churn.push_back(spawn_on(loop, [&stop] {
        while (!stop) {
          auto inner = spawn([] {
            set_fiber_name("inner");
            sleep(10us);
          });
          yield();
          inner.join();
        }
      }));
    }
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    constexpr int kDumps = 20;
#else
    constexpr int kDumps = 200;
#endif
    auto other = spawn_on(1, [] {
      for (int i = 0; i < kDumps; ++i) static_cast<void>(dump_fibers());
    });
    for (int i = 0; i < kDumps; ++i) EXPECT_THAT(dump_fibers(), HasSubstr("on 3 loops"));
    other.join();
    stop = true;
    for (const auto& task : churn) task.get();
  });
}

}  // namespace
}  // namespace hawser
