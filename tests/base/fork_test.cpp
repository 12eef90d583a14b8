#include <hawser/base/made_once.h>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

namespace hawser::detail {
namespace {

int status_of(pid_t child) {
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(made_once, is_made_by_the_first_and_seen_by_all) {
  static constinit std::array<MadeOnce<std::string>, 200> all;
  for (MadeOnce<std::string>& text : all) {
    std::atomic<int> makers{0};
    const auto look = [&] {
      const std::string& made = text.get([&] {
        ++makers;
        std::this_thread::yield();
        return std::string("a text that is too long to lie in the string itself");
      });
      EXPECT_EQ(made.size(), 51U);
    };
    std::thread one(look);
    std::thread other(look);
    look();
    one.join();
    other.join();
    EXPECT_EQ(makers.load(), 1);
  }
}

TEST(made_once, is_tried_again_after_an_exception) {
  static constinit MadeOnce<int> number;
  EXPECT_THROW(number.get([]() -> int { throw std::runtime_error("not yet"); }), std::runtime_error);
  EXPECT_EQ(number.get([] { return 5; }), 5);
  EXPECT_EQ(number.get([] { return 6; }), 5);
}

TEST(made_once, a_child_that_is_forked_in_the_middle_makes_it_anew) {
  static constinit MadeOnce<int> number;
  std::atomic<bool> begun{false};
  std::atomic<bool> forked{false};
  std::thread maker([&] {
    number.get([&] {
      begun = true;
      while (!forked) std::this_thread::yield();
      return 1;
    });
  });
  while (!begun) std::this_thread::yield();
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    ::_exit(number.get([] { return 2; }) == 2 ? 0 : 1);
  }
  forked = true;
  maker.join();
  EXPECT_EQ(status_of(child), 0);
  EXPECT_EQ(number.get([] { return 3; }), 1);
}

TEST(hold_over_fork, an_inner_mutex_may_be_locked_while_an_outer_one_is_held) {
  static constinit std::mutex outer;
  static constinit std::mutex inner;
  hold_over_fork(outer, ForkOrder::outer, nullptr, nullptr);
  hold_over_fork(inner, ForkOrder::inner, nullptr, nullptr);
  std::atomic<bool> stop{false};
  std::thread both([&] {
    while (!stop) {
      const std::lock_guard hold(outer);
      std::this_thread::yield();
      const std::lock_guard hold_too(inner);
    }
  });
  for (int i = 0; i < 300; ++i) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(outer.try_lock() && inner.try_lock() ? 0 : 1);
    ASSERT_EQ(status_of(child), 0);
  }
  stop = true;
  both.join();
}

}  // namespace
}  // namespace hawser::detail
