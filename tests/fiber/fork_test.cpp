#include <hawser/fiber/fork.h>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include <hawser/base/errors.h>
#include <hawser/base/fork.h>
#include <hawser/base/log.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/offload.h>
#include <hawser/fiber/pollable.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/waiter.h>

namespace hawser {
namespace {

using namespace std::chrono_literals;

// How the child ended: its exit status, or minus the signal.
int reap(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int status_of(pid_t child) {
  return offload([child] { return reap(child); });
}

// Runs body in a forked child; its result is the exit status.
int in_child(const std::function<int()>& body) {
  const pid_t child = fork_process();
  if (child == 0) {
    int status = 99;
    try {
      status = body();
    } catch (const std::exception& error) {
      const std::string line = std::string("child: ") + error.what() + "\n";
      static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
    }
    ::_exit(status);
  }
  return status_of(child);
}

std::array<UniqueFd, 2> pair_of_sockets() {
  int both[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both), 0);
  return {UniqueFd(both[0]), UniqueFd(both[1])};
}

const std::string kName = "a test socket";

// Waits until a byte can be read, and reads it.
char read_byte(Pollable& from) {
  Pollable::Use use(from, Direction::read, "read", kName);
  char byte = 0;
  while (::read(use.fd(), &byte, 1) < 0) {
    if (errno != EAGAIN) throw_errno("read", kName);
    use.drained();
    throw_unless_ready(use.wait(Expiry::in(20s)), "read");
  }
  return byte;
}

TEST(fork, child_of_a_fiber_is_a_plain_thread) {
  run([] {
    EXPECT_EQ(in_child([] { return !in_fiber() && loop_index() == -1 && loop_count() == 0 ? 7 : 1; }), 7);
    EXPECT_TRUE(in_fiber());
  });
}

TEST(fork, child_sleeps_and_yields_without_the_parents_loop) {
  run([] {
    std::atomic<int> others = 0;
    const Task<void> other = spawn([&] { ++others; });
    EXPECT_EQ(in_child([&] {
                yield();
                sleep(1ms);
                return others == 0 ? 7 : 1;
              }),
              7);
  });
}

TEST(fork, child_runs_loops_of_its_own) {
  run({.loops = 2}, [] {
    EXPECT_EQ(in_child([] {
                return run([] {
                  const Task<int> task = spawn([] {
                    sleep(1ms);
                    return 6;
                  });
                  return task.get() + 1;
                });
              }),
              7);
  });
}

// The thread sanitizer cannot follow threads of a child whose parent had several: it takes them for the parent's.
#if defined(__SANITIZE_THREAD__)
constexpr bool kThreadsInChild = false;
#else
constexpr bool kThreadsInChild = true;

TEST(fork, child_has_pools_and_many_loops_again) {
  run({.loops = 2}, [] {
    offload([] {});
    EXPECT_EQ(in_child([] {
                return run({.loops = 3}, [] {
                  const Task<int> task = spawn_on(2, [] { return offload([] { return 7; }); });
                  return task.get();
                });
              }),
              7);
    EXPECT_EQ(offload([] { return 3; }), 3);
  });
}

#endif

TEST(fork, child_may_fork_again) {
  run([] {
    EXPECT_EQ(in_child([] {
                return run([] {
                  const pid_t grandchild = fork_process();
                  if (grandchild == 0) ::_exit(run([] { return 6; }));
                  return reap(grandchild) + 1;
                });
              }),
              7);
  });
}

TEST(fork, child_waits_on_the_parents_sockets) {
  run([] {
    auto [a, b] = pair_of_sockets();
    Pollable here(std::move(a));
    const int there = b.get();
    const pid_t child = fork_process();
    if (child == 0) ::_exit(read_byte(here));
    ASSERT_EQ(::write(there, "\x07", 1), 1);
    EXPECT_EQ(status_of(child), 7);
  });
}

TEST(fork, a_socket_in_use_in_the_parent_is_free_in_the_child) {
  run([] {
    auto [a, b] = pair_of_sockets();
    Pollable here(std::move(a));
    const Task<char> reader = spawn([&] { return read_byte(here); });
    yield();  // it waits now
    EXPECT_EQ(in_child([&] {
                { Pollable::Use use(here, Direction::read, "read", kName); }
                here.close();  // waits for nobody
                return 7;
              }),
              7);
    ASSERT_EQ(::write(b.get(), "x", 1), 1);  // and the parent's reader has lost nothing
    EXPECT_EQ(reader.get(), 'x');
  });
}

TEST(fork, detaching_in_the_child_leaves_the_parents_registration) {
  run([] {
    auto [a, b] = pair_of_sockets();
    Pollable here(std::move(a));
    const Task<char> reader = spawn([&] { return read_byte(here); });
    yield();
    EXPECT_EQ(in_child([&] { return here.detach().get() >= 0 ? 7 : 1; }), 7);
    ASSERT_EQ(::write(b.get(), "x", 1), 1);
    EXPECT_EQ(reader.get(), 'x');
  });
}

TEST(fork, a_fibers_function_that_returns_in_the_child_ends_it) {
  run([] {
    std::atomic<bool> went_on = false;
    pid_t child = -1;
    const Task<void> forker = spawn([&] { child = fork_process(); });
    const Task<void> other = spawn([&] { went_on = true; });
    forker.get();
    ASSERT_GT(child, 0);
    EXPECT_EQ(status_of(child), 0);
    EXPECT_TRUE(went_on);
  });
}

TEST(fork, a_fibers_function_that_throws_in_the_child_ends_it_with_1) {
  run([] {
    pid_t child = -1;
    const Task<void> forker = spawn([&] {
      child = fork_process();
      if (child == 0) {
        set_log_sink([](LogLevel, std::string_view line) {
          if (line != "forked child: as asked") ::_exit(9);
        });
        throw std::runtime_error("as asked");
      }
    });
    forker.get();
    EXPECT_EQ(status_of(child), 1);
  });
}

TEST(fork, deadlines_of_the_fiber_do_not_reach_the_child) {
  run([] {
    pid_t child = -1;
    {
      const Deadline scope(0s);
      child = fork_process();
      if (child == 0) {
        sleep(1ms);
        ::_exit(7);
      }
    }
    EXPECT_EQ(status_of(child), 7);
  });
}

// Threads log, offload and run() all the time while others fork: the child must find no lock held.
// Under AddressSanitizer by those that allocate nothing, which begins and ends of run() do: the locks of its allocator
// may be held at the moment of a fork, and nobody frees them in the child (GCC 12's has no pthread_atfork handler,
// unlike glibc's malloc).
TEST(fork, no_lock_of_the_runtime_is_held_in_the_child) {
#if defined(__SANITIZE_ADDRESS__)
  constexpr bool kOthersAllocate = false;
  try {
    OffloadLimits one = offload_limits();
    one.threads = 1;  // so that none begins in the middle of it
    set_offload_limits(one);
  } catch (const std::logic_error&) {
    // Another test of this process has used the pool.
  }
#else
  constexpr bool kOthersAllocate = true;
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  constexpr int kRounds = 40;
#else
  constexpr int kRounds = 300;
#endif
  set_log_sink([](LogLevel, std::string_view) {});
  std::atomic<bool> done = false;
  std::thread logger([&] {
    while (!done) log_line(LogLevel::debug, "busy");
  });
  std::thread runner([&] {
    while (!done && kOthersAllocate) run([] { yield(); });
  });
  std::atomic<bool> offloading = false;
  std::thread offloader([&] {
    run([&] {
      while (!done) {
        offload([] {});
        offloading = true;
      }
    });
  });
  run([&] {
    while (!offloading) yield();
    for (int i = 0; i < kRounds; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        log_line(LogLevel::debug, "child");
        const int status = run([] {
          if (kThreadsInChild) offload([] {});
          return 7;
        });
        ::_exit(status);
      }
      ASSERT_EQ(status_of(child), 7) << "round " << i;
    }
  });
  done = true;
  logger.join();
  runner.join();
  offloader.join();
  set_log_sink({});
}

TEST(fork, generations_differ) {
  const auto before = detail::fork_generation();
  EXPECT_EQ(in_child([before] { return detail::fork_generation() == before + 1 ? 7 : 1; }), 7);
  EXPECT_EQ(detail::fork_generation(), before);
}

}  // namespace
}  // namespace hawser
