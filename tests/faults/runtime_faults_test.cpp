// The calls that the runtime itself lives on fail: loops that can't be made are an error of run(), and the next run()
// works; a loop that runs goes on.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include <hawser/fiber/counters.h>
#include <hawser/fiber/dump.h>
#include <hawser/fiber/fork.h>
#include <hawser/fiber/task_group.h>
#include <hawser/net/connect.h>
#include <hawser/serve/tcp_servers.h>

#include "weather.h"

namespace hawser {
namespace {

using namespace testing;

struct Failing {
  SystemCall call;
  int error;
};

bool on_uring() {
  const char* engine = std::getenv("HAWSER_ENGINE");
  return engine && std::string(engine) == "uring";
}

// In a child process, which has none of the loops that are kept from before: with the nth such call failing. What went
// wrong beyond that, in words.
std::string run_with(const Failing& failing, std::uint64_t nth, bool& failed) {
  std::string wrong;
  const auto seven = [] { return run([] { return spawn([] { return 7; }).get(); }); };
  const std::size_t before = open_descriptors();
  {
    const FaultInjection faults({{.call = failing.call, .error = failing.error, .nth = nth}});
    try {
      if (seven() != 7) wrong += "another result; ";
    } catch (const SystemError& error) {
      failed = true;
      if (error.error_number() != failing.error) wrong += std::string("says: ") + error.what() + "; ";
      if (error.operation().empty()) wrong += "does not say what failed; ";
    }
  }
  if (failed && open_descriptors() != before) wrong += "leaves descriptors; ";
  try {
    if (seven() != 7) wrong += "another result the second time; ";
  } catch (const SystemError& error) {
    wrong += std::string("fails the second time: ") + error.what();
  }
  return wrong;
}

TEST(RuntimeFaults, a_loop_that_cannot_be_made_is_an_error_of_run) {
  std::vector<Failing> all = {{SystemCall::epoll_create, EMFILE}, {SystemCall::epoll_create, ENFILE},
                              {SystemCall::epoll_create, ENOMEM}, {SystemCall::eventfd, EMFILE},
                              {SystemCall::eventfd, ENFILE},      {SystemCall::eventfd, ENOMEM}};
  if (on_uring()) {
    all.insert(all.end(), {{SystemCall::io_uring_setup, EMFILE},
                           {SystemCall::io_uring_setup, ENFILE},
                           {SystemCall::io_uring_setup, ENOMEM},
                           {SystemCall::io_uring_setup, EPERM},
                           {SystemCall::io_uring_enter, EPERM},
                           {SystemCall::io_uring_register, EPERM},
                           {SystemCall::mmap, ENOMEM}});
  } else {
    all.insert(all.end(), {{SystemCall::epoll_ctl, ENOMEM}, {SystemCall::epoll_ctl, ENOSPC}});
  }
  constexpr int kFailed = 1;
  constexpr int kWrong = 2;
  for (const Failing& failing : all) {
    const pid_t child = fork_process();
    if (child == 0) {
      bool failed = false;
      const std::string wrong = run_with(failing, 1, failed);
      if (!wrong.empty()) std::fprintf(stderr, "%s\n", wrong.c_str());
      ::_exit(!wrong.empty() ? kWrong : failed ? kFailed : 0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == kFailed)
        << status << ": " << static_cast<int>(failing.call) << ' ' << std::strerror(failing.error);
  }
}

// What no manual page has such a call say in the middle of a run ends the process, with words.
TEST(RuntimeFaultsDeathTest, a_loop_whose_engine_breaks_says_so) {
  set_log_sink({});
  EXPECT_DEATH(
      {
        run([] {
          const FaultInjection faults({{SystemCall::epoll_wait, EBADF, 1.0}, {SystemCall::io_uring_enter, EBADF, 1.0}});
          sleep(30s);  // longer than a busy machine holds this thread up: the loop does come to its engine
        });
      },
      on_uring() ? "loop 0 cannot go on: io_uring_enter: Bad file descriptor"
                 : "loop 0 cannot go on: epoll_wait: Bad file descriptor");
}

// A loop goes on when its wait is interrupted, or the kernel is short of memory for a moment.
TEST(RuntimeFaults, a_wait_that_fails_for_now_is_done_again) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    run({.loops = 2}, [&] {
      const FaultInjection faults({{SystemCall::epoll_wait, EINTR, 0.3},
                                   {SystemCall::io_uring_enter, EINTR, 0.2},
                                   {SystemCall::io_uring_enter, EAGAIN, 0.1},
                                   {SystemCall::io_uring_enter, EBUSY, 0.1}},
                                  seed);
      TaskGroup group;
      for (int i = 0; i < 20; ++i) {
        group.spawn_on(i % 2, [] {
          auto [a, b] = socketpair();
          auto echo = spawn([&end = b] {
            while (const Bytes data = end.recv(100)) end.send_all(data);
          });
          for (int round = 0; round < 10; ++round) {
            a.send_all("x");
            EXPECT_EQ(a.recv(1).view(), "x");
            sleep(10us);
          }
          a.close();
          echo.get();
        });
      }
      group.join();
      EXPECT_GT(faults.struck(), 0U);
    });
  }
}

void expect_stacks_add_up() {
  const LoopCounters all = runtime_counters().total;
  EXPECT_EQ(all.stacks_mapped - all.stacks_free, all.fibers_live + all.fibers_idle);
}

void many_take_turns(int fibers) {
  std::atomic<int> ended{0};
  TaskGroup group;
  for (int i = 0; i < fibers; ++i) {
    group.spawn([&] {
      yield();
      ++ended;
    });
  }
  group.join();
  EXPECT_EQ(ended.load(), fibers);
}

// No memory for a stack: the fibers take turns on those there are, and each comes to its end.
TEST(RuntimeFaults, stacks_that_cannot_be_mapped_are_waited_for) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    run({.stack_bytes = 96 * 1024 + 4096 * seed}, [&] {
      const FaultInjection faults({{SystemCall::mmap, ENOMEM, 0.7}}, seed);
      many_take_turns(600);
      expect_stacks_add_up();
    });
  }
  run({.stack_bytes = 1024 * 1024}, [&] {
    const FaultInjection faults({{SystemCall::mmap, ENOMEM, 1.0}});
    many_take_turns(600);
    EXPECT_GT(faults.struck(), 0U);
    expect_stacks_add_up();
  });
}

// Guards that cannot be had by madvise are made by mprotect, and stacks without either are not used.
TEST(RuntimeFaults, stacks_that_cannot_be_guarded_are_not_used) {
  const FaultInjection faults({{SystemCall::madvise, EINVAL, 1.0}, {SystemCall::mprotect, ENOMEM, 0.05}}, 5);
  run({.stack_bytes = 160 * 1024}, [] {
    many_take_turns(1000);
    expect_stacks_add_up();
  });
  EXPECT_GT(faults.struck(SystemCall::mprotect), 0U);
}

TEST(RuntimeFaults, a_fork_that_fails_is_an_error_and_no_more) {
  run([] {
    const std::size_t before = open_descriptors();
    for (const int error : {EAGAIN, ENOMEM}) {
      const FaultInjection faults({{.call = SystemCall::clone, .error = error, .nth = 1}});
      try {
        const pid_t child = fork_process();
        if (child == 0) ::_exit(0);
        ADD_FAILURE();
      } catch (const SystemError& thrown) {
        EXPECT_EQ(thrown.error_number(), error);
      }
      const pid_t child = fork_process();
      if (child == 0) ::_exit(7);
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      EXPECT_EQ(WEXITSTATUS(status), 7);
    }
    EXPECT_EQ(open_descriptors(), before);
  });
}

// Neither a child that can't be made nor one that can't be watched ends more than one client's talk.
TEST(RuntimeFaults, a_forking_server_lives_on_when_no_child_is_to_be_had) {
  set_log_sink([](LogLevel, std::string_view) {});
  run([] {
    ForkingTcpServer server({"127.0.0.1", 0}, [](Socket& peer) {
      while (const Bytes data = peer.recv(100)) peer.send_all(data);
    });
    auto serving = spawn([&] { server.serve_forever(); });
    const auto talk = [&] {
      Socket client = connect(server.address());
      client.send_all("x");
      client.shutdown_write();
      return read_to_end(client);
    };
    EXPECT_EQ(talk(), "x");
    for (int round = 0; round < 5; ++round) {
      {
        const FaultInjection faults({{SystemCall::pidfd_open, EMFILE, 1.0}});
        EXPECT_EQ(talk(), "x");
        EXPECT_GT(faults.struck(), 0U);
      }
      {
        const FaultInjection faults({{.call = SystemCall::clone, .error = EAGAIN, .nth = 1}});
        try {
          EXPECT_EQ(talk(), "");
        } catch (const SystemError& error) {
          EXPECT_TRUE(error.error_number() == ECONNRESET || error.error_number() == EPIPE ||
                      error.error_number() == ENOTCONN)
              << error.what();
        }
      }
      EXPECT_EQ(talk(), "x");
    }
    server.request_stop();
    serving.get();
  });
  set_log_sink({});
}

// A dump is text of what is known: without the symbols' file it shows addresses.
TEST(RuntimeFaults, a_dump_without_symbols_is_still_a_dump) {
  run([] {
    auto sleeper = spawn([] { sleep(1h); });
    sleeper.set_name("sleeper");
    yield();
    {
      const FaultInjection faults({{SystemCall::open, EMFILE, 1.0}, {SystemCall::mmap, ENOMEM, 1.0}});
      EXPECT_NE(dump_fibers().find("'sleeper' parked in sleep"), std::string::npos);
    }
    sleeper.kill();
    sleeper.join();
  });
}

}  // namespace
}  // namespace hawser
