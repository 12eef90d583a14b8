#include <hawser/fiber/watchdog.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <hawser/base/log.h>
#include <hawser/fiber/fork.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>

namespace hawser {
namespace {

using namespace std::chrono_literals;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

// The lines that the library logs meanwhile.
class Log {
 public:
  Log() {
    set_log_sink([this](LogLevel, std::string_view line) {
      const std::lock_guard hold(mutex_);
      lines_.emplace_back(line);
    });
  }
  ~Log() {
    stop_watchdog();  // before what it writes to goes
    set_log_sink({});
  }
  std::vector<std::string> lines() {
    const std::lock_guard hold(mutex_);
    return lines_;
  }
  std::size_t count(const std::string& part) {
    const auto all = lines();
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&](const std::string& line) { return line.contains(part); }));
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

[[gnu::noinline]] void hold_the_loop_until(Log& log, const std::string& line, std::size_t times) {
  while (log.count(line) < times) {
  }
  asm volatile("");
}

TEST(Watchdog, names_the_fiber_the_time_and_the_place) {
  Log log;
  start_watchdog(5ms);
  run([&] {
    auto task = spawn([&] {
      set_fiber_name("number cruncher");
      hold_the_loop_until(log, "has held", 1);
    });
    task.join();
    hold_the_loop_until(log, "let go", 1);
  });
  const std::string first = log.lines().front();
  EXPECT_THAT(first, ContainsRegex("^fiber 'number cruncher' has held loop 0 for 0\\.[0-9]+ s without yielding:\n"));
  EXPECT_THAT(first, HasSubstr("hold_the_loop_until"));
  EXPECT_THAT(log.lines().at(1), ContainsRegex("^fiber 'number cruncher' let go of loop 0 after [0-9]+\\.[0-9]+ s"));
}

TEST(Watchdog, reports_a_slice_once_and_the_next_one_again) {
  Log log;
  start_watchdog(2ms);
  run([&] {
    // A fiber for each slice: what is said of the others, which a busy machine may make long too, has another name.
    for (const std::string name : {"one", "two", "three"}) {
      auto slice = spawn([&] {
        hold_the_loop_until(log, "'" + name + "' has held", 1);
        // Many looks later there is still one report of this slice.
        const auto looks = std::chrono::steady_clock::now() + 20ms;
        while (std::chrono::steady_clock::now() < looks) {
        }
        EXPECT_EQ(log.count("'" + name + "' has held"), 1U);
      });
      slice.set_name(name);
      slice.join();
      while (log.count("'" + name + "' let go") == 0) yield();
    }
  });
}

TEST(Watchdog, sees_all_loops) {
  Log log;
  start_watchdog(5ms);
  run({.loops = 2}, [&] {
    auto other = spawn_on(1, [&] { hold_the_loop_until(log, "held loop 1", 1); });
    other.join();
  });
  EXPECT_EQ(log.count("held loop 1"), 1U);
}

TEST(Watchdog, is_silent_about_those_that_wait) {
  Log log;
  start_watchdog(20ms);
  run([] {
    auto sleeper = spawn([] {
      set_fiber_name("sleeper");
      sleep(100ms);
    });
    sleeper.join();
  });
  EXPECT_EQ(log.count("sleeper"), 0U);
}

TEST(Watchdog, may_be_started_and_stopped_at_any_time) {
  Log log;
  for (int i = 0; i < 20; ++i) {
    start_watchdog(1ms);
    start_watchdog(2ms);
    run([] { yield(); });
    stop_watchdog();
    stop_watchdog();
  }
  EXPECT_THROW(start_watchdog(1us), std::invalid_argument);
}

#if !defined(__SANITIZE_THREAD__)  // which knows no threads in a forked child
TEST(Watchdog, is_started_anew_in_a_forked_child) {
  Log log;
  start_watchdog(5ms);
  // Its thread has begun and is at rest then: AddressSanitizer's allocator does not come through a fork that meets it
  // at work.
  run([&] { hold_the_loop_until(log, "has held", 1); });
  while (log.count("let go") == 0) std::this_thread::yield();
  const pid_t child = fork_process();
  if (child == 0) {
    start_watchdog(5ms);
    run([&] { hold_the_loop_until(log, "has held", 2); });
    stop_watchdog();
    ::_exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}
#endif

}  // namespace
}  // namespace hawser
