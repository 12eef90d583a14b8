// A program that forks while its other threads are busy, and use things for the first time: each child can do all that
// its parent can. Not under the sanitizers: the locks of their allocators may be held at a fork, and nobody frees them.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include <hawser/base/log.h>
#include <hawser/fiber/offload.h>
#include <hawser/fiber/run.h>
#include <hawser/net/socket.h>
#include <hawser/process/run_command.h>
#include <hawser/sync/queue.h>
#include <hawser/task/thread.h>
#include <hawser/task/thread_pool.h>
#include <hawser/wire/text.h>
#include <hawser/wire/time_text.h>

#include "rounds.h"

namespace hawser {
namespace {

using namespace testing;

void expect(bool right, const char* what) {
  if (!right) throw std::runtime_error(what);
}

// What a program may do, each of it with something of the whole process behind it. Not lookups of names: see
// <hawser/fiber/fork.h>.
using Job = void (*)();
constexpr std::array kJobs = {
    Job([] {
      ThreadPool pool(2);
      expect(pool.submit([] { return 5; }).result() == 5, "a pool");
    }),
    Job([] {
      const int sum = run({.loops = 2}, [] {
        auto here = spawn([] { return 1; });
        auto there = spawn_on(1, [] { return offload([] { return 2; }); });
        sleep(100us);
        return here.get() + there.get();
      });
      expect(sum == 3, "fibers");
    }),
    Job([] {
      expect(decode(encode("\u4f60\u597d", "gbk"), "gbk") == "\u4f60\u597d", "gbk");
      expect(decode(encode("\u98de\u79cb", "gb18030"), "gb18030") == "\u98de\u79cb", "gb18030");
      expect(format_time("%Y", utc_time(std::time_t{0})) == "1970", "the time");
    }),
    Job([] {
      auto [near, far] = socketpair();
      near.set_timeout(20s);
      far.send_all("ping");
      expect(near.recv(4) == "ping", "sockets");
    }),
    Job([] {
      Queue<int> queue(1);
      Thread other([&queue] {
        for (int i = 0; i < 10; ++i) queue.put(i);
      });
      other.start();
      int sum = 0;
      for (int i = 0; i < 10; ++i) sum += queue.get();
      other.join();
      expect(sum == 45, "a queue");
    }),
    Job([] { log_line(LogLevel::debug, "busy"); }),
    Job([] { expect(run_command({"true"}).return_code == 0, "a command"); }),
};

// 0, or how it went wrong, on standard error as well.
int do_all(std::size_t first) noexcept {
  try {
    for (std::size_t i = 0; i < kJobs.size(); ++i) kJobs[(first + i) % kJobs.size()]();
    return 0;
  } catch (const std::exception& error) {
    const std::string line = std::string("in a forked child: ") + error.what() + "\n";
    static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
    return 1;
  }
}

int status_of(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// In a process in which nothing has been used yet.
int fork_while_busy(std::size_t round) {
  set_log_sink([](LogLevel, std::string_view) {});
  std::vector<std::thread> busy;
  std::atomic<bool> stop{false};
  std::atomic<int> failed{0};
  for (std::size_t i = 0; i < 3; ++i) {
    busy.emplace_back([&, first = round + i] {
      do failed |= do_all(first);
      while (!stop);
    });
  }
  std::vector<pid_t> children;
  for (std::size_t i = 0; i < 8; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(30);
      ::_exit(do_all(i));
    }
    children.push_back(child);
    if (i % 2) std::this_thread::yield();
  }
  int worst = 0;
  for (const pid_t child : children) worst = std::max(worst, status_of(child));
  stop = true;
  for (std::thread& each : busy) each.join();
  return std::max(worst, failed.load());
}

TEST(forks, of_a_busy_program_leave_no_child_behind_a_lock) {
  for (int round = 0; round < 40; ++round) {
    const pid_t fresh = ::fork();
    if (fresh == 0) {
      ::alarm(50);
      ::_exit(fork_while_busy(static_cast<std::size_t>(round)));
    }
    ASSERT_EQ(status_of(fresh), 0) << "round " << round << "; 142: a child waited for ever";
  }
}

}  // namespace
}  // namespace hawser

#endif
