// Outside fibers nothing is different: calls block their thread, and nobody's descriptor changes.
#include <dlfcn.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <vector>

#include <hawser/fiber/offload.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/task_group.h>
#include <hawser/net/connect.h>
#include <hawser/net/listener.h>

#include "patch/ends.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using testing::Ends;

TEST(plain_thread, blocks_until_another_writes) {
  const Ends ends = testing::socket_ends();
  const Ends pipes = testing::pipe_ends();
  std::thread reader([&] {
    char byte;
    EXPECT_EQ(::read(ends.a.get(), &byte, 1), 1);
    pollfd one{pipes.a.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&one, 1, -1), 1);
    EXPECT_EQ(::read(pipes.a.get(), &byte, 1), 1);
  });
  EXPECT_EQ(::write(ends.b.get(), "x", 1), 1);
  EXPECT_EQ(::write(pipes.b.get(), "x", 1), 1);
  reader.join();
  for (const int fd : {ends.a.get(), ends.b.get(), pipes.a.get(), pipes.b.get()}) {
    EXPECT_TRUE(testing::is_blocking(fd));
  }
}

TEST(plain_thread, is_interrupted_by_signals) {
  struct sigaction nothing {};
  nothing.sa_handler = [](int) {};
  struct sigaction before {};
  ::sigaction(SIGUSR1, &nothing, &before);
  const Ends ends = testing::pipe_ends();
  std::atomic<bool> done{false};
  std::thread reader([&] {
    char byte;
    EXPECT_EQ(::read(ends.a.get(), &byte, 1), -1);
    EXPECT_EQ(errno, EINTR);
    done = true;
  });
  while (!done) {  // until one arrives inside the call
    ::pthread_kill(reader.native_handle(), SIGUSR1);
    std::this_thread::sleep_for(1ms);
  }
  reader.join();
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST(plain_thread, shares_a_descriptor_with_fibers_without_noticing) {
  const Ends ends = testing::socket_ends();
  constexpr int kEach = 3000;
  std::atomic<bool> waiting{true};
  std::atomic<int> seen_nonblocking{0};
  std::thread watcher([&] {
    while (waiting) {
      if (!testing::is_blocking(ends.a.get())) ++seen_nonblocking;
    }
  });
  std::thread thread([&] {
    for (int i = 0; i < kEach; ++i) {
      char byte;
      ASSERT_EQ(::recv(ends.a.get(), &byte, 1, 0), 1);
    }
  });
  run([&] {
    TaskGroup group;
    group.spawn([&] {
      for (int i = 0; i < kEach; ++i) {
        char byte;
        ASSERT_EQ(::recv(ends.a.get(), &byte, 1, 0), 1);
      }
    });
    group.spawn([&] {
      for (int i = 0; i < 2 * kEach; ++i) ASSERT_EQ(::send(ends.b.get(), "x", 1, 0), 1);
    });
    group.join();
  });
  thread.join();
  waiting = false;
  watcher.join();
  EXPECT_EQ(seen_nonblocking, 0);
}

TEST(plain_thread, of_offload_blocks) {
  const Ends ends = testing::pipe_ends();
  run([&] {
    TaskGroup group;
    group.spawn([&] {
      offload([&] {
        char byte;
        EXPECT_EQ(::read(ends.a.get(), &byte, 1), 1);
      });
    });
    group.spawn([&] { EXPECT_EQ(::write(ends.b.get(), "x", 1), 1); });
    group.join();
  });
}

TEST(patched_program, is_patched) {
  // The very symbol that shared libraries find.
  run([&] {
    const Ends ends = testing::socket_ends();
    const auto found = reinterpret_cast<ssize_t (*)(int, void*, std::size_t, int)>(::dlsym(RTLD_DEFAULT, "recv"));
    Task<void> writer = spawn([&] { EXPECT_EQ(::send(ends.b.get(), "x", 1, 0), 1); });
    char byte;
    EXPECT_EQ(found(ends.a.get(), &byte, 1, 0), 1);
  });
}

TEST(patched_program, uses_the_library_as_before) {
  run({.loops = 2}, [&] {
    Listener listener({"127.0.0.1", 0});
    TaskGroup group;
    group.spawn([&] {
      for (int i = 0; i < 50; ++i) {
        Socket peer = listener.accept();
        while (Bytes data = peer.recv(1024)) peer.send_all(data);
      }
    });
    group.spawn([&] {
      for (int i = 0; i < 50; ++i) {
        Socket sock = connect(listener.address());
        sock.send_all("hello");
        EXPECT_EQ(sock.recv(1024), "hello");
      }
    });
    group.join();
  });
}

TEST(patched_program, forks) {
  const Ends ends = testing::pipe_ends();
  run([&] {
    Task<void> waiting = spawn([&] {
      char byte;
      EXPECT_EQ(::read(ends.a.get(), &byte, 1), 1);
      EXPECT_EQ(byte, 'c');
    });
    yield();
    const pid_t child = ::fork();
    if (child == 0) {  // a plain thread with copies of all, of whose closing the parent does not hear
      ::close(ends.a.get());
      const timespec moment{.tv_sec = 0, .tv_nsec = 1'000'000};
      ::nanosleep(&moment, nullptr);
      ::_exit(::write(ends.b.get(), "c", 1) == 1 ? 0 : 1);
    }
    waiting.get();
    int status = -1;
    EXPECT_EQ(offload([&] { return ::waitpid(child, &status, 0); }), child);
    EXPECT_EQ(status, 0);
  });
}

TEST(patched_program, runs_loops_one_after_another_and_side_by_side) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < 20; ++round) {
        const Ends ends = testing::socket_ends();
        run([&] {
          Task<void> writer = spawn([&] { EXPECT_EQ(::send(ends.b.get(), "x", 1, 0), 1); });
          char byte;
          EXPECT_EQ(::recv(ends.a.get(), &byte, 1, 0), 1);
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(patched_program, waits_also_when_no_descriptor_is_left) {
  const Ends ends = testing::socket_ends();
  run([&] {
    std::vector<UniqueFd> all;
    for (;;) {
      UniqueFd one(::dup(ends.a.get()));
      if (!one) break;
      all.push_back(std::move(one));
      if (all.size() > 2000) break;
    }
    Task<void> writer = spawn([&] { EXPECT_EQ(::send(ends.b.get(), "x", 1, 0), 1); });
    char byte;
    EXPECT_EQ(::recv(ends.a.get(), &byte, 1, 0), 1);
  });
}

TEST(patched_program, leaks_no_descriptor) {
  run([&] {
    const auto round = [] {
      const Ends ends = testing::socket_ends();
      TaskGroup group;
      group.spawn([&] {
        char byte;
        EXPECT_EQ(::recv(ends.a.get(), &byte, 1, 0), 1);
      });
      group.spawn([&] { EXPECT_EQ(::send(ends.b.get(), "x", 1, 0), 1); });
      group.join();
    };
    round();
    const int before = testing::open_descriptors();
    for (int i = 0; i < 100; ++i) round();
    EXPECT_EQ(testing::open_descriptors(), before);
  });
}

}  // namespace
}  // namespace hawser
